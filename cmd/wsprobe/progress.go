package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/examine"
	"github.com/wsprobe/wsprobe/probe/session"
)

// progress shows on a terminal what goes on: a line for everything that was found out, and below them the time that has
// passed. Elsewhere it shows nothing.
type progress struct {
	out   io.Writer // nil for none
	began time.Time
	limit time.Duration

	mu sync.Mutex
}

// clockWidth is the width of the column of the times.
const clockWidth = 8

// newProgress shows progress on a writer if that is a terminal.
func newProgress(out io.Writer, limit time.Duration) *progress {
	p := &progress{began: time.Now(), limit: limit}
	if isTerminal(out) {
		p.out = out
	}
	return p
}

// tell shows a line.
func (p *progress) tell(text string) {
	p.write(func() string {
		at := session.Span(time.Since(p.began).Round(100 * time.Millisecond))
		lines := strings.Join(wrapped(text, lineWidth-clockWidth-2), "\n"+strings.Repeat(" ", clockWidth+2))
		return fmt.Sprintf("%s%*s  %s\n%s", clearLine, clockWidth, at, lines, p.clock())
	})
}

func (p *progress) write(text func() string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out != nil {
		_, _ = io.WriteString(p.out, text()) // who does not see it still gets the report
	}
}

// clock is the line with the time.
func (p *progress) clock() string {
	return fmt.Sprintf("%*s  of %s; Ctrl-C shows what is known", clockWidth, session.Span(time.Since(p.began).Truncate(time.Second)), session.Span(p.limit))
}

// during lets the clock run while something is done, and erases it then.
func (p *progress) during(do func() (*examine.Report, error)) (*examine.Report, error) {
	over := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-over:
				p.write(func() string { return clearLine })
				return
			case <-ticker.C:
				p.write(func() string { return clearLine + p.clock() })
			}
		}
	})
	report, err := do()
	close(over)
	running.Wait()
	return report, err
}

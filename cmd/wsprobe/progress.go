package main

import (
	"fmt"
	"io"
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
		return fmt.Sprintf("%s%8s  %s\n%s", clearLine, at, text, p.clock())
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
	return fmt.Sprintf("%8s  of %s; Ctrl-C shows what is known", session.Span(time.Since(p.began).Truncate(time.Second)), session.Span(p.limit))
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

package main

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

// textDisplay shows results to people.
type textDisplay struct {
	mu      sync.Mutex
	out     io.Writer
	ink     ink
	verbose bool
	words   reasons.Words // of whom hints are for
	many    bool          // several probes
	listens bool
	series  seriesOf
	failed  []string
}

// display makes what the flags ask for.
func (f *onceFlags) display(out io.Writer, adhoc bool) display {
	var words reasons.Words // nil for those of a file
	if adhoc {
		words = hintFlags
	}
	if f.json {
		return newJSONDisplay(out, f.verbose, words)
	}
	return &textDisplay{out: out, ink: inkFor(out), verbose: f.verbose, words: words, many: !adhoc, listens: f.listen > 0, series: make(seriesOf)}
}

func (d *textDisplay) write(text string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, err := io.WriteString(d.out, text)
	return err
}

// title is the name of a probe, and its URL unless that is the name.
func (d *textDisplay) title(p config.Probe) string {
	name, url := d.ink.bold(p.Name), p.ShownURL()
	if p.Name != url {
		name += "  " + url
	}
	return name
}

// message shows a message as it comes: on its line, or below it if it is too long.
func (d *textDisplay) message(p config.Probe, m probe.Message) error {
	line, text := frameHead(probe.Millis(m.At), "<", messageKind(m), uint64(m.Bytes)), quoted(m)
	if d.many {
		line = p.Name + "\n" + line
	}
	indent := "\n" + strings.Repeat(" ", 2+labelWidth+1)
	lines := wrapped(text, lineWidth-len(indent)+1)
	if len(frameHead(0, "<", "", 0))+len(text) <= lineWidth {
		return d.write(line + text + "\n")
	}
	return d.write(strings.TrimRight(line, " ") + indent + strings.Join(lines, indent) + "\n")
}

// each shows a run: one of several on a line, a single one with all that is known.
func (d *textDisplay) each(s shot) error {
	d.series.add(s)
	if s.number > 0 {
		return d.write(d.line(s))
	}
	if s.failed() {
		d.failed = append(d.failed, s.probe.Name)
	}
	return d.write(d.waterfall(s))
}

// line is one of several runs.
func (d *textDisplay) line(s shot) string {
	line := fmt.Sprintf("  %5d  ", s.number)
	switch {
	case d.many:
		line += fmt.Sprintf("%-20s ", s.probe.Name)
	case s.number == 1:
		line = d.title(s.probe) + "\n" + line
	}
	return line + d.outcome(s) + "\n"
}

// outcome is what a run came to, in short.
func (d *textDisplay) outcome(s shot) string {
	if s.failed() {
		return d.ink.bad("FAILED "+s.result.Reason.String()) + " " + string(s.result.ErrorType)
	}
	if !s.result.Opened {
		return d.ink.good("ok") + fmt.Sprintf("  refused with %d as expected", s.result.HTTPStatus)
	}
	return d.ink.good("ok") + "  " + valueText(timed(s.probe), s.result)
}

// waterfall shows a result: the headline, a bar for each phase on a common time axis and, for a failure, everything that helps
// to mend it.
func (d *textDisplay) waterfall(s shot) string {
	var b strings.Builder
	b.WriteString(d.headline(s))
	b.WriteString(d.phaseLines(s.probe, s.result))
	if d.verbose {
		d.writeWatch(&b, s)
	}
	for _, f := range d.facts(s) {
		writeFact(&b, d.ink, f)
	}
	b.WriteByte('\n')
	return b.String()
}

// sum says what several runs came to, and how many of several probes are ok: the waterfalls may have scrolled away.
func (d *textDisplay) sum(probes []config.Probe) error {
	var b strings.Builder
	rounds := false
	for _, p := range probes {
		s := d.series[p.Name]
		if s == nil || s.single {
			continue
		}
		rounds = true
		b.WriteByte('\n')
		if d.many {
			b.WriteString(d.title(p) + "\n")
		}
		b.WriteString(s.lines(p))
		if s.failed > 0 {
			fmt.Fprintf(&b, "\n  the last one that failed, number %d:\n\n", s.last.number)
			b.WriteString(d.waterfall(s.last))
		}
	}
	if len(probes) > 1 && !rounds {
		if len(d.failed) == 0 {
			fmt.Fprintf(&b, "all %d probes are ok\n", len(probes))
		} else {
			fmt.Fprintf(&b, "%d of %d probes are ok\n", len(probes)-len(d.failed), len(probes))
			writeFact(&b, d.ink, fact{"failed", strings.Join(d.failed, ", ")})
		}
	}
	return d.write(b.String())
}

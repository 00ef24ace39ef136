package main

import (
	"bufio"
	"io"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/config"
)

// printProbes prints a table of probes. It measures the columns before it writes, because a tabwriter keeps every cell,
// and writes each of them by itself.
func printProbes(to io.Writer, probes []config.Probe) error {
	cells := func(p *config.Probe) [5]string {
		return [...]string{p.Name, string(p.Headline()), p.Interval.String(), p.Spec.Timeout.String(), p.ShownURL()}
	}
	head := [...]string{"PROBE", "INTERPRETATION", "INTERVAL", "TIMEOUT", "URL"}
	var widths [len(head)]int
	measure := func(row [len(head)]string) {
		for i, cell := range row[:len(row)-1] {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell)+2)
		}
	}
	measure(head)
	for i := range probes {
		measure(cells(&probes[i]))
	}
	out := bufio.NewWriterSize(to, 64<<10)
	write := func(row [len(head)]string) {
		for i, cell := range row {
			_, _ = out.WriteString(cell) // Flush returns the error
			for n := utf8.RuneCountInString(cell); n < widths[i]; n++ {
				_ = out.WriteByte(' ')
			}
		}
		_ = out.WriteByte('\n')
	}
	write(head)
	for i := range probes {
		write(cells(&probes[i]))
	}
	return out.Flush()
}

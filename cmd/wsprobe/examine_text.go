package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/examine"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/redact"
	"github.com/wsprobe/wsprobe/probe/session"
)

// examineTitles are the groups of the report.
var examineTitles = map[string]string{
	examine.AboutIdle: "Without traffic", examine.AboutPings: "Pings of the server", examine.AboutLifetime: "Age",
	examine.AboutMessages: "Messages", examine.AboutClose: "Close frames", examine.AboutOpening: "Opening",
}

// examineText is a report for people: groups of sentences, each with its advice below.
func examineText(r *examine.Report, i ink) string {
	var b strings.Builder
	head := fmt.Sprintf("examined for %s, with %s", session.Span(r.Lasted.Duration()), plural(r.Connections, "connection"))
	if r.Interrupted {
		head += "; interrupted: some of it was not found out"
	}
	fmt.Fprintf(&b, "%s\n  %s\n", i.bold(r.URL), head)
	for _, about := range examine.Abouts() {
		titled := false
		for _, f := range r.Findings {
			if f.About != about {
				continue
			}
			if !titled {
				fmt.Fprintf(&b, "\n%s\n", i.bold(examineTitles[about]))
				titled = true
			}
			writeIndented(&b, "  ", "  ", f.Text)
			if f.Advice != "" {
				writeIndented(&b, "  "+i.good("→")+" ", "    ", f.Advice)
			}
		}
	}
	return b.String()
}

// writeIndented writes a text in lines of at most lineWidth characters. First stands before the first one, and is as
// wide as rest, which stands before the others.
func writeIndented(b *strings.Builder, first, rest, text string) {
	b.WriteString(first + strings.Join(wrapped(text, lineWidth-len(rest)), "\n"+rest) + "\n")
}

// notOpen shows the run that did not open the endpoint: to people as `once` does.
func (f *examineFlags) notOpen(cmd *cobra.Command, report *examine.Report, o examine.Options) error {
	shown := redact.URL(o.Spec.URL)
	res := report.First
	opening := examine.Finding{About: examine.AboutOpening, Advice: res.Hint(hintFlags),
		Text: fmt.Sprintf("The endpoint does not open: %s, %s: %s.", res.Reason, res.ErrorType, cmp.Or(res.Detail, "no detail"))}
	report.Findings = append(report.Findings, opening)
	if f.json {
		if err := f.show(cmd.OutOrStdout(), report); err != nil {
			return failure{err}
		}
		return errProbeFailed
	}
	d := &textDisplay{out: cmd.OutOrStdout(), ink: inkFor(cmd.OutOrStdout()), words: hintFlags}
	p := config.Probe{Name: shown, Spec: o.Spec.Run().WithDefaults()}
	if err := d.write(d.waterfall(shot{probe: p, result: res, watch: new(probe.Watch)})); err != nil {
		return failure{err}
	}
	return errProbeFailed
}

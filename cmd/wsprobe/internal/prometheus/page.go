package prometheus

import (
	"fmt"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

// page is the answer for people: what happened in the run, the metrics, and the configuration of the module. The texts
// of a result and of a watch are redacted and printable.
func (a *answer) page(metrics string) string {
	var b strings.Builder
	b.WriteString("Logs for the probe:\n")
	a.story(&b)
	b.WriteString("\n\nMetrics that would have been returned:\n" + metrics)
	b.WriteString("\n\nModule configuration:\n" + a.asked.shown)
	return b.String()
}

// story writes what happened, a line each.
func (a *answer) story(b *strings.Builder) {
	r := &a.result
	fmt.Fprintf(b, "module %s, target %s, timeout %v\n", a.asked.module, a.asked.Identity.Target().URL, a.asked.limit)
	for phase, span := range r.Phases {
		if span.State == probe.SpanAbsent {
			continue
		}
		how := ""
		if span.State == probe.SpanBroken {
			how = ", not ended"
		}
		fmt.Fprintf(b, "%s  %s %s%s\n", offset(span.Start), probe.Phase(phase), length(a.lasted(probe.Phase(phase))), how)
	}
	if r.Peer != "" {
		fmt.Fprintf(b, "peer %s\n", r.Peer)
	}
	for i, c := range a.chain() {
		fmt.Fprintf(b, "certificate %d: %s, issued by %s, until %s\n", i, c.Subject, c.Issuer, c.Until.UTC().Format(time.RFC3339))
	}
	for _, line := range a.watch.Request {
		fmt.Fprintf(b, "> %s\n", line)
	}
	for _, line := range a.watch.Response {
		fmt.Fprintf(b, "< %s\n", line)
	}
	if r.Body != "" {
		fmt.Fprintf(b, "< body: %s\n", r.Body)
	}
	for i := range a.watch.Frames {
		f := &a.watch.Frames[i]
		direction := "<"
		if f.Sent {
			direction = ">"
		}
		fmt.Fprintf(b, "%s  %s %s, %d bytes: %s\n", offset(f.At), direction, f.Kind(), f.Length, f.Preview)
	}
	if a.watch.Unseen > 0 {
		fmt.Fprintf(b, "%d more frames\n", a.watch.Unseen)
	}
	fmt.Fprintf(b, "result: %s", r.Reason)
	if r.Reason != reasons.OK {
		fmt.Fprintf(b, " (%s): %s", r.ErrorType, r.Detail)
	}
	b.WriteString("\n")
	if hint := r.Hint(nil); hint != "" {
		fmt.Fprintf(b, "hint: %s\n", hint)
	}
}

// offset is a time from the start of the run, and length that of a phase, both in milliseconds.
func offset(d time.Duration) string { return fmt.Sprintf("%9.3f ms", probe.Millis(d)) }
func length(d time.Duration) string { return fmt.Sprintf("%.3f ms", probe.Millis(d)) }

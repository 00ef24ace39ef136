package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

// barWidth is the length of the time axis in characters. With it a line stays within 80 columns.
const barWidth = 48

// printWaterfall shows a result to a person: the headline, a bar for each phase on a common time axis and, for
// a failure, everything that helps to mend it.
func printWaterfall(w io.Writer, p config.Probe, r probe.Result) error {
	var b strings.Builder
	b.WriteString(headline(p, r))
	total := r.Ended.Sub(r.Started)
	for _, span := range r.Phases {
		total = max(total, span.End)
	}
	for phase, span := range r.Phases {
		if span.State != probe.SpanAbsent {
			fmt.Fprintf(&b, "  %-10s %10s  %s\n", probe.Phase(phase), millis(span), bar(span, total))
		}
	}
	for _, line := range facts(r) {
		fmt.Fprintf(&b, "  %-10s %s\n", line[0], line[1])
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// headline is the first line: which probe, and what it came to.
func headline(p config.Probe, r probe.Result) string {
	in := p.Spec.Interpretation
	text := "no data"
	if value, ok := in.Value(r); ok && in == probe.ConnectionSuccess {
		text = fmt.Sprintf("%.0f", value)
	} else if ok {
		text = fmt.Sprintf("%.3f %s", value, in.Unit())
	}
	name, url := p.Name, probe.RedactURL(p.Spec.URL)
	if name != url {
		name += "  " + url
	}
	return fmt.Sprintf("%s\n  %s  %s %s\n", name, verdict(r), in, text)
}

func verdict(r probe.Result) string {
	if r.Reason == reasons.OK {
		return "ok"
	}
	return "FAILED " + r.Reason.String()
}

// facts are what else is known, the most helpful last.
func facts(r probe.Result) [][2]string {
	var lines [][2]string
	add := func(name, text string) {
		if text != "" {
			lines = append(lines, [2]string{name, text})
		}
	}
	add("peer", r.Peer)
	add("protocol", r.Subprotocol)
	if r.Reason == reasons.OK {
		return lines
	}
	if r.HTTPStatus != 0 && !r.Opened {
		add("status", fmt.Sprint(r.HTTPStatus))
	}
	add("body", r.Body)
	if r.CloseCode != 0 {
		add("close", strings.TrimSpace(fmt.Sprintf("%d %s", r.CloseCode, r.CloseReason)))
	}
	if r.Unmatched > 0 {
		add("last reply", fmt.Sprintf("%s (of %s that did not match)", r.LastReply, plural(r.Unmatched, "message")))
	}
	add("error", string(r.ErrorType))
	add("detail", r.Detail)
	add("hint", reasons.Hint(r.Reason, r.ErrorType))
	return lines
}

// millis is the length of a phase; one that did not end has no length, only the time that went into it.
func millis(s probe.Span) string {
	text := fmt.Sprintf("%.3f ms", probe.Millis(s.Duration()))
	if s.State == probe.SpanBroken {
		return ">" + text
	}
	return text
}

// bar places a phase on the time axis. A phase that took place is never invisible.
func bar(s probe.Span, total time.Duration) string {
	if total <= 0 {
		return ""
	}
	from := int(int64(barWidth) * int64(s.Start) / int64(total))
	to := int(int64(barWidth) * int64(s.End) / int64(total))
	from = min(from, barWidth-1)
	to = min(max(to, from+1), barWidth)
	fill := "█"
	if s.State == probe.SpanBroken {
		fill = "░"
	}
	return strings.Repeat(" ", from) + strings.Repeat(fill, to-from)
}

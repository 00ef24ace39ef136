package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/reasons"
)

const (
	// lineWidth is what texts are wrapped to: a terminal of 80 columns, less a margin.
	lineWidth = 78
	// labelWidth is the width of the first column, long enough for every phase and fact.
	labelWidth = 10
	// barWidth is the length of the time axis in characters. With the columns before it and the remark after
	// it a line stays within lineWidth.
	barWidth = 38
)

// printWaterfall shows a result to a person: the headline, a bar for each phase on a common time axis and, for
// a failure, everything that helps to mend it.
func printWaterfall(w io.Writer, p config.Probe, r probe.Result) error {
	var b strings.Builder
	b.WriteString(headline(p, r))
	b.WriteString(phaseLines(r))
	for _, f := range facts(p, r) {
		writeFact(&b, f)
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// headline says which probe it is, and what it came to.
func headline(p config.Probe, r probe.Result) string {
	name, url := p.Name, p.ShownURL()
	if name != url {
		name += "  " + url
	}
	in := p.Spec.Interpretation
	value := fmt.Sprintf("%s %s", in, valueText(in, r))
	switch {
	case r.Reason != reasons.OK:
		return fmt.Sprintf("%s\n  FAILED %s, %s\n\n", name, r.Reason, value)
	case !r.Opened: // which has no latency, and a success of 0 would look like a failure
		return fmt.Sprintf("%s\n  ok, refused with %d as expected\n\n", name, r.HTTPStatus)
	default:
		return fmt.Sprintf("%s\n  ok, %s\n\n", name, value)
	}
}

// valueText is what an interpretation makes of a result.
func valueText(in probe.Interpretation, r probe.Result) string {
	value, measured := in.Value(r)
	switch {
	case !measured:
		return "no data"
	case in.Unit() == "":
		return fmt.Sprintf("%.0f", value)
	default:
		return fmt.Sprintf("%.3f %s", value, in.Unit())
	}
}

// row is a line of the waterfall.
type row struct {
	label string
	span  probe.Span
	close bool
}

// rows are the phases of a run. An exchange has a row for each of its steps, one of which is the round trip.
func rows(r probe.Result) []row {
	var all []row
	for i, span := range r.Phases {
		phase := probe.Phase(i)
		if phase == probe.PhaseClose {
			for step, span := range r.Steps {
				all = append(all, row{label: fmt.Sprintf("step %d", step+1), span: span})
			}
		}
		if phase != probe.PhaseRoundTrip || r.Steps == nil {
			all = append(all, row{label: phase.String(), span: span, close: phase == probe.PhaseClose})
		}
	}
	return slices.DeleteFunc(all, func(row row) bool { return row.span.State == probe.SpanAbsent })
}

// phaseLines are the waterfall itself. The phase that was not brought to its end is marked on both sides, as
// its length is only the time that went into it.
func phaseLines(r probe.Result) string {
	total := r.Ended.Sub(r.Started)
	for _, span := range r.Phases {
		total = max(total, span.End)
	}
	var b strings.Builder
	listened := false
	for _, row := range rows(r) {
		mark, remark := " ", ""
		if row.span.State == probe.SpanBroken {
			mark, remark = "✗", " failed here"
			if row.close { // which is part of no value, and no failure
				mark, remark = "!", " unanswered"
			}
		}
		if upgrade := r.Phases[probe.PhaseUpgrade]; row.span.Start > upgrade.Start && !listened {
			b.WriteString(listenLine(upgrade, row.span, total))
			listened = true
		}
		fmt.Fprintf(&b, "%s %-*s %9.3f ms  %s%s\n", mark, labelWidth, row.label, probe.Millis(row.span.Duration()), bar(row.span, total), remark)
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	return b.String()
}

// listenLine accounts for the time between the open and the message, in which a probe listens for what the
// server says of its own accord. It is no phase and part of no value, but a hole in the picture without a word.
func listenLine(upgrade, roundTrip probe.Span, total time.Duration) string {
	gap := probe.Span{Start: upgrade.End, End: roundTrip.Start, State: probe.SpanEnded}
	if upgrade.State != probe.SpanEnded || gap.Duration() < time.Millisecond {
		return ""
	}
	dots := strings.ReplaceAll(bar(gap, total), "█", "·")
	return fmt.Sprintf("  %-*s %9.3f ms  %s\n", labelWidth, "(listen)", probe.Millis(gap.Duration()), dots)
}

// bar places a phase on the time axis. A phase that took place is never invisible: one that is shorter than
// a character is a thin stroke.
func bar(s probe.Span, total time.Duration) string {
	from, to := 0, 0
	if total > 0 {
		from = min(int(int64(barWidth)*int64(s.Start)/int64(total)), barWidth-1)
		to = min(int(int64(barWidth)*int64(s.End)/int64(total)), barWidth)
	}
	lead := strings.Repeat(" ", from)
	switch {
	case to <= from:
		return lead + "▏"
	case s.State == probe.SpanBroken:
		return lead + strings.Repeat("░", to-from)
	default:
		return lead + strings.Repeat("█", to-from)
	}
}

// fact is something else that is known about a run.
type fact struct{ label, text string }

// facts are what else is known, the most helpful last.
func facts(p config.Probe, r probe.Result) []fact {
	var all []fact
	add := func(label, text string) {
		if text != "" {
			all = append(all, fact{label, text})
		}
	}
	add("status", statusText(p, r))
	add("round trip", measuredStep(p, r))
	if r.Opened && p.Spec.Interpretation != probe.HandshakeLatency {
		add("handshake", valueText(probe.HandshakeLatency, r))
	}
	if proxy := p.Spec.Proxy; proxy != nil {
		add("proxy", proxy.Scheme+"://"+proxy.Host)
	}
	add("peer", r.Peer)
	if r.Overloaded() {
		add("agent", fmt.Sprintf("this machine was %.0f ms late to see what came: it is busy, and may be what this shows", probe.Millis(r.Lag)))
	}
	add("tls", certificateText(r))
	add("protocol", r.Subprotocol)
	if r.Opened && r.Subprotocol == "" && len(p.Spec.Protocols) > 0 {
		add("protocol", "none of those offered was picked")
	}
	add("extension", r.Extensions)
	if r.Opened && r.Extensions == "" && p.Spec.Compression == probe.CompressionOn {
		add("extension", "permessage-deflate was offered and not agreed to")
	}
	if r.Reason == reasons.OK {
		return all
	}
	if r.HTTPStatus != 0 && !r.Opened {
		add("status", fmt.Sprint(r.HTTPStatus))
	}
	add("body", strings.TrimSuffix(r.Body, `\n`))
	add("close", closeText(r))
	if r.Unmatched > 0 {
		add("last reply", fmt.Sprintf("%s (of %s that did not match)", r.LastReply, plural(r.Unmatched, "message")))
	}
	when := r.Reason.When()
	if r.ErrorType == reasons.UnexpectedlyOpen {
		when = "the socket opened, and was to be refused"
	}
	add("reason", r.Reason.String()+": "+when)
	add("error", string(r.ErrorType))
	add("detail", r.Detail)
	add("hint", reasons.Hint(r.Reason, r.ErrorType))
	return all
}

// statusText says what the thresholds of a probe make of a run, and which of them.
func statusText(p config.Probe, r probe.Result) string {
	verdict := p.Health.Thresholds.Judge(p.Spec.Interpretation.Value(r))
	decisive := p.Health.Thresholds.Decisive(verdict)
	switch {
	case verdict == health.Unknown:
		return ""
	case decisive.Given():
		return fmt.Sprintf("%v: %v", verdict, decisive)
	default:
		return verdict.String()
	}
}

// measuredStep says which step of an exchange is the headline.
func measuredStep(p config.Probe, r probe.Result) string {
	if !r.Replied || len(r.Steps) < 2 {
		return ""
	}
	return fmt.Sprintf("that of step %d", p.Spec.MeasuredStep()+1)
}

// certificateText says until when the endpoint's certificate is good, and what is left of that.
func certificateText(r probe.Result) string {
	ends := r.CertificateExpiry
	if ends.IsZero() {
		return ""
	}
	const day = 24 * time.Hour
	left, form := ends.Sub(r.Ended), "certificate ends in %s (%s)"
	if left < 0 {
		left, form = -left, "certificate ended %s ago (%s)"
	}
	span := plural(int(left/day), "day")
	if left < 2*day {
		span = plural(int(left/time.Hour), "hour")
	}
	return fmt.Sprintf(form, span, ends.UTC().Format(time.DateOnly))
}

// closeText says with which code a connection was closed, and who said so.
func closeText(r probe.Result) string {
	switch {
	case r.CloseCode == 0:
		return ""
	case r.CloseByProbe:
		return fmt.Sprintf("%d, sent by the probe", r.CloseCode)
	case r.CloseCode == 1005: // these two are never sent (RFC 6455 7.4.1)
		return "1005: a close frame without a code"
	case r.CloseCode == 1006:
		return "1006: no close frame"
	default:
		return strings.TrimSpace(fmt.Sprintf("%d %s", r.CloseCode, r.CloseReason))
	}
}

// writeFact writes a label and its text, wrapped between words, the later lines under the first.
func writeFact(b *strings.Builder, f fact) {
	fmt.Fprintf(b, "  %-*s ", labelWidth, f.label)
	indent := 2 + labelWidth + 1
	column := indent
	for i, word := range strings.Split(f.text, " ") {
		width := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+width > lineWidth:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			column = indent
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += width
	}
	b.WriteByte('\n')
}

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
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

// headline says which probe it is, and what it came to.
func (d *textDisplay) headline(s shot) string {
	p, r := s.probe, s.result
	in := p.Spec.Interpretation
	value := fmt.Sprintf("%s %s", in, valueText(in, r))
	what := d.ink.good("ok") + ", " + value
	switch {
	case r.Reason != reasons.OK:
		what = d.ink.bad("FAILED "+r.Reason.String()) + ", " + value
	case !r.Opened: // which has no latency, and a success of 0 would look like a failure
		what = fmt.Sprintf("%s, refused with %d as expected", d.ink.good("ok"), r.HTTPStatus)
	}
	return d.title(p) + "\n  " + what + "\n\n"
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
	gap   bool // between two phases
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

// minGap is the shortest time between two phases that has a row of its own, if it would not be seen on the axis either.
const minGap = time.Millisecond

// withGaps puts a row wherever time went by in no phase, and returns how much more of it there was in all. Between the open
// and the first message a probe listens for what the server says of its own accord. What it does before the close has a label.
func withGaps(all []row, last string, total time.Duration) (filled []row, rest time.Duration) {
	var at time.Duration
	open := false // whether the socket is, and nothing was said yet
	between := func(until time.Duration, label string) {
		gap := probe.Span{Start: at, End: until, State: probe.SpanEnded}
		switch length := gap.Duration(); {
		case length <= 0:
		case length < minGap && length < total/barWidth:
			rest += length
		default:
			filled = append(filled, row{label: label, span: gap, gap: true})
		}
	}
	for _, row := range all {
		label := "(between)"
		switch {
		case at == 0:
			label = "(prepare)"
		case row.close && last != "":
			label = last
		case open && !row.close:
			label = "(listen)"
		}
		between(row.span.Start, label)
		filled = append(filled, row)
		at = max(at, row.span.End)
		open = row.label == probe.PhaseUpgrade.String()
	}
	between(total, "(between)")
	return filled, rest
}

// phaseLines are the waterfall itself. The phase that was not brought to its end is marked on both sides, as
// its length is only the time that went into it. The last line is the sum of the others.
func (d *textDisplay) phaseLines(p config.Probe, r probe.Result) string {
	phases := rows(r)
	if len(phases) == 0 {
		return ""
	}
	total := r.Ended.Sub(r.Started)
	for _, span := range r.Phases {
		total = max(total, span.End)
	}
	last := ""
	switch {
	case d.listens && r.Opened:
		last = "(listen)"
	case p.Spec.StayOpen > 0 && r.Opened:
		last = "(stay)"
	}
	all, rest := withGaps(phases, last, total)
	var b strings.Builder
	for _, row := range all {
		mark, remark, line := " ", "", bar(row.span, total)
		switch {
		case row.gap:
			line = d.ink.faint(strings.ReplaceAll(strings.ReplaceAll(line, "█", "·"), "▏", "·"))
		case row.span.State == probe.SpanBroken && row.close: // which is part of no value, and no failure
			mark, line, remark = d.ink.odd("!"), d.ink.odd(line), " unanswered"
		case row.span.State == probe.SpanBroken:
			mark, line, remark = d.ink.bad("✗"), d.ink.bad(line), d.ink.bad(" failed here")
		}
		fmt.Fprintf(&b, "%s %-*s %9.3f ms  %s%s\n", mark, labelWidth, row.label, probe.Millis(row.span.Duration()), line, remark)
	}
	fmt.Fprintf(&b, "  %-*s %9.3f ms", labelWidth, "total", probe.Millis(total))
	if rest >= time.Microsecond {
		fmt.Fprintf(&b, "  %.3f ms of it between the phases", probe.Millis(rest))
	}
	b.WriteString("\n\n")
	return b.String()
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

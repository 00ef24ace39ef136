package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
)

// ended says who ended the session and how, and what was going on.
func (d *holdText) ended(e heldEvent) error {
	end := e.End
	name := label("CUT", d.ink.bad)
	switch end.Cause {
	case session.ByLifetime:
		name = label("renewal", plain)
	case session.ByStop:
		name = label("stop", plain)
	case session.ByPing, session.ByHeartbeat, session.BySilence, session.ByWrite, session.ByBreach, session.ByMemory:
		name = label("GIVEN UP", d.ink.bad)
	}
	if err := d.line(e.At, name, end.String()); err != nil || end.Cause.Planned() {
		return err
	}
	return d.more(fmt.Sprintf("%s %s; idle for %s in and %s out%s; opens anew in %s",
		end.Reason, end.ErrorType, session.Span(end.IdleIn), session.Span(end.IdleOut), exchanged(end.Totals), session.Span(e.Wait)))
}

// exchanged says what came in a session.
func exchanged(t session.Totals) string {
	said := ""
	for _, of := range []struct {
		n    uint64
		word string
	}{{t.Messages, "message"}, {t.Pongs, "Pong"}, {t.Beats, "heartbeat"}} {
		if of.n > 0 {
			said += ", " + plural(int(of.n), of.word)
		}
	}
	return strings.Replace(said, ",", ";", 1)
}

// explained says what is likely behind the end before. What was said of the end before that is not said again.
func (d *holdText) explained(e heldEvent) error {
	habit := e.Finding.Habit.String()
	text := (&metrics.Session{End: e.End, Finding: e.Finding}).Hint(d.words)
	d.why = text
	if meaning := strings.TrimPrefix(text, habit); meaning != d.meaning {
		d.meaning = meaning
	} else if text != "" {
		text = cmp.Or(habit, "as before")
	}
	if text == "" {
		return nil
	}
	return d.write(strings.Repeat(" ", 14) + label("why", d.ink.bold) + besides(text) + "\n")
}

// sum says what it all came to.
func (d *holdText) sum(t *tally) error {
	var b strings.Builder
	b.WriteByte('\n')
	total := t.ended.Sub(t.began)
	share := 0.0
	if total > 0 {
		share = 100 * float64(t.openFor) / float64(total)
	}
	head := d.ink.good("ok")
	if !t.held() {
		head = d.ink.bad("NOT HELD")
	}
	fmt.Fprintf(&b, "  %s, %s, open for %s of %s (%.4g%%)\n", head, plural(t.sessions, "session"), session.Span(t.openFor), session.Span(total), share)
	for _, f := range holdFacts(t) {
		writeFact(&b, d.ink, f)
	}
	if d.why != "" {
		writeFact(&b, d.ink, fact{"why", d.why})
	}
	return d.write(b.String())
}

// holdFacts are what is known of the whole.
func holdFacts(t *tally) []fact {
	var all []fact
	add := func(name string, said ...string) { all = append(all, fact{name, strings.Join(said, ", ")}) }
	var ends []string
	for _, cause := range session.Causes() {
		if n := t.ends[cause]; n > 0 {
			ends = append(ends, fmt.Sprintf("%d by %s", n, causeWords[cause]))
		}
	}
	if len(ends) > 0 {
		add("ends", ends...)
	}
	if t.failedOpens > 0 {
		add("not open", plural(t.failedOpens, "failed open"))
	}
	if t.longestDown > 0 {
		add("downtime", "longest "+session.Span(t.longestDown))
	}
	if sum := t.totals; t.messages > 0 {
		said := []string{plural(t.messages, "message"), plural(t.bytes, "byte")}
		if sum.Wanted < sum.Messages {
			said = append(said, fmt.Sprintf("%d wanted", sum.Wanted))
		}
		if t.gaps {
			said = append(said, "longest gap "+session.Span(t.longestGap))
		}
		add("messages", append(said, flaws(int64(sum.Lost), int(sum.Repeated), int(sum.Disordered))...)...)
	}
	if path := t.spec.Sequence; path != "" && t.totals.Wanted > 0 && t.numbered == 0 {
		add("sequence", "no wanted message had a number at "+path)
	}
	if path := t.spec.SentAt; path != "" && t.totals.Wanted > 0 && t.ages.n == 0 {
		add("sent at", "no wanted message had a time at "+path)
	}
	for _, spread := range []struct {
		name string
		of   *sample
	}{{"handshake", &t.opens}, {"pong", &t.pings}, {"heartbeat", &t.beats}, {"age", &t.ages}} {
		if spread.of.n > 0 {
			add(spread.name, spreadText(spread.of))
		}
	}
	if t.pinged > 0 {
		add("pings", fmt.Sprintf("%d by the server", t.pinged))
	}
	if missing := int(t.totals.Pings - t.totals.Pongs); missing > 0 {
		add("unanswered", plural(missing, "Ping"))
	}
	return all
}

func spreadText(s *sample) string {
	q := s.quantiles(50, 99)
	return fmt.Sprintf("min %.3f  p50 %.3f  p99 %.3f  max %.3f ms  of %d", probe.Millis(s.least), probe.Millis(q[0]), probe.Millis(q[1]), probe.Millis(s.most), s.n)
}

// causeWords are the causes of ends for people.
var causeWords = map[session.Cause]string{
	session.ByClose: "a close frame", session.ByFIN: "FIN", session.ByReset: "RST", session.ByNetwork: "a failure of the network",
	session.ByPing: "a missing Pong", session.ByHeartbeat: "a missing heartbeat", session.BySilence: "silence",
	session.ByWrite: "a server that does not read", session.ByBreach: "a breach", session.ByMemory: "a lack of memory",
	session.ByLifetime: "renewal", session.ByStop: "the stop",
}

package journal

import (
	"log/slog"
	"slices"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// session tells what is new about a held session. An end is told at once, and its explanation in a line of its own once
// the next open has met something.
func (w *Watch) session(o *metrics.Observation) {
	switch at := o.Session; at.Moment {
	case metrics.SessionOpened:
		w.opened(o)
	case metrics.SessionEnded:
		if at.Planned() {
			w.write(slog.LevelDebug, "session ended: "+at.End.String())
			return
		}
		w.setBack(o)
	case metrics.SessionReported:
		w.reported(o)
	case metrics.SessionExplained:
		w.explained(o)
	}
}

// opened tells that a session is open again, if people know that none was.
func (w *Watch) opened(o *metrics.Observation) {
	level, message := slog.LevelDebug, "session opened"
	if t := w.trouble; t != nil {
		if t.reopen {
			level, message = slog.LevelInfo, "session opened again"
		}
		t.down, t.reopen = false, false
	}
	var facts []slog.Attr
	if down := o.Session.Downtime; down > 0 {
		facts = append(facts, duration("downtime", down))
	}
	w.write(level, message, facts...)
}

// setBack tells of a session that ended although nobody planned it, or of an open that failed.
func (w *Watch) setBack(o *metrics.Observation) {
	at := o.Result.Ended
	if w.trouble == nil || w.trouble.over(at) {
		w.trouble = &trouble{since: at}
	}
	t := w.trouble
	fresh, due := t.add(o)
	message, facts := "session does not open", o.Line()
	if due && !fresh {
		message = "session still does not open"
	}
	if end := o.Session.End; end != nil {
		message = "session ended: " + end.String()
		if due && !fresh {
			message = "sessions still end: " + end.String()
		}
		facts = slices.DeleteFunc(facts, func(a slog.Attr) bool { return a.Key == "detail" || a.Key == "http_status" }) // the message has the one, and 101 is no news
		facts = append(facts, o.SessionLine()...)
	}
	level := slog.LevelDebug
	if t.explain = fresh || due; t.explain {
		level, t.reopen = slog.LevelWarn, true
		facts = append(facts, t.course(t.tell(at))...)
	}
	if wait := o.Session.Wait; wait > 0 {
		facts = append(facts, duration("next_open_in", wait))
	}
	w.write(level, message, facts...)
}

// course says how the trouble went so far, of which so many setbacks are news. There is nothing to say about the first.
func (t *trouble) course(news int) []slog.Attr {
	if t.all == 1 {
		return nil
	}
	return []slog.Attr{slog.Int("setbacks", news), slog.Int("all_setbacks", t.all), slog.Time("since", t.since.UTC())}
}

// explained tells the story behind the last end, if it is news and there is one.
func (w *Watch) explained(o *metrics.Observation) {
	finding, t := o.Session.Finding, w.trouble
	if o.Session.Planned() {
		return
	}
	level := slog.LevelDebug
	if t != nil && t.news(finding) {
		level = slog.LevelInfo
	}
	if said := o.Session.Hint(nil); said != "" {
		w.write(level, "session end explained: "+said, slog.String("verdict", string(finding.Verdict)), slog.Bool("sure", finding.Sure))
	}
}

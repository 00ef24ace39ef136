package journal

import (
	"log/slog"
	"time"

	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
)

// enoughMessages is how many wanted messages must lack a number or a time before people are told.
const enoughMessages = 10

// messages is what a held session looks for in its messages, and what is not told of it yet.
type messages struct {
	sequence, sentAt string // the paths that no message has had so far; empty for none
	seen             int    // wanted messages, until everything was found or enough were seen

	lost, repeated, disordered int64 // lost without those that came late
	spoke                      time.Time
}

// Hold says how the session is held that the Watch follows.
func (w *Watch) Hold(spec *session.Spec) {
	if spec.Sequence != "" || spec.SentAt != "" {
		w.messages = &messages{sequence: spec.Sequence, sentAt: spec.SentAt}
	}
}

// Note takes what happened in a held session.
func (w *Watch) Note(e *session.Event) {
	m := w.messages
	if m == nil || e.Kind != session.Received || !e.Message.Wanted {
		return
	}
	if m.lost += e.Message.Lost; e.Message.Late {
		m.lost = max(0, m.lost-1) // of those that were told, none is taken back
	}
	if e.Message.Repeated {
		m.repeated++
	}
	if e.Message.Disordered {
		m.disordered++
	}
	if m.sequence != "" || m.sentAt != "" {
		w.look(&e.Message)
	}
}

// look tells once which path no message has: a wrong one would count nothing for ever.
func (w *Watch) look(found *session.Message) {
	m := w.messages
	if found.Numbered {
		m.sequence = ""
	}
	if found.Dated {
		m.sentAt = ""
	}
	if m.seen++; m.seen < enoughMessages {
		return
	}
	if m.sequence != "" {
		w.write(slog.LevelWarn, "no message has a number at session.sequence", slog.String("path", m.sequence), slog.Int("messages", m.seen))
	}
	if m.sentAt != "" {
		w.write(slog.LevelWarn, "no message has a time at session.sent_at", slog.String("path", m.sentAt), slog.Int("messages", m.seen))
	}
	m.sequence, m.sentAt = "", ""
}

// reported tells of messages that were lost, which an interval later are more than late. It tells at most once in
// [SumUpEvery], and misses none.
func (w *Watch) reported(o *metrics.Observation) {
	m, at := w.messages, o.Result.Ended
	if m == nil || m.lost == 0 || at.Sub(m.spoke) < SumUpEvery {
		return
	}
	w.write(slog.LevelWarn, "messages lost", slog.Int64("lost", m.lost), slog.Int64("repeated", m.repeated),
		slog.Int64("disordered", m.disordered))
	m.lost, m.repeated, m.disordered, m.spoke = 0, 0, 0, at
}

package journal_test

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
)

// hear tells of so many equal wanted messages.
func (h *holding) hear(times int, m session.Message) {
	m.Wanted = true
	for range times {
		h.watch.Note(&session.Event{Kind: session.Received, Message: m})
	}
}

// report lets an interval pass.
func (h *holding) report() {
	h.now = h.now.Add(time.Minute)
	h.observe(probe.Result{}, metrics.Session{Moment: metrics.SessionReported, Open: true, OK: true})
}

func (h *holding) told() []string {
	if h.out.Len() == 0 {
		return nil
	}
	return h.lines()
}

// TestLostMessagesAreTold: those that are missing at an interval, at once and then every ten minutes, and none twice;
// those that came late after all are not.
func TestLostMessagesAreTold(t *testing.T) {
	h := newHolding(slog.LevelInfo)
	h.watch.Hold(&session.Spec{Sequence: "seq"})
	h.hear(1, session.Message{Numbered: true, Lost: 3})
	h.hear(3, session.Message{Numbered: true, Disordered: true, Late: true})
	h.report()
	if got := h.told(); got != nil {
		t.Errorf("late messages are told: %q", got)
	}
	h.hear(1, session.Message{Numbered: true, Disordered: true}) // it came before its sequence began
	h.hear(1, session.Message{Numbered: true, Lost: 2})
	h.hear(1, session.Message{Numbered: true, Repeated: true})
	for range 21 {
		h.report()
		h.hear(1, session.Message{Numbered: true, Lost: 1})
	}
	want := []string{
		`level=WARN msg="messages lost" lost=2 repeated=1 disordered=4`,
		`level=WARN msg="messages lost" lost=10 repeated=0 disordered=0`,
		`level=WARN msg="messages lost" lost=10 repeated=0 disordered=0`,
	}
	if got := h.told(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestWrongPathsAreTold: a path that none of ten messages has is told, once; one that some have is not.
func TestWrongPathsAreTold(t *testing.T) {
	for name, c := range map[string]struct {
		spec  session.Spec
		first session.Message
		want  []string
	}{
		"neither":    {session.Spec{Sequence: "seq", SentAt: "ts"}, session.Message{}, []string{"WARN no message has a number at session.sequence", "WARN no message has a time at session.sent_at"}},
		"no number":  {session.Spec{Sequence: "seq", SentAt: "ts"}, session.Message{Dated: true}, []string{"WARN no message has a number at session.sequence"}},
		"no time":    {session.Spec{Sequence: "seq", SentAt: "ts"}, session.Message{Numbered: true}, []string{"WARN no message has a time at session.sent_at"}},
		"both":       {session.Spec{Sequence: "seq", SentAt: "ts"}, session.Message{Numbered: true, Dated: true}, nil},
		"none asked": {session.Spec{}, session.Message{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHolding(slog.LevelInfo)
			h.watch.Hold(&c.spec)
			h.hear(1, c.first)
			h.hear(8, session.Message{})
			if got := h.told(); got != nil {
				t.Errorf("nine messages are enough: %q", got)
			}
			h.hear(50, session.Message{})
			if h.out.Len() == 0 && c.want == nil {
				return
			}
			if got := h.messages(); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

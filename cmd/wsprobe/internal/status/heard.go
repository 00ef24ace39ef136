package status

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/probe/session"
)

// heard is the messages of the held sessions of a probe. One goroutine writes it at a time, and answers read it.
type heard struct {
	last                       atomic.Int64 // when the last wanted one came, in ns since 1970; 0 for none
	messages, wanted           atomic.Int64
	lost, repeated, disordered atomic.Int64 // of the sequence; lost without those that came late
}

// Note keeps what came in a held session.
func (e *Entry) Note(happened *session.Event) {
	if happened.Kind != session.Received {
		return
	}
	h, m := e.heard.Load(), &happened.Message
	if h == nil {
		h = new(heard)
		e.heard.Store(h)
	}
	h.messages.Add(1)
	if !m.Wanted {
		return
	}
	h.wanted.Add(1)
	h.last.Store(happened.At.UnixNano())
	if h.lost.Add(m.Lost); m.Late {
		h.lost.Add(-1)
	}
	if m.Repeated {
		h.repeated.Add(1)
	}
	if m.Disordered {
		h.disordered.Add(1)
	}
}

// at is when the last wanted message came; zero for never.
func (h *heard) at() time.Time {
	if h == nil || h.last.Load() == 0 {
		return time.Time{}
	}
	return time.Unix(0, h.last.Load())
}

// Messages are those of the held sessions since the agent started, as the API shows them.
type Messages struct {
	Received   int64 `json:"messages" doc:"data messages that came"`
	Wanted     int64 `json:"wanted_messages" doc:"of these, the wanted ones"`
	Lost       int64 `json:"lost" doc:"numbers of the sequence that are missing, without those that came late"`
	Repeated   int64 `json:"repeated" doc:"numbers of the sequence that came again"`
	Disordered int64 `json:"disordered" doc:"numbers of the sequence that came late"`
}

func (h *heard) view() Messages {
	if h == nil {
		return Messages{}
	}
	return Messages{Received: h.messages.Load(), Wanted: h.wanted.Load(),
		Lost: max(0, h.lost.Load()), Repeated: h.repeated.Load(), Disordered: h.disordered.Load()}
}

// line says for people which messages went wrong, and is empty if none did.
func (h *heard) line() string {
	m, parts := h.view(), []string(nil)
	if m.Lost > 0 {
		parts = append(parts, plural(m.Lost, "message")+" lost")
	}
	if m.Repeated > 0 {
		parts = append(parts, plural(m.Repeated, "message")+" repeated")
	}
	if m.Disordered > 0 {
		parts = append(parts, plural(m.Disordered, "message")+" late")
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, ", ") + " of " + plural(m.Wanted, "message")
}

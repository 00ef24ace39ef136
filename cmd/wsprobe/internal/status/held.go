package status

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// held is what a board keeps of a held session. A new one takes its place when it changes.
type held struct {
	open, ok bool
	changed  time.Time // when open became what it is
	began    time.Time // when the last open that succeeded began, before its first message
	waits    bool      // for messages
	next     time.Time // when the next open begins, while none is open
	opened   int64     // sessions
	cut      int64     // of these, the ones that did not end on purpose
	refused  int64     // opens that failed
	downtime time.Duration
	last     *session.End // not on purpose; nil before the first
	finding  *session.Finding
}

// after is what is known after a moment.
func (h *held) after(o *metrics.Observation) *held {
	s, at := o.Session, o.Result.Ended
	if h != nil && s.Moment == metrics.SessionAnswered && h.open == s.Open && h.ok == s.OK && h.waits == s.Aged {
		return h // the most frequent moment
	}
	var next held
	if h != nil {
		next = *h
	}
	if h == nil || next.open != s.Open {
		next.changed = at
	}
	next.open, next.ok, next.waits = s.Open, s.OK, s.Aged
	switch s.Moment {
	case metrics.SessionOpened:
		next.opened++
		next.began = o.Result.Started
		next.downtime += s.Downtime
		next.next = time.Time{}
	case metrics.SessionEnded:
		next.ended(s, at)
	case metrics.SessionExplained:
		if next.last != nil && s.End.At.Equal(next.last.At) {
			next.finding = s.Finding
		}
	}
	return &next
}

// ended notes the end of a session, or an open that failed.
func (h *held) ended(s *metrics.Session, at time.Time) {
	if !s.Open {
		h.next = at.Add(s.Wait)
	}
	switch {
	case s.End == nil:
		h.refused++
	case !s.Planned():
		h.cut++
		h.last, h.finding = s.End, nil
	}
}

// Session is the held session of a probe, as the API shows it.
type Session struct {
	Open        bool       `json:"open" doc:"a session is open"`
	OK          bool       `json:"ok" doc:"it is also known to do what the probe asks of it: not deaf, and answered"`
	Since       time.Time  `json:"since" doc:"when the session that is open opened, or when the last one ended"`
	LastMessage *time.Time `json:"last_message_at" doc:"when the last wanted message came, of whatever session; null before the first"`
	NextOpen    *time.Time `json:"next_open_at" doc:"when the next open begins; null while a session is open"`

	Sessions      int64   `json:"sessions" doc:"sessions that opened since the agent started"`
	UnplannedEnds int64   `json:"unplanned_ends" doc:"of these, the ones that ended, not on purpose"`
	FailedOpens   int64   `json:"failed_opens" doc:"opens that failed"`
	Downtime      float64 `json:"downtime_ms" doc:"from the ends of sessions to the next opens; what lasts is not in it"`
	Messages

	LastEnd *End `json:"last_end" doc:"the last end that was not on purpose, with its time, its words and the facts of the session; null before the first"`
}

// End is the end of a session, as the API shows it: with the facts of the session by their keys behind these.
type End struct {
	At          time.Time `json:"ended_at"`
	Reason      string    `json:"reason"`
	ErrorType   string    `json:"error_type"`
	CloseCode   int       `json:"close_code"`
	CloseReason string    `json:"close_reason"`
	Text        string    `json:"text"`

	facts metrics.Session
}

// plainEnd is an End without its methods.
type plainEnd End

// MarshalJSON returns the end and the facts as one object.
func (e End) MarshalJSON() ([]byte, error) {
	own, err := json.Marshal(plainEnd(e))
	if err != nil {
		return nil, err
	}
	facts, err := json.Marshal(e.facts)
	if err != nil {
		return nil, err
	}
	return append(append(own[:len(own)-1], ','), facts[1:]...), nil
}

// view shows what is known, nil for a probe that holds no session. The messages may be nil.
func (h *held) view(messages *heard) *Session {
	if h == nil {
		return nil
	}
	s := &Session{Open: h.open, OK: h.ok, Since: h.changed.UTC(), Sessions: h.opened, UnplannedEnds: h.cut, FailedOpens: h.refused,
		Downtime: probe.Millis(h.downtime), LastMessage: known(messages.at()), Messages: messages.view(), NextOpen: known(h.next)}
	if e := h.last; e != nil {
		s.LastEnd = &End{e.At.UTC(), e.Reason.String(), string(e.ErrorType), e.Code, e.CloseReason, e.String(),
			metrics.Session{End: e, Finding: h.finding}}
	}
	return s
}

// behind returns the end that a result tells of, nil if it tells of none.
func (h *held) behind(r *probe.Result) *metrics.Session {
	if h == nil || h.last == nil || r.Reason == reasons.OK || r.Detail != h.last.String() {
		return nil
	}
	return &metrics.Session{End: h.last, Finding: h.finding}
}

// known is a time, nil for none.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}

// lines say for people how the session is, the most telling first.
func (h *held) lines(messages *heard, now time.Time) []string {
	heard := messages.at()
	var all []string
	switch {
	case h.open && h.ok:
		all = append(all, "open for "+span(now.Sub(h.changed)))
	case h.open:
		all = append(all, "open for "+span(now.Sub(h.changed))+", and has not yet done what the last session failed to do")
	case h.next.After(now):
		all = append(all, fmt.Sprintf("not open for %s, next try in %s", span(now.Sub(h.changed)), span(h.next.Sub(now))))
	default:
		all = append(all, "not open for "+span(now.Sub(h.changed))+", being opened")
	}
	switch {
	case !h.open:
	case heard.After(h.began):
		all[0] += ", last message " + ago(now.Sub(heard))
	case h.waits:
		all[0] += ", no message yet"
	}
	if counts := h.counts(); counts != "" {
		all = append(all, counts)
	}
	if wrong := messages.line(); wrong != "" {
		all = append(all, wrong)
	}
	return all
}

// counts sums up what went wrong, and is empty if nothing did.
func (h *held) counts() string {
	var parts []string
	if h.cut > 0 {
		parts = append(parts, plural(h.cut, "unplanned end"))
	}
	if h.refused > 0 {
		parts = append(parts, plural(h.refused, "failed open"))
	}
	if h.downtime > 0 {
		parts = append(parts, session.Span(h.downtime)+" without a session")
	}
	return strings.Join(parts, ", ")
}

// ending tells people of the last end that nobody planned, and why it probably happened.
func (h *held) ending(now time.Time) (told, why string) {
	if h.last == nil {
		return "", ""
	}
	s := metrics.Session{End: h.last, Finding: h.finding}
	return "last one " + ago(now.Sub(h.last.At)) + ": " + h.last.String(), s.Hint(nil)
}

func plural(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprint(n, " ", noun)
}

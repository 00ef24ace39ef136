package session

import (
	"fmt"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/reasons"
)

// underway is the heartbeat under way, or nil. The main connection of a session keeps it, and its others know it.
func (m *machine) underway() *talk {
	if m.group != nil {
		return m.group.talk
	}
	return m.talk
}

// caught are the texts that the exchange caught, by their names.
func (m *machine) caught() map[string]string {
	if m.group == nil {
		return nil
	}
	return m.group.caught
}

// setTalk sets the heartbeat under way.
func (m *machine) setTalk(t *talk) {
	if m.talk = t; m.group != nil {
		m.group.talk, m.group.asked = t, false
	}
}

// speak sends what the heartbeat under way has to say on this connection.
func (m *machine) speak(w *work, now time.Duration) {
	t := m.underway()
	for {
		message, ok := t.speak(int(m.number), m.opened.Add(now), w.late)
		if !ok {
			break
		}
		m.sayMessage(w, message, now)
	}
	if t.problem != nil && m.number == 0 {
		m.breach(w, &frame.Breach{Type: reasons.MessageTooBig, Code: frame.CloseTooBig, Own: true,
			About: say.Sentence("heartbeat: %s", t.problem)}, now)
		return
	}
	m.endBeat(w)
}

// excuse gives a heartbeat back the time for which a step of it waited for this agent.
func (m *machine) excuse(at time.Time) {
	if t := m.underway(); t != nil && t.due(int(m.number)) {
		t.excused += max(0, at.Sub(t.begun))
		t.begun = at
	}
}

// endBeat tells of the heartbeat whose last step has ended.
func (m *machine) endBeat(w *work) {
	if m.talk == nil || !m.talk.over() {
		return
	}
	rtt := m.talk.rtt
	m.beating = false
	m.setTalk(nil)
	m.totals.Beats++
	m.tell(w, Event{Kind: Beat, RTT: rtt})
}

// unheard reports whether the heartbeat waits for another connection that may have the answer already: not everything
// that came there by a time was read. It is then asked for.
func (m *machine) unheard(due time.Duration) bool {
	g := m.group
	if g == nil || m.talk == nil || m.talk.turn.on == int(m.number) || m.talk.over() {
		return false
	}
	if m.talk.said && !g.heard[m.talk.turn.on].Before(m.opened.Add(due)) {
		return false
	}
	g.asked = true
	return true
}

// beatDeadline is when the heartbeat under way ends without an answer, or never.
func (m *machine) beatDeadline() time.Duration {
	switch {
	case !m.beating, m.group != nil && m.group.asked:
		return never
	case m.talk == nil:
		return m.beatAt + m.plan.spec.Heartbeat.Timeout
	default:
		return m.beatAt + m.plan.spec.Heartbeat.Timeout + m.talk.excused
	}
}

// step names the step of the heartbeat under way, if it has several.
func (m *machine) step() string {
	names := m.plan.names
	switch {
	case m.talk == nil || len(m.plan.turns) == 1:
		return ""
	case len(names) == 1:
		return fmt.Sprintf("step %d of %d: ", m.talk.at+1, len(m.plan.turns))
	default:
		return fmt.Sprintf("step %d of %d on %s: ", m.talk.at+1, len(m.plan.turns), names[m.talk.turn.on])
	}
}

// joinEnd ends a session because another of its connections has ended.
func (m *machine) joinEnd(w *work, other *End, at time.Time) {
	if m.state != open {
		return
	}
	now, end := m.begin(w, at), *other
	end.At, end.Lifetime, end.Totals = w.at, now, m.totals
	end.InFlight.Heartbeat = m.beating
	m.tellEnd(w, &end)
	m.sayClose(w, frame.CloseNormal, now, closing)
}

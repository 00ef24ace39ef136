package session

import (
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/reasons"
)

// speak sends what the heartbeat under way has to say.
func (m *machine) speak(w *work, now time.Duration) {
	for m.talk != nil {
		message, ok := m.talk.speak(0, m.opened.Add(now), w.late)
		if !ok {
			break
		}
		m.sayMessage(w, message, now)
	}
	if m.talk != nil && m.talk.problem != nil {
		m.breach(w, &frame.Breach{Type: reasons.MessageTooBig, Code: frame.CloseTooBig, Own: true,
			About: say.Sentence("heartbeat: %s", m.talk.problem)}, now)
		return
	}
	m.endBeat(w)
}

// excuse gives a heartbeat back the time for which a step of it waited for this agent.
func (m *machine) excuse(at time.Time) {
	if m.talk != nil && m.talk.due(0) {
		m.beatAt += max(0, at.Sub(m.talk.begun))
		m.talk.begun = at
	}
}

// endBeat tells of the heartbeat whose last step has ended.
func (m *machine) endBeat(w *work) {
	if m.talk == nil || !m.talk.over() {
		return
	}
	rtt := m.talk.rtt
	m.beating, m.talk = false, nil
	m.totals.Beats++
	m.tell(w, Event{Kind: Beat, RTT: rtt})
}

package session

// tellAll hands the events on.
func (h *holder) tellAll(d *desk) {
	life := &h.member.life
	for i := range d.events {
		e := &d.events[i]
		switch e.Kind {
		case Ended:
			if h.m.number > 0 {
				e.End.Connection = h.extra.name
			}
			if h.m.number > 0 || e.End.Connection == "" { // that of another connection was made fit there
				e.End.CloseReason, e.End.Detail = h.texts.Shown(e.End.CloseReason, e.End.Detail)
			}
			life.noteEnd(e)
			h.extras().wait = e.Wait
			if h.m.group != nil && h.m.number == 0 {
				h.m.group.dismiss(e.End.Cause)
			}
		case RenewalDue:
			life.tell(*e) // first, because the next session can open at once
			h.renew()
			continue
		case Received:
			h.preview(&e.Message)
		}
		life.tell(*e)
	}
}

// preview lets the receiver of a message see its beginning. Most receivers look at few of many messages.
func (h *holder) preview(m *Message) {
	if raw, limit := m.raw, h.m.plan.preview; limit > 0 {
		before := h.extras().before
		m.Beginning = func() string { return h.texts.Beginning(before, raw, limit) }
		h.extra.before = raw
	}
}

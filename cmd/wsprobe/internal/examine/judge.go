package examine

import (
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/probe/session"
)

const (
	// alike is how far two ages may lie apart that one limit ends.
	alike = time.Second
	// moment is how far the ends of one drain may lie apart. The sessions were opened further apart.
	moment = stagger / 3
)

// judge draws the conclusions from the sessions of a report.
type judge struct {
	*Report
	drained []*Session // ended at the same moment, whatever their age
	known   map[*Session]bool
	atOnce  *Session // ended as soon as it was open, as all of them
	atPing  *Session // ended by a Ping
	atSend  *Session // ended by a message
}

// conclude fills in what follows from the sessions.
func (r *Report) conclude() {
	j := &judge{Report: r, known: make(map[*Session]bool)}
	slices.SortStableFunc(r.Sessions, func(a, b *Session) int { return a.opened.Compare(b.opened) })
	j.findAtOnce()
	j.findDrain()
	j.findPings()
	j.findIdle()
	j.findProvoked()
	j.findLifetime()
	j.findOpen()
	r.Findings = j.findings()
}

// findOpen finds the longest time without traffic that a session outlived.
func (j *judge) findOpen() {
	for _, s := range j.Sessions {
		if s.end == nil {
			continue
		}
		outlived := s.end.LongestIdle
		if !s.Cut() || j.Idle == nil { // it did not end because of it
			outlived = max(outlived, s.end.Idle())
		}
		j.Open = max(j.Open, seconds(outlived))
	}
}

// last is the last session of a habit, or nil: the one whose interval was short enough.
func (j *judge) last(h Habit) *Session {
	for _, s := range slices.Backward(j.Sessions) {
		if s.Habit == h && s.end != nil {
			return s
		}
	}
	return nil
}

// cut is the last session of a habit if it was ended from the other side, for a reason that is still to be found.
func (j *judge) cut(h Habit) *Session {
	if s := j.last(h); s != nil && s.Cut() && !j.known[s] {
		return s
	}
	return nil
}

// findAtOnce finds that every session ends as soon as it is open.
func (j *judge) findAtOnce() {
	for _, s := range j.Sessions {
		if s.end != nil && (!s.Cut() || s.end.Lifetime > glance) {
			return
		}
	}
	if j.atOnce = j.cut(Idle); j.atOnce == nil {
		return
	}
	for _, s := range j.Sessions {
		j.known[s] = true
	}
}

// findDrain finds sessions of several ages that ended at the same moment, with no other session that went on.
func (j *judge) findDrain() {
	for _, first := range j.Sessions {
		if !first.Cut() || j.known[first] {
			continue
		}
		var together []*Session
		least, most := first.end.Lifetime, first.end.Lifetime
		outlived := false
		for _, s := range j.Sessions {
			switch {
			case s.end == nil:
			case s.Cut() && s.end.At.Sub(first.end.At).Abs() <= moment:
				together = append(together, s)
				least, most = min(least, s.end.Lifetime), max(most, s.end.Lifetime)
			case s.opened.Before(first.end.At) && s.end.At.After(first.end.At):
				outlived = true
			}
		}
		if !outlived && most-least > stagger/2 {
			j.drained = together
			for _, s := range together {
				j.known[s] = true
			}
			return
		}
	}
}

// findPings finds the server's Pings, and what becomes of a client that leaves them unanswered.
func (j *judge) findPings() {
	seen := j.last(Idle)
	if mute := j.last(NoPongs); seen == nil || mute != nil && mute.Pinged > seen.Pinged {
		seen = mute
	}
	if seen == nil || seen.Pinged == 0 {
		return
	}
	p := &ServerPings{First: seconds(seen.firstPing)}
	if seen.Pinged > 1 {
		p.Every = seconds((seen.lastPing - seen.firstPing) / time.Duration(seen.Pinged-1))
	}
	j.ServerPings = p
	mute, idle := j.cut(NoPongs), j.last(Idle)
	if mute == nil || mute.Pinged == 0 || idle != nil && idle.Cut() && idle.end.Lifetime < mute.end.Lifetime+alike {
		return
	}
	j.known[mute] = true
	p.Ends, p.Ending = new(mute.Lifetime), mute.ending()
}

func (s *Session) ending() Ending { return Ending{s.EndedBy, s.Code, s.Reason} }

// quiet is the time without traffic that may have ended a session. A server may talk meanwhile, and still count only the
// words of the client.
func (s *Session) quiet() (time.Duration, bool) {
	if s.end.Totals.BytesOut == 0 {
		return s.end.IdleOut, true
	}
	return s.end.Idle(), s.end.Idle() > s.end.LongestIdle+alike/2
}

// findIdle finds the limit on the time without traffic, and what keeps a session from it.
func (j *judge) findIdle() {
	s := j.cut(Idle)
	if s == nil {
		return
	}
	after, ok := s.quiet()
	if !ok {
		return
	}
	l := &IdleLimit{After: seconds(after), Most: seconds(after), Ending: s.ending(), Sessions: 1, Owners: []string{}, Settings: []string{}}
	mute := j.cut(NoPongs)
	if mute != nil {
		if also, ok := mute.quiet(); ok && mute.ending() == l.Ending {
			l.Sessions++
			l.After, l.Most = seconds(min(after, also)), seconds(max(after, also))
		} else {
			mute = nil
		}
	}
	longest := l.Most.Duration()
	l.Pings, l.Messages = j.outlives(Pings, longest), j.outlives(Messages, longest)
	if no(l.Pings) && no(l.Messages) {
		return // a limit on the age ends all of them
	}
	if s.Messages == 0 { // the limits of the table are on the silence of both sides
		l.Owners = j.owners(l.Ending, after, session.IdleLimit, session.LifetimeLimit)
		l.Settings = j.settings(l.Ending, session.IdleLimit)
	}
	l.Sure = yes(l.Pings) || yes(l.Messages)
	j.Idle = l
	j.known[s] = true
	if mute != nil {
		j.known[mute] = true
	}
	for _, h := range []Habit{Pings, Messages} {
		if other := j.cut(h); other != nil && other.end.Lifetime < longest+alike {
			j.known[other] = true
		}
	}
}

func no(answer *bool) bool  { return answer != nil && !*answer }
func yes(answer *bool) bool { return answer != nil && *answer }

// outlives reports whether what a session says has kept it open longer than an idle limit. It is nil if that is not
// known.
func (j *judge) outlives(h Habit, limit time.Duration) *bool {
	s := j.last(h)
	switch {
	case s == nil || slices.Contains(j.drained, s) || !s.said():
		return nil
	case s.end.Lifetime > limit+max(alike, limit/20):
		return new(true)
	case s.Cut():
		return new(false)
	default:
		return nil
	}
}

// findProvoked finds sessions that ended at once behind what they said.
func (j *judge) findProvoked() {
	provoked := func(h Habit, unanswered func(*session.End) bool) *Session {
		s := j.cut(h)
		if s == nil || !s.said() || !unanswered(s.end) || s.end.IdleOut > alike {
			return nil
		}
		if idle := j.last(Idle); idle == nil || idle.end.Lifetime < s.end.Lifetime+alike {
			return nil // nothing tells it from another end
		}
		j.known[s] = true
		return s
	}
	j.atPing = provoked(Pings, func(e *session.End) bool { return e.InFlight.Ping && e.Totals.Pongs == 0 })
	j.atSend = provoked(Messages, func(e *session.End) bool { return e.InFlight.Heartbeat && e.Totals.Beats == 0 })
}

// findLifetime finds an age that no session outlived, although there was traffic.
func (j *judge) findLifetime() {
	var cut []*Session
	for _, h := range []Habit{Messages, Pings, Idle, NoPongs} {
		if s := j.cut(h); s != nil {
			cut = append(cut, s)
		}
	}
	if len(cut) == 0 {
		return
	}
	age := cut[0].end.Lifetime
	for _, s := range j.Sessions {
		if s.end != nil && s.end.Lifetime > age+alike {
			return
		}
	}
	for _, s := range cut {
		if (s.end.Lifetime - age).Abs() > alike {
			return
		}
	}
	for _, s := range cut {
		j.known[s] = true
	}
	l := &LifetimeLimit{After: seconds(age), Ending: cut[0].ending()}
	l.Owners = j.owners(l.Ending, age, session.LifetimeLimit)
	j.Lifetime = l
}

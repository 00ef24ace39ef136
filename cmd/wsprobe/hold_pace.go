package main

import (
	"time"

	"github.com/wsprobe/wsprobe/probe/session"
)

// ownLines is how many messages of a second have a line of their own. A second after one with more has none of them.
const ownLines = 5

// pace decides which events have a line of their own, so that a flood of messages does not flood the terminal.
type pace struct {
	every, quiet bool

	until    time.Time // end of the second under way
	messages int       // of this second
	pings    int       // of the server, likewise
	crowded  bool      // the second before had too many
	crowd    crowd     // those of this second without a line
	beat     time.Time // when the last heartbeat was answered
}

// crowd is messages that have no line of their own.
type crowd struct {
	from, until                          time.Time
	messages, wanted, repeated, disorder int
	bytes, lost                          int64
	oldest                               time.Duration // the greatest age, if dated
	dated                                bool
	more                                 bool // there were others in this second, which had lines
}

func (c *crowd) add(m session.Message) {
	c.messages++
	c.bytes += int64(m.Size)
	c.lost += m.Lost
	c.wanted += count(m.Wanted)
	c.repeated += count(m.Repeated)
	c.disorder += count(m.Disordered)
	if m.Dated && (!c.dated || m.Age > c.oldest) {
		c.oldest, c.dated = m.Age, true
	}
}

// count is 1 if something is so.
func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// note reports whether an event has a line of its own. The messages that were counted until now are to be shown before.
func (p *pace) note(e heldEvent) (counted crowd, alone bool) {
	switch e.Kind {
	case session.Received:
		return p.message(e)
	case session.Beat:
		p.beat = e.At
		return crowd{}, !p.quiet
	case session.Ponged:
		return crowd{}, !p.quiet
	case session.Pinged:
		counted = p.roll(e.At)
		p.pings++
		return counted, !p.quiet && p.pings <= ownLines
	case session.Ended:
		return p.take(e.At), true
	default:
		return crowd{}, true
	}
}

func (p *pace) message(e heldEvent) (counted crowd, alone bool) {
	switch answer := !e.Message.Wanted && e.At.Equal(p.beat); { // the heartbeat had a line
	case answer, p.quiet && !flawed(e.Message):
		return crowd{}, false
	case p.every:
		return crowd{}, true
	}
	counted = p.roll(e.At)
	if p.messages++; !p.crowded && p.messages <= ownLines {
		return counted, true
	}
	p.crowd.add(e.Message)
	return counted, false
}

// flawed reports whether a message shows that others are missing, or should not have come.
func flawed(m session.Message) bool { return m.Lost > 0 || m.Repeated || m.Disordered }

// roll begins the next second if this one is over, and returns what was counted in it.
func (p *pace) roll(now time.Time) crowd {
	if now.Before(p.until) {
		return crowd{}
	}
	counted := p.take(now)
	p.crowded = p.messages > ownLines
	p.messages, p.pings, p.until = 0, 0, now.Add(time.Second)
	return counted
}

// take returns what was counted, and counts anew.
func (p *pace) take(now time.Time) crowd {
	counted := p.crowd
	counted.until, counted.more = now, !p.crowded
	p.crowd = crowd{from: now}
	return counted
}

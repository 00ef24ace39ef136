package session

import (
	"fmt"
	"strings"
	"time"
)

// ledger checks that events tell each thing once, in order, and with times that fit together.
type ledger struct {
	opened, ended, closed int
	waiting               []*End // not yet explained
	opens                 []time.Time
	problems              []string
}

func (b *ledger) complain(format string, args ...any) {
	b.problems = append(b.problems, fmt.Sprintf(format, args...))
}

// note checks an event.
func (b *ledger) note(e Event) {
	switch e.Kind {
	case Opened:
		if b.opened++; b.opened-b.closed > 2 {
			b.complain("%d connections at a time", b.opened-b.closed)
		}
		b.opens = append(b.opens, e.At)
	case Ended:
		b.noteEnd(e)
	case Closed:
		if b.closed++; b.closed > b.ended {
			b.complain("closed before it ended")
		}
	case Explained:
		if e.End == nil || len(b.waiting) == 0 || b.waiting[len(b.waiting)-1] != e.End {
			b.complain("an end is explained that is not the last one")
		}
		b.waiting = nil
	}
}

func (b *ledger) noteEnd(e Event) {
	if b.ended++; b.ended > b.opened {
		b.complain("ended before it opened")
		return
	}
	end, open := e.End, b.opens[b.ended-1]
	b.waiting = append(b.waiting, end)
	if !end.At.Equal(e.At) || end.At.Sub(open) != end.Lifetime {
		b.complain("lifetime %v, but %v between the events", end.Lifetime, end.At.Sub(open))
	}
	if end.IdleIn < 0 || end.IdleOut < 0 || max(end.IdleIn, end.IdleOut, end.SinceMessage, end.SinceWanted, end.LongestIdle) > end.Lifetime {
		b.complain("times that cannot be: %+v", *end)
	}
	n := end.Totals
	if n.Pongs > n.Pings || n.Wanted > n.Messages || end.InFlight.Ping && n.Pings == n.Pongs && end.Connection == "" {
		b.complain("numbers that cannot be: %+v", n)
	}
}

// verdict returns the problems. Every session has been held to its end.
func (b *ledger) verdict() string {
	if b.opened != b.ended || b.ended != b.closed {
		b.complain("%d opened, %d ended, %d closed", b.opened, b.ended, b.closed)
	}
	return strings.Join(b.problems, "; ")
}

package session

import "time"

// Limit is a kind of limit that ends sessions.
type Limit string

// The limits. NoLimit is the zero value.
const (
	NoLimit       Limit = ""
	IdleLimit     Limit = "idle"     // on the time without traffic
	LifetimeLimit Limit = "lifetime" // on the time since the open
)

// Habit is what the last ends of a probe have in common: Ends of them, all alike, came After the same time, give or take
// half a second. The zero value is no habit.
type Habit struct {
	Limit Limit
	After time.Duration
	Ends  int
}

const (
	// habitEnds is how many ends are remembered, and minHabit how many of them make a habit.
	habitEnds = 5
	minHabit  = 3
	// habitWidth is how far the times of a habit may lie apart.
	habitWidth = time.Second
	// minIdle is the shortest time without traffic that is taken for a limit.
	minIdle = 2 * time.Second
)

// history remembers the last end, and those that were the server's doing, the latest first.
type history struct {
	last  *End      // nil if all was told about it
	ended time.Time // when that was; zero if the session after it opened first
	ends  [habitEnds]past
	n     int
}

// past is what is remembered of an end.
type past struct {
	cause      Cause
	code       int
	idle, life time.Duration
	quiet      bool // the session had not outlived such a time without traffic
}

// note remembers an end.
func (h *history) note(end *End) {
	if end.Cause != ByClose && end.Cause != ByFIN && end.Cause != ByReset {
		return
	}
	copy(h.ends[1:], h.ends[:])
	h.ends[0] = past{end.Cause, end.Code, end.Idle(), end.Lifetime, quiet(end)}
	if end.late() {
		h.ends[0].life = 0
	}
	h.n = min(h.n+1, habitEnds)
}

// quiet reports whether the time without traffic can have ended the session: it was the longest one.
func quiet(end *End) bool {
	return !end.late() && end.Idle() >= minIdle && end.Idle() > end.LongestIdle+habitWidth/2
}

// habit finds what the last ends have in common. An idle limit is the better explanation if both fit.
func (h *history) habit() Habit {
	idle := h.run(IdleLimit, func(p past) (time.Duration, bool) { return p.idle, p.quiet })
	life := h.run(LifetimeLimit, func(p past) (time.Duration, bool) { return p.life, p.life >= minIdle })
	if idle.Ends >= life.Ends {
		return idle
	}
	return life
}

// run is the habit of the latest ends that share a time.
func (h *history) run(limit Limit, of func(past) (time.Duration, bool)) Habit {
	var least, most time.Duration
	ends := 0
	for _, p := range h.ends[:h.n] {
		at, fits := of(p)
		if !fits || p.cause != h.ends[0].cause || p.code != h.ends[0].code {
			break
		}
		lower, upper := min(least, at), max(most, at)
		if ends == 0 {
			lower, upper = at, at
		}
		if upper-lower > habitWidth {
			break
		}
		least, most = lower, upper
		ends++
	}
	if ends < minHabit {
		return Habit{}
	}
	return Habit{Limit: limit, After: least + (most-least)/2, Ends: ends}
}

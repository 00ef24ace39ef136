package telemetry

import (
	"sync"
	"time"
)

const (
	// tick is the precision of back ends: Prometheus cuts times to the millisecond, and keeps one sample of a series in each.
	tick = time.Millisecond
	// maxNudge is how far the time of a point may be moved to keep the order. A point that is further off tells of a clock
	// that was set back, and keeps its time.
	maxNudge = time.Second
)

// timeline gives points the times at which they are exported, so that the requests of this agent never overlap and
// never go back: none begins before the newest point of the one before. Prometheus refuses a request that does,
// whole, because it writes target_info at the earliest and at the latest time of each request.
//
// A clock that was set back breaks the order, because times stay true. The timeline then says so.
//
// One goroutine uses it, but for behind.
type timeline struct {
	newest time.Time // of the points since the clock was set back last; no later point may be older
	latest time.Time // of all points

	mu   sync.Mutex
	back time.Duration // how far the clock is behind latest; 0 if it is not
}

// observe compares the clock with what was exported. It returns whether the clock has begun, or ceased, to be behind.
func (t *timeline) observe(now time.Time) (changed bool) {
	if t.newest.Sub(now) > maxNudge {
		t.newest = time.Time{}
	}
	back := t.latest.Sub(now)
	if t.latest.IsZero() || back <= maxNudge {
		back = 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	changed = (back > 0) != (t.back > 0)
	t.back = back
	return changed
}

// behind is how far the clock is behind the latest time that was exported, as of the last collection; 0 if it is not.
func (t *timeline) behind() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.back
}

// fit returns the time of a point: its own, or the newest one so far if that is a little later.
func (t *timeline) fit(own time.Time) time.Time {
	if early := t.newest.Sub(own); early > 0 && early <= maxNudge {
		return t.newest
	}
	return own
}

// next returns the time of cumulative points: a horizon, or a tick after everything that was exported if that is a little
// later.
func (t *timeline) next(horizon time.Time) time.Time {
	first := t.newest.Add(tick)
	switch {
	case t.newest.Sub(horizon) > maxNudge:
		t.newest = horizon
	case horizon.Before(first):
		horizon = first
	}
	t.note(horizon)
	return horizon
}

// note takes notice of a point that is exported.
func (t *timeline) note(at time.Time) {
	if at.After(t.newest) {
		t.newest = at
	}
	if at.After(t.latest) {
		t.latest = at
	}
}

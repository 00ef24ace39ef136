package agent

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

const (
	// lookEvery is the longest time between two looks at the windows, so that a clock that was set counts within it.
	lookEvery = 15 * time.Second
	// fewProbes is how many probes are told of one by one whose maintenance begins or ends at the same time.
	fewProbes = 5
	// breath is how many probes are looked at before their results go on being exported.
	breath = 500
)

// skipMaintenance is the cause of runs that are skipped because an endpoint in maintenance holds the run before up. That
// is no fault of the agent.
const skipMaintenance = "maintenance"

// keeper looks when the maintenance windows of probes begin and end. One goroutine does so for all of them.
type keeper struct {
	wake chan struct{} // holds a value when the probes are others

	mu      sync.Mutex
	members []*member // those with windows, and those that had some
}

func newKeeper() *keeper { return &keeper{wake: make(chan struct{}, 1)} }

// keep replaces the probes.
func (k *keeper) keep(members map[string]*member) {
	var kept []*member
	for _, m := range members {
		if m.keeps() {
			kept = append(kept, m)
		}
	}
	slices.SortFunc(kept, func(a, b *member) int { return int(a.generation) - int(b.generation) })
	k.mu.Lock()
	k.members = kept
	k.mu.Unlock()
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// run looks until ctx ends: at each change, and when the probes are others.
func (k *keeper) run(ctx context.Context, log *slog.Logger) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.wake:
		case <-timer.C:
		}
		timer.Reset(k.look(log))
	}
}

// change is that the maintenance of a probe has begun or ended.
type change struct {
	probe  string
	within bool
	until  time.Time // zero for no end
}

// look has each probe take notice of the time, and tells of those whose maintenance has begun or ended. It returns the
// time until the next look.
func (k *keeper) look(log *slog.Logger) time.Duration {
	k.mu.Lock()
	members := k.members
	k.mu.Unlock()
	now := time.Now()
	next := now.Add(lookEvery)
	changes := make(map[bool][]change)
	for i, m := range members {
		if c, changed := m.maintain(time.Now()); changed {
			changes[c.within] = append(changes[c.within], c)
		}
		if at, ok := m.next(now); ok && at.Before(next) {
			next = at
		}
		if i%breath == breath-1 {
			time.Sleep(time.Millisecond)
		}
	}
	tell(log, "maintenance ended", changes[false])
	tell(log, "maintenance began", changes[true])
	return max(time.Until(next), time.Millisecond)
}

// tell writes a line for each probe, or one for all if they are many.
func tell(log *slog.Logger, message string, changes []change) {
	if len(changes) > fewProbes {
		log.Info(message, "probes", len(changes), "first", changes[0].probe, "last", changes[len(changes)-1].probe)
		return
	}
	for _, c := range changes {
		facts := []any{"probe", c.probe}
		if !c.until.IsZero() {
			facts = append(facts, "until", c.until.UTC())
		}
		log.Info(message, facts...)
	}
}

// keeps reports whether the keeper has something to look at.
func (m *member) keeps() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.windows != nil || m.rest != metrics.NoWindows
}

// next returns when the next window begins or ends.
func (m *member) next(now time.Time) (time.Time, bool) {
	m.mu.Lock()
	windows := m.windows
	m.mu.Unlock()
	return windows.Next(now)
}

// maintain takes notice of a window that has begun or ended, or that there are none any more. At both ends health,
// failures in a row and the log begin anew. It reports whether maintenance has begun or ended.
func (m *member) maintain(now time.Time) (change, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	is := metrics.NoWindows
	if m.windows != nil {
		is = metrics.Outside
		if m.windows.At(now) {
			is = metrics.Within
		}
	}
	if m.left || is == m.rest {
		return change{}, false
	}
	was := m.rest
	m.rest = is
	m.series.Maintain(now, is)
	if is != metrics.Within && was != metrics.Within {
		return change{}, false
	}
	m.health.pause()
	m.watch.EndMaintenance()
	return change{probe: m.identity.Name(), within: is == metrics.Within, until: m.windows.Until(now)}, true
}

// maintained reports whether a result is one of maintenance: that of a run which began or ended in a window, or a moment
// of a session in one. The caller holds the lock.
func (m *member) maintained(r *probe.Result, session bool) bool {
	return m.rest == metrics.Within || m.windows.At(r.Ended) || !session && m.windows.At(r.Started)
}

package telemetry

import (
	"slices"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// noted is a run that waits for a collection.
type noted struct {
	series *Series
	at     time.Time // of its points; the collection gives it
	later  bool      // a copy of it waits for a later collection
	metrics.Run
}

// manyRuns is how many runs are a request or two, so that it makes no sense to let them wait for others.
const manyRuns = 500

// pending holds the runs that wait for a collection, at most limit of them. Many ask for a collection ahead of time,
// so that they take little memory, and have to go only if collections cannot keep up.
type pending struct {
	limit int
	many  chan struct{}    // holds a value when there are manyRuns, or half of the limit
	first chan struct{}    // holds a value when there is the first run of all
	drop  func(points int) // called with the points of each run that has to go

	mu      sync.Mutex
	runs    []noted // a ring once it is full
	oldest  int
	spare   []noted
	order   []*noted
	any     bool                  // there was a run
	closing map[*Series]time.Time // the ends of runs that are still in their close handshake
}

func newPending(limit int, drop func(points int)) *pending {
	return &pending{
		limit: limit, drop: drop, many: make(chan struct{}, 1), first: make(chan struct{}, 1), closing: make(map[*Series]time.Time),
	}
}

// fix notes the end of a run that is added later, after its close handshake. Without a pending, nothing waits.
func (p *pending) fix(s *Series, ended time.Time) {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.closing[s] = ended.Round(0)
	p.mu.Unlock()
}

// abandon forgets a run that was fixed and is never added.
func (p *pending) abandon(s *Series) {
	if p == nil {
		return
	}
	p.mu.Lock()
	delete(p.closing, s)
	p.mu.Unlock()
}

// waiting returns the series of which a run waits for the next collection.
func (p *pending) waiting() map[*Series]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	waiting := make(map[*Series]bool)
	for i := range p.runs {
		waiting[p.runs[i].series] = true
	}
	return waiting
}

// add appends a run, in place of the oldest one if there is no room.
func (p *pending) add(r noted) { p.put(r, true) }

// put is add for what may not be a run. Only a run that was fixed ends the wait for it.
func (p *pending) put(r noted, run bool) {
	if p == nil {
		return
	}
	p.mu.Lock()
	if run {
		delete(p.closing, r.series)
	}
	if n := len(p.runs); n < p.limit {
		p.runs = append(p.runs, r)
		first := !p.any
		p.any = true
		p.mu.Unlock()
		if n == min(manyRuns, p.limit/2) {
			signal(p.many)
		}
		if first {
			signal(p.first)
		}
		return
	}
	dropped := p.runs[p.oldest].Count()
	p.runs[p.oldest] = r
	p.oldest = (p.oldest + 1) % p.limit
	p.mu.Unlock()
	p.drop(dropped)
}

// take calls stamp and then each with all runs up to the horizon, and forgets them. The horizon is now, or the end of
// the first run that is still in its close handshake: what comes later has ended later. Each is called in the order of
// the times that stamp gave. Runs can be added meanwhile: the two slices take turns, so that no memory is asked for
// once they are as long as an interval needs. It must not be called by two goroutines at once.
func (p *pending) take(stamp, each func(*noted)) (horizon time.Time) {
	taken, oldest, horizon := p.swap()
	p.order = p.order[:0]
	for i := range taken {
		if r := &taken[(oldest+i)%len(taken)]; !r.later {
			stamp(r)
			p.order = append(p.order, r)
		}
	}
	slices.SortStableFunc(p.order, func(a, b *noted) int { return a.at.Compare(b.at) })
	for _, r := range p.order {
		each(r)
	}
	clear(p.order)
	clear(taken) // let go of the series
	p.mu.Lock()
	p.spare = taken[:0]
	p.mu.Unlock()
	return horizon
}

// swap takes the runs away, but for those after the horizon, which stay. A run that ended later
// than now was timed by a clock that has been set back since; nothing that comes could be before it, so it goes.
func (p *pending) swap() (taken []noted, oldest int, horizon time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now().Round(0)
	horizon = now
	for _, ended := range p.closing {
		if ended.Before(horizon) {
			horizon = ended
		}
	}
	taken, oldest = p.runs, p.oldest
	p.runs, p.oldest, p.spare = p.spare[:0], 0, nil
	for i := range taken {
		if r := &taken[(oldest+i)%len(taken)]; r.Ended.After(horizon) && !r.Ended.After(now) {
			p.runs = append(p.runs, *r)
			r.later = true
		}
	}
	return taken, oldest, horizon
}

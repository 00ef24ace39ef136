package telemetry

import (
	"slices"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/reasons"
)

// run is what the points of one run are made of, without the texts of its result.
type run struct {
	series               *Series
	started, ended       time.Time // without their monotonic part: these are the times that are exported
	at                   time.Time // of its points, which is mostly the end
	reason               reasons.Code
	handshake, roundTrip time.Duration
	opened, replied      bool
	status               probehealth.Status // Unknown for none
	streak               uint32             // failed runs in a row, this one included
	phases               probe.Phases
	certified            bool    // a certificate was seen
	timeLeft             float64 // until it expires, in seconds
	later                bool    // a copy of it waits for a later collection
}

func newRun(s *Series, r probe.Result, status probehealth.Status) run {
	noted := run{
		series: s, started: r.Started.Round(0), ended: r.Ended.Round(0), at: r.Ended.Round(0), reason: r.Reason,
		handshake: r.Handshake, opened: r.Opened, roundTrip: r.RoundTrip, replied: r.Replied,
		status: status, phases: r.Phases,
	}
	if noted.certified = !r.CertificateExpiry.IsZero(); noted.certified {
		// Not as a time.Duration, which ends after 292 years: "no expiry" is written as the year 9999 (RFC 5280 4.1.2.5).
		noted.timeLeft = float64(r.CertificateExpiry.UnixMilli()-r.Ended.UnixMilli()) / 1000
	}
	return noted
}

// points is the number of data points of the run.
func (r *run) points() int {
	n := 2 // connection_success, success
	if r.opened {
		n++
	}
	if r.replied {
		n++
	}
	if r.certified {
		n++
	}
	if r.status != probehealth.Unknown {
		n++
	}
	for _, span := range r.phases {
		if span.State == probe.SpanEnded {
			n++
		}
	}
	return n
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
	runs    []run // a ring once it is full
	oldest  int
	spare   []run
	order   []*run
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
func (p *pending) add(r run) {
	if p == nil {
		return
	}
	p.mu.Lock()
	delete(p.closing, r.series)
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
	dropped := p.runs[p.oldest].points()
	p.runs[p.oldest] = r
	p.oldest = (p.oldest + 1) % p.limit
	p.mu.Unlock()
	p.drop(dropped)
}

// take calls stamp and then each with all runs up to the horizon, and forgets them. The horizon is now, or the end of the
// first run that is still in its close handshake: what comes later has ended later. Each is called in the order of the times
// that stamp gave. Runs can be added meanwhile: the two slices take turns, so that no memory is asked for once they are
// as long as an interval needs. It must not be called by two goroutines at once.
func (p *pending) take(stamp, each func(*run)) (horizon time.Time) {
	taken, oldest, horizon := p.swap()
	p.order = p.order[:0]
	for i := range taken {
		if r := &taken[(oldest+i)%len(taken)]; !r.later {
			stamp(r)
			p.order = append(p.order, r)
		}
	}
	slices.SortStableFunc(p.order, func(a, b *run) int { return a.at.Compare(b.at) })
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
func (p *pending) swap() (taken []run, oldest int, horizon time.Time) {
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
		if r := &taken[(oldest+i)%len(taken)]; r.ended.After(horizon) && !r.ended.After(now) {
			p.runs = append(p.runs, *r)
			r.later = true
		}
	}
	return taken, oldest, horizon
}

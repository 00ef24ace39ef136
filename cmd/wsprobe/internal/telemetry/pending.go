package telemetry

import (
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/reasons"
)

// run is what the points of one run are made of, without the texts of its result.
type run struct {
	series               *Series
	started, ended       time.Time
	reason               reasons.Code
	handshake, roundTrip time.Duration
	opened, replied      bool
	status               probehealth.Status // Unknown for none
	phases               probe.Phases
	certified            bool    // a certificate was seen
	timeLeft             float64 // until it expires, in seconds
}

func newRun(s *Series, r probe.Result, status probehealth.Status) run {
	noted := run{
		series: s, started: r.Started, ended: r.Ended, reason: r.Reason,
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
	n := 1 // connection_success
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

	mu     sync.Mutex
	runs   []run // a ring once it is full
	oldest int
	spare  []run
	any    bool // there was a run
}

func newPending(limit int, drop func(points int)) *pending {
	return &pending{limit: limit, drop: drop, many: make(chan struct{}, 1), first: make(chan struct{}, 1)}
}

// add appends a run, in place of the oldest one if there is no room. Without a pending, nothing waits.
func (p *pending) add(r run) {
	if p == nil {
		return
	}
	p.mu.Lock()
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

// take calls each with all runs, oldest first, and forgets them. Runs can be added meanwhile: the two slices
// take turns, so that no memory is asked for once they are as long as an interval needs. It must not be
// called by two goroutines at once.
func (p *pending) take(each func(*run)) {
	p.mu.Lock()
	taken, oldest := p.runs, p.oldest
	p.runs, p.oldest, p.spare = p.spare[:0], 0, nil
	p.mu.Unlock()
	for i := range taken {
		each(&taken[(oldest+i)%len(taken)])
	}
	clear(taken) // let go of the series
	p.mu.Lock()
	p.spare = taken[:0]
	p.mu.Unlock()
}

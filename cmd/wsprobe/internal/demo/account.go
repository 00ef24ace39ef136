package demo

import (
	"context"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
)

// Names of the metrics and attributes that the account reads. They are written here once more, and not
// taken from package telemetry, because a back end knows no more of wsprobe than what goes over the wire.
const (
	metricHandshake = "wsprobe.handshake_latency"
	metricRoundTrip = "wsprobe.round_trip_latency"
	metricSuccess   = "wsprobe.connection_success"
	metricRuns      = "wsprobe.runs"

	metricSession  = "wsprobe.session.duration"
	metricMessages = "wsprobe.session.message.received"
	metricDowntime = "wsprobe.session.downtime"

	keyName      = "wsprobe.name"
	keyReason    = "wsprobe.reason"
	keyErrorType = "error.type"
	keyEnd       = "wsprobe.session.end"
	keyMessage   = "wsprobe.session.message.kind"

	reasonOK = "ok"
)

// Account is what a back end knows about the endpoints: from the points that it received, and from nothing else.
// Its methods may be called by several goroutines.
type Account struct {
	endpoints []Endpoint

	mu     sync.Mutex
	series map[string]*series // by the probe's name
	totals totals
}

// totals count what was received.
type totals struct {
	requests, points, runs int
	good                   int // runs without a reason
	intended               int // runs that failed in a way that their endpoint promises
	unexpected             int // runs that failed in another way
}

// NewAccount begins an account of the endpoints. Points of other probes are counted but not shown.
func NewAccount(endpoints []Endpoint) *Account {
	a := &Account{endpoints: endpoints, series: make(map[string]*series)}
	for _, e := range endpoints {
		a.series[e.Name] = newSeries(e.Outcomes)
		if e.Session != nil {
			a.series[e.Name].held = &held{ends: make(map[string]uint64)}
		}
	}
	return a
}

// Receiver returns a receiver that accepts everything and tells the account.
func (a *Account) Receiver() *receiver.Receiver {
	return &receiver.Receiver{
		Point: a.Point,
		Answer: func(context.Context, *receiver.Request) (*receiver.PartialSuccess, error) {
			a.Request()
			return nil, nil
		},
	}
}

// Request notes that an export request came.
func (a *Account) Request() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.totals.requests++
}

// Point takes a point to account.
func (a *Account) Point(p receiver.Point) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.totals.points++
	s := a.series[text(p, keyName)]
	if s == nil || p.NoValue || s.held != nil && s.held.take(p) {
		return
	}
	switch p.Metric {
	case metricHandshake:
		if r := s.at(p.Time); r != nil {
			r.handshake = measured(p.Value)
		}
	case metricRoundTrip:
		if r := s.at(p.Time); r != nil {
			r.roundTrip = measured(p.Value)
		}
	case metricSuccess:
		if r := s.at(p.Time); r != nil && r.reason == "" {
			if r.reason = text(p, keyReason); s.held != nil && r.reason == reasonOK {
				r.handshake, r.roundTrip = s.held.open, s.held.before(p.Time)
			}
			a.count(s, r)
		}
	case metricRuns:
		s.tell(text(p, keyReason), text(p, keyErrorType), p.Value)
	}
}

// count counts a run: once, when its connection_success is there, which no run is without. What is told of a held
// session is none.
func (a *Account) count(s *series, r *run) {
	s.runs++
	if s.held != nil && (r.reason == reasonOK || s.promised[r.reason]) {
		return
	}
	a.totals.runs++
	switch {
	case r.reason == reasonOK:
		a.totals.good++
	case s.promised[r.reason]:
		a.totals.intended++
	default:
		a.totals.unexpected++
	}
}

// Complete reports whether at least one run of every endpoint has been received.
func (a *Account) Complete() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.series {
		if s.runs == 0 {
			return false
		}
	}
	return true
}

// text returns an attribute, which is empty if it is absent.
func text(p receiver.Point, key string) string {
	s, _ := p.Attributes[key].(string)
	return s
}

// latency is a value in ms, which may be absent.
type latency struct {
	ms float64
	ok bool
}

func measured(ms float64) latency { return latency{ms, true} }

// run is what was received about one run. Its points share their time, the end of the run.
type run struct {
	at                   time.Time
	reason               string // empty until connection_success is there
	handshake, roundTrip latency
}

// headline is the latency that the history shows.
func (r run) headline() latency {
	if r.roundTrip.ok {
		return r.roundTrip
	}
	return r.handshake
}

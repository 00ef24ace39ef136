package telemetry

import (
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
)

// producer makes the points of the export. It hands each run over once, so there can be one reader of it only; a
// reader that wants to be asked at any time, as a Prometheus endpoint is, needs another producer over the same
// series.
type producer struct {
	scope   instrumentation.Scope
	header  int
	start   time.Time // of the agent
	pending *pending
	agent   *agent
	others  func() []metricdata.ScopeMetrics // a few points more, about this process

	mu     sync.Mutex
	series []*Series
}

func (p *producer) add(s *Series) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.series = append(p.series, s)
}

func (p *producer) all() []*Series {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clip(p.series)
}

// produce hands over the points of all runs since the last call, one export request at a time. What has been handed over
// is not kept: a hundred thousand probes have more points than should be in memory at once. It must not be called by
// two goroutines at once.
func (p *producer) produce(request func(...metricdata.ScopeMetrics)) {
	b := p.batcher(request)
	p.addRuns(b)
	b.finish()
}

// produceAll is produce with the totals as they are now after the runs.
func (p *producer) produceAll(request func(...metricdata.ScopeMetrics)) {
	b := p.batcher(request)
	p.addRuns(b)
	all := p.all()
	for _, s := range all {
		addTotals(b, s, p.start, s.takeExemplars())
		b.flush()
		select {
		case <-p.pending.many: // the totals of a hundred thousand probes take a while
			p.addRuns(b)
		default:
		}
	}
	p.agent.addTo(b, len(all), p.start, time.Now())
	b.finish(p.others()...)
}

func (p *producer) batcher(request func(...metricdata.ScopeMetrics)) *batcher {
	return &batcher{scope: p.scope, header: p.header, request: request}
}

func (p *producer) addRuns(b *batcher) {
	p.pending.take(func(r *run) {
		addRun(b, r)
		b.flush()
	})
}

// addRun adds the points of one run: what was measured, and nothing else.
func addRun(b *batcher, r *run) {
	with := func(v variant) attributes { return r.series.with(b, v) }
	plain, opened := with(variant{}), 0.0
	if r.opened {
		opened = 1
		b.gauge(idHandshakeLatency, plain, r.started, r.ended, probe.Millis(r.handshake))
	}
	if r.replied {
		b.gauge(idRoundTripLatency, plain, r.started, r.ended, probe.Millis(r.roundTrip))
	}
	if r.certified {
		b.gauge(idTLSTimeLeft, plain, r.started, r.ended, r.timeLeft)
	}
	if r.status != probehealth.Unknown {
		b.gauge(idStatus, plain, r.started, r.ended, float64(r.status.Number()))
	}
	b.gauge(idConnectionSuccess, with(variant{reason: r.reason.String()}), r.started, r.ended, opened)
	for phase, span := range r.phases {
		if span.State == probe.SpanEnded {
			a := with(variant{phase: probe.Phase(phase).String()})
			b.gauge(idPhaseDuration, a, r.started, r.ended, probe.Millis(span.Duration()))
		}
	}
}

// addTotals adds the cumulative values of one probe. The exemplars are of before: what they are of is then in the totals.
func addTotals(b *batcher, s *Series, start time.Time, exemplars *exemplars) {
	outcomes, handshake, roundTrip := s.totals()
	now := time.Now()
	for i, o := range outcomes {
		a := s.with(b, variant{reason: o.reason.String(), errorType: string(o.errorType)})
		b.sum(idRuns, a, start, now, o.n, exemplars.ofOutcome(i)...)
	}
	plain := s.with(b, variant{})
	b.histogram(idHandshakeDuration, plain, start, now, handshake, exemplars.ofHandshake()...)
	b.histogram(idRoundTripDuration, plain, start, now, roundTrip, exemplars.ofRoundTrip()...)
}

package telemetry

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
)

// producer is the [go.opentelemetry.io/otel/sdk/metric.Producer] of the export. It hands each run over once,
// so there can be one reader of it only; a reader that wants to be asked at any time, as a Prometheus
// endpoint is, needs another producer over the same series.
type producer struct {
	scope   instrumentation.Scope
	header  int
	start   time.Time // of the agent
	pending *pending
	agent   *agent

	mu     sync.Mutex
	series []*Series

	producing sync.Mutex // guards the attribute sets of the series
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

// Produce returns the points of all runs since the last call and the totals as they are now. Each
// ScopeMetrics is one export request.
func (p *producer) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	p.producing.Lock()
	defer p.producing.Unlock()
	b := &batcher{scope: p.scope, header: p.header}
	p.pending.take(func(r *run) { addRun(b, r) })
	now, series := time.Now(), p.all()
	for _, s := range series {
		addTotals(b, s, p.start, now)
	}
	p.agent.addTo(b, len(series), p.start, now)
	return b.finish(), nil
}

// addRun adds the points of one run: what was measured, and nothing else.
func addRun(b *batcher, r *run) {
	s, plain := r.series, r.series.with(variant{})
	opened := 0.0
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
	b.gauge(idConnectionSuccess, s.with(variant{reason: r.reason.String()}), r.started, r.ended, opened)
	for phase, span := range r.phases {
		if span.State == probe.SpanEnded {
			a := s.with(variant{phase: probe.Phase(phase).String()})
			b.gauge(idPhaseDuration, a, r.started, r.ended, probe.Millis(span.Duration()))
		}
	}
}

// addTotals adds the cumulative values of one probe.
func addTotals(b *batcher, s *Series, start, now time.Time) {
	outcomes, handshake, roundTrip := s.totals()
	for _, o := range outcomes {
		a := s.with(variant{reason: o.reason.String(), errorType: string(o.errorType)})
		b.sum(idRuns, a, start, now, o.n)
	}
	b.histogram(idHandshakeDuration, s.with(variant{}), start, now, handshake)
	b.histogram(idRoundTripDuration, s.with(variant{}), start, now, roundTrip)
}

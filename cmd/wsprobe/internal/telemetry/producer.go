package telemetry

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// producer makes the points of the export. It hands each run over once, so there can be one reader of it only; a
// reader that wants to be asked at any time, as a Prometheus endpoint is, needs another producer over the same
// series.
type producer struct {
	scope      instrumentation.Scope
	common     []metrics.Attribute // of every point
	header     int
	start      time.Time // of the agent
	pending    *pending
	self       *selfCounts
	others     func() []otlp.Scope // a few points more, about this process
	endMarkers *atomic.Bool
	// exponential says in which form histograms are told.
	exponential bool
	temporality Temporality
	worth       worthTelling

	// The goroutine of the collections has these to itself, but for times.behind.
	times   timeline
	own     ownSeries
	changed []*Series // whose streak is another than was exported
	process processTotals

	mu      sync.Mutex
	series  []*Series
	ending  []*Series // ended since the last collection
	running bool      // sums of what is added now begin now
}

// startOf is when the sums of a series began.
func (p *producer) startOf(s *Series) time.Time { return p.start.Add(s.since) }

// begin notes that what is added from now on was not there at the start.
func (p *producer) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = true
}

func (p *producer) all() []*Series {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clip(p.series)
}

// produce hands over the points of all runs since the last call, one export request at a time, in order of time. What
// has been handed over is not kept: a hundred thousand probes have more points than should be in memory at once. It
// must not be called by two goroutines at once.
func (p *producer) produce(request func(...otlp.Scope)) {
	b := p.batcher(request)
	if horizon := p.addEnding(b, p.addRuns(b)); !horizon.Before(p.times.newest) {
		p.addStreaks(b, p.times.next(horizon))
	}
	b.finish()
}

// produceAll is produce with the totals as they are now after the runs: those of probes that are due, see [worthTelling].
func (p *producer) produceAll(request func(...otlp.Scope)) {
	b := p.batcher(request)
	at := p.addAll(b, p.worth.anew.Swap(false))
	b.finish(p.restamped(at)...)
}

// produceLast is produceAll, after which the latencies of all probes end. A stop has little time, and the receiver has the
// totals that did not change.
func (p *producer) produceLast(request func(...otlp.Scope)) {
	b := p.batcher(request)
	at := p.addAll(b, p.worth.anew.Swap(false))
	if p.endMarkers.Load() {
		for _, s := range p.all() {
			b.endMeasured(s, s.told.measured&^metrics.Lasting, p.startOf(s), at)
			b.flush()
		}
	}
	b.finish(p.restamped(at)...)
}

// addAll adds the runs and the totals, of every probe or of those that are due. It returns the time of the last totals.
func (p *producer) addAll(b *batcher, every bool) time.Time {
	at := p.times.next(p.addEnding(b, p.addRuns(b)))
	all := p.all()
	for i, s := range all {
		if !p.startOf(s).Before(at) {
			continue // a close handshake of another holds the time: the totals of a new probe wait for the next collection
		}
		if p.worth.due(s, at.Sub(p.start), every, float64(i)/float64(len(all))) {
			p.addTotals(b, s, at)
		}
		p.addMissed(b, s, at)
		b.flush()
		select {
		case <-p.pending.many: // the totals of a hundred thousand probes take a while
			at = p.times.next(p.addRuns(b))
		default:
		}
	}
	p.addStreaks(b, at) // of those whose totals were first, if they have run since
	p.addOwn(b, len(all), at)
	return at
}

func (p *producer) batcher(request func(...otlp.Scope)) *batcher {
	return &batcher{scope: p.scope, sets: metrics.Sets{Common: p.common}, header: p.header, request: request,
		exponential: p.exponential, temporality: p.temporality}
}

// addRuns adds the runs up to the horizon, which it returns.
func (p *producer) addRuns(b *batcher) time.Time {
	return p.pending.take(p.stamp, func(r *noted) {
		b.revive(r.series, &r.Run)
		r.Points(&b.sets, r.series.identity, r.at, b.add)
		p.follow(b, r)
		b.flush()
	})
}

// stamp gives a run the time of its points: that of its end, but not before what was exported, and a tick after the
// run before it.
func (p *producer) stamp(r *noted) {
	r.at = p.times.fit(r.Ended)
	told := &r.series.told
	if first := told.newest.Add(tick); !told.newest.IsZero() && r.at.Before(first) && first.Sub(r.at) <= maxNudge {
		r.at = first
	}
	told.newest = r.at
}

// follow does what a run means to those before it: what it has not measured ends.
func (p *producer) follow(b *batcher, r *noted) {
	p.times.note(r.at)
	s := r.series
	before := s.told
	s.told.repetition.moved = true
	has := r.After(before.measured)
	s.told.measured, s.told.streak = has, r.Streak
	s.told.certified = s.told.certified || r.Has&metrics.HasTimeLeft != 0
	if r.Connected() {
		s.told.ran, s.told.reason = true, r.Reason
	}
	if r.Has&metrics.HasMaintenance != 0 {
		s.told.within = r.Maintained
	}
	if r.Streak != before.streak && !before.behind {
		s.told.behind = true
		p.changed = append(p.changed, s)
	}
	if !p.endMarkers.Load() {
		return
	}
	b.endMeasured(s, before.measured&^has, r.Started, r.at)
	if before.reason != s.told.reason && before.ran {
		b.endReason(s, before.reason, r.Started, r.at)
	}
}

// addStreaks adds the streaks that are not exported yet.
func (p *producer) addStreaks(b *batcher, at time.Time) {
	for _, s := range p.changed {
		if s.told.behind {
			p.addStreak(b, s, at)
		}
	}
	clear(p.changed)
	p.changed = p.changed[:0]
}

func (p *producer) addStreak(b *batcher, s *Series, at time.Time) {
	s.told.behind = false
	b.gauge(metrics.ConsecutiveFailures, b.sets.Of(s.identity, metrics.Variant{}), p.startOf(s), at, float64(s.told.streak))
}

// addTotals adds what a probe is like at the time of a collection.
func (p *producer) addTotals(b *batcher, s *Series, at time.Time) {
	totals, start := p.totalsOf(s, at)
	totals.Points(&b.sets, s.identity, start, at, b.add)
	if s.told.ran {
		p.addStreak(b, s, at)
	}
	if s.told.measured&metrics.HasMaintenance != 0 {
		b.gauge(metrics.InMaintenance, b.sets.Of(s.identity, metrics.Variant{}), p.startOf(s), at, number(s.told.within))
	}
}

// addMissed adds how many intervals a probe has missed at the time of a collection.
func (p *producer) addMissed(b *batcher, s *Series, at time.Time) {
	missed := s.counts.Missed()
	if missed < worthMissed {
		missed = 0
	}
	if missed > 0 || s.told.missed {
		b.gauge(metrics.MissedIntervals, b.sets.Of(s.identity, metrics.Variant{}), p.startOf(s), at, float64(missed))
	}
	s.told.missed = missed > 0
	s.told.lagged = s.told.lagged || s.told.missed
}

// number is 1 for yes and 0 for no.
func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// worthMissed is how many intervals without a run are worth a point: fewer pass in the ordinary course.
const worthMissed = 2

// restamped returns the points of others, with the time and the attributes of this collection.
func (p *producer) restamped(at time.Time) []otlp.Scope {
	if p.others == nil {
		return nil
	}
	scopes := p.others()
	sets := metrics.Sets{Common: p.common}
	for _, scope := range scopes {
		for _, f := range scope.Families {
			for i := range f.Points {
				f.Points[i].Time = at
				f.Points[i].Attributes = sets.Alone(f.Points[i].Attributes.Attributes...)
			}
		}
		if p.temporality == TemporalityDelta {
			p.process.reduce(&scope)
		}
	}
	return scopes
}

package telemetry

import (
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// Temporality says over which time the totals of the export count. It belongs to the export alone: a scrape always has
// totals since the start. Up-down counters always count from the start, too.
//
// A delta is what was added since the collection before put its own into the outbox. A batch that the outbox then drops
// is a difference that nobody has: its points are counted as dropped. One that is delivered twice counts twice, which
// takes an agent that is killed between the answer of the receiver and the removal of the batch from its SpoolDir.
type Temporality string

// The temporalities, by the names of OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE in lower case.
const (
	// TemporalityCumulative counts from the start.
	TemporalityCumulative Temporality = "cumulative"
	// TemporalityDelta counts from the collection before. A total without change has no point.
	TemporalityDelta Temporality = "delta"
	// TemporalityLowMemory is TemporalityDelta, except for counters of the process that are read and not counted, which
	// stay cumulative.
	TemporalityLowMemory Temporality = "lowmemory"
)

// delta reports whether what is counted here counts from the collection before.
func (t Temporality) delta() bool { return t == TemporalityDelta || t == TemporalityLowMemory }

// isDelta reports whether the totals of a metric count so.
func (t Temporality) isDelta(k metrics.Kind) bool {
	return t.delta() && (k == metrics.Counter || k == metrics.Histogram)
}

// counted is a total of the collection before.
type counted struct {
	value        metrics.Value
	distribution *metrics.Distribution
	at           time.Time
}

// countedBy is the total of a point.
func countedBy(p *metrics.Point) counted { return counted{p.Value, p.Distribution, p.Time} }

// reduce makes a point the difference from the total before, and reports whether there is any. A total that has fallen
// began anew.
func (c counted) reduce(p *metrics.Point) bool {
	if c.at.IsZero() {
		return p.Distribution != nil && p.Distribution.Count > 0 || p.Value.Float() != 0
	}
	p.Start = c.at
	if p.Distribution != nil {
		if p.Distribution.Count >= c.distribution.Count {
			d := p.Distribution.Since(c.distribution)
			p.Distribution = &d
		}
		return p.Distribution.Count > 0
	}
	if n, whole := p.Value.Whole(); whole {
		if before, _ := c.value.Whole(); n >= before {
			p.Value = metrics.Int(n - before)
		}
	} else if p.Value.Float() >= c.value.Float() {
		p.Value = metrics.Float(p.Value.Float() - c.value.Float())
	}
	return p.Value.Float() != 0
}

// processKey is what tells one series of the process from another.
type processKey struct{ metric, attributes string }

// processTotals are the totals of the process at the collection before.
type processTotals map[processKey]counted

// reduce makes the counters of a scope differences. Points without one are left out.
func (t processTotals) reduce(scope *otlp.Scope) {
	for i := range scope.Families {
		f := &scope.Families[i]
		if f.Kind != metrics.Counter {
			continue
		}
		f.Delta = true
		changed := f.Points[:0]
		for _, p := range f.Points {
			key := processKey{f.Name, textOf(p.Attributes)}
			before, now := t[key], countedBy(&p)
			if t[key] = now; before.reduce(&p) {
				changed = append(changed, p)
			}
		}
		f.Points = changed
	}
}

// totalsOf returns the totals of a series for the export, and since when they count.
func (p *producer) totalsOf(s *Series, at time.Time) (totals metrics.Totals, start time.Time) {
	totals, start = s.counts.Collect(), p.startOf(s)
	if p.temporality.delta() {
		if !s.told.counted.IsZero() {
			start = s.told.counted
		}
		s.told.counted = at
	}
	return totals, start
}

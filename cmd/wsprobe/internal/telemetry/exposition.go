package telemetry

import (
	"cmp"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/prometheus"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// maxScrapes is how many scrapes may be under way. Thousands of probes make a large answer.
const maxScrapes = 1

// MetricsHandler answers Prometheus with the same metrics: gauges as of the last run of each probe, and the
// totals. It takes nothing away from the export, and a run waits for it no longer than for the copy of a few numbers. A
// value that the last run of a probe did not measure is absent. A request may select families by name, and probes by
// label, see [prometheus.ParseSelection]. The handler is nil without [Options].Exposition.
func (t *Telemetry) MetricsHandler() http.Handler {
	if t.exposition == nil {
		return nil
	}
	return t.exposition
}

// exposition answers scrapes. An answer goes metric by metric through all series, because the samples of a metric stand
// together, and each is on its way before the next ones are made: the memory does not grow with the number of probes.
type exposition struct {
	*producer
	about   []metrics.Attribute // the resource, of target_info
	process *self
	answers prometheus.Answers
	places  chan struct{}
	scraped Scraped
	log     *slog.Logger
}

// newExposition makes the handler of /metrics.
func (t *Telemetry) newExposition() (*exposition, error) {
	process, err := newSelf(t.process())
	if err != nil {
		return nil, err
	}
	return &exposition{producer: t.producer, about: t.options.Resource(), process: process, scraped: t.options.Scraped,
		places: make(chan struct{}, maxScrapes), log: t.log}, nil
}

// ServeHTTP answers a scrape.
func (x *exposition) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	wanted, err := prometheus.ParseSelection(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case x.places <- struct{}{}:
		defer func() { <-x.places }()
	default:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "another scrape is under way: they are answered one at a time", http.StatusServiceUnavailable)
		return
	}
	answer := x.answers.Open(w, r)
	answer.Labels.Common, answer.Native = x.common, x.scraped == ScrapedNative
	all := x.all()
	families := x.families(len(all))
	if !wanted.AllProbes() {
		families = slices.DeleteFunc(families, func(f exposed) bool { return f.points != nil && f.Name != targetInfo.Name })
		all = slices.DeleteFunc(slices.Clone(all), func(s *Series) bool { return !wanted.Probe(s.identity) })
	}
	for _, f := range families {
		if !wanted.Family(&f.Family) || f.Type == prometheus.Histogram && x.scraped == ScrapedNone {
			continue
		}
		answer.Begin(f.Family)
		if f.points == nil {
			x.ofProbes(answer.Encoder, f.id, all)
		}
		for i := range f.points {
			x.point(answer.Encoder, &f.points[i])
		}
		if answer.Err() != nil || r.Context().Err() != nil {
			break
		}
	}
	_ = answer.Close() // the client has gone
}

// exposed is a family of an answer: a metric of probes, or points of the agent.
type exposed struct {
	prometheus.Family
	id     metrics.ID
	points []metrics.Point // nil for a metric of probes
}

// targetInfo has the resource, as the specification of OpenTelemetry says.
var targetInfo = prometheus.Family{Name: "target_info", Help: "Target metadata", Type: prometheus.Gauge}

// families returns what an answer can have, sorted by name.
func (x *exposition) families(probes int) []exposed {
	var all []exposed
	for id := range metrics.IDs {
		all = append(all, exposed{Family: prometheus.FamilyOf(&table[id]), id: id})
	}
	for _, scope := range x.ofAgent(probes) {
		for _, f := range scope.Families {
			all = append(all, exposed{Family: prometheus.FamilyOf(f.Metric), points: f.Points})
		}
	}
	one := metrics.Point{Attributes: metrics.Set{Attributes: x.about}, Value: metrics.Int(1)}
	all = append(all, exposed{Family: targetInfo, points: []metrics.Point{one}})
	slices.SortStableFunc(all, func(a, b exposed) int { return cmp.Compare(a.Name, b.Name) })
	return joined(all)
}

// joined puts the points of families together that are there twice: many streams have more points than a request of the
// export, for which they are made.
func joined(all []exposed) []exposed {
	kept := all[:1]
	for _, f := range all[1:] {
		if last := &kept[len(kept)-1]; last.Name == f.Name {
			last.points = append(last.points, f.points...)
		} else {
			kept = append(kept, f)
		}
	}
	return kept
}

// ofAgent returns the points of the agent itself.
func (x *exposition) ofAgent(probes int) []otlp.Scope {
	var made []otlp.Scope
	b := x.batcher(func(scopes ...otlp.Scope) { made = append(made, scopes...) })
	x.self.addTo(b, probes, x.start, time.Now())
	others, err := x.process.collect()
	if err != nil {
		x.log.Error("a scrape lacks metrics of the process", "error", err)
	}
	b.finish(others...)
	return made
}

// ofProbes writes a metric of all series.
func (x *exposition) ofProbes(to *prometheus.Encoder, id metrics.ID, all []*Series) {
	var reading metrics.Reading
	for _, series := range all {
		series.counts.Read(id, &reading)
		samples := reading.Samples()
		if id == metrics.MissedIntervals && samples[0].Value.Float() < worthMissed {
			continue
		}
		for i := range samples {
			s := &samples[i]
			to.Labels.SetProbe(series.identity, s.Variant)
			to.Created = x.startOf(series)
			if s.Distribution != nil {
				to.Histogram(s.Distribution, s.Exemplars)
			} else {
				to.Number(s.Value.Float(), s.Exemplars)
			}
		}
		if to.Err() != nil {
			return
		}
	}
}

// point writes a point of the agent.
func (x *exposition) point(to *prometheus.Encoder, p *metrics.Point) {
	to.Labels.Set(p.Attributes.Attributes)
	to.Created = p.Start
	if p.Distribution != nil {
		to.Histogram(p.Distribution, p.Exemplars)
	} else {
		to.Number(p.Value.Float(), p.Exemplars)
	}
}

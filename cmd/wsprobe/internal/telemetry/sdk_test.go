package telemetry

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/attribute"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	ownprom "github.com/wsprobe/wsprobe/cmd/wsprobe/internal/prometheus"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// sdkScrapes answers scrapes by the exporter of the SDK and by promhttp, which keep a page in memory several times.
func sdkScrapes(t *testing.T, telemetry *Telemetry) http.Handler {
	t.Helper()
	registry := prometheus.NewRegistry()
	exporter, err := otelprom.New(
		otelprom.WithRegisterer(registry),
		otelprom.WithProducer(sdkProducer{telemetry.producer}),
		otelprom.WithoutScopeInfo(),
		otelprom.WithResourceAsConstantLabels(attribute.NewAllowKeysFilter(keyLocation)),
		otelprom.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithSuffixes),
	)
	if err != nil {
		t.Fatal(err)
	}
	o := telemetry.options
	sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter), sdkmetric.WithResource(o.located(telemetry.resource)))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// sdkProducer makes the points of a scrape, but for those of the process.
type sdkProducer struct{ *producer }

func (s sdkProducer) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	var made []metricdata.ScopeMetrics
	b := s.batcher(func(scopes ...otlp.Scope) {
		for _, scope := range scopes {
			made = append(made, forSDK(scope))
		}
	})
	b.sets = metrics.Sets{Label: ownprom.Label} // without those of every point, which are constant labels
	for _, series := range s.all() {
		now, start, id := time.Now(), s.startOf(series), series.identity
		plain := b.sets.Of(id, metrics.Variant{})
		if last, ok := series.counts.Last(); ok {
			last.Points(&b.sets, id, last.Ended, b.add)
			if last.Connected() {
				b.gauge(metrics.ConsecutiveFailures, plain, start, now, float64(last.Streak))
			}
		}
		if missed := series.counts.Missed(); missed >= worthMissed {
			b.gauge(metrics.MissedIntervals, plain, start, now, float64(missed))
		}
		series.counts.Totals().Points(&b.sets, id, start, now, b.add)
		b.flush()
	}
	s.self.addTo(b, len(s.all()), s.start, time.Now())
	b.finish()
	return made, nil
}

// forSDK returns points in the form of metricdata. Points without a value, which no scrape has, would lose their flag.
func forSDK(scope otlp.Scope) metricdata.ScopeMetrics {
	made := metricdata.ScopeMetrics{Scope: scope.Scope}
	sets := make(sdkSets)
	const cumulative = metricdata.CumulativeTemporality
	for _, f := range scope.Families {
		m := metricdata.Metrics{Name: f.Name, Description: f.Description, Unit: f.Unit}
		switch f.Kind {
		case metrics.Gauge:
			m.Data = metricdata.Gauge[float64]{DataPoints: numbersForSDK(sets, f.Points, metrics.Value.Float)}
		case metrics.Counter, metrics.UpDownCounter:
			points := numbersForSDK(sets, f.Points, wholeNumber)
			m.Data = metricdata.Sum[int64]{DataPoints: points, Temporality: cumulative, IsMonotonic: f.Kind == metrics.Counter}
		case metrics.Histogram:
			m.Data = metricdata.Histogram[float64]{DataPoints: histogramsForSDK(sets, f.Points), Temporality: cumulative}
		}
		made.Metrics = append(made.Metrics, m)
	}
	return made
}

func wholeNumber(v metrics.Value) int64 {
	n, _ := v.Whole()
	return n
}

// sdkSets are the sets made so far, by the first attribute, because many points share one set.
type sdkSets map[*metrics.Attribute]attribute.Set

func (s sdkSets) of(set metrics.Set) attribute.Set {
	if len(set.Attributes) == 0 {
		return attribute.NewSet()
	}
	first := &set.Attributes[0]
	made, there := s[first]
	if !there {
		kvs := make([]attribute.KeyValue, len(set.Attributes))
		for i, a := range set.Attributes {
			if a.Value.Kind() == slog.KindInt64 {
				kvs[i] = attribute.Int64(a.Key, a.Value.Int64())
			} else {
				kvs[i] = attribute.String(a.Key, a.Value.String())
			}
		}
		made = attribute.NewSet(kvs...)
		s[first] = made
	}
	return made
}

func numbersForSDK[N int64 | float64](sets sdkSets, points []metrics.Point, number func(metrics.Value) N) []metricdata.DataPoint[N] {
	made := make([]metricdata.DataPoint[N], len(points))
	for i, p := range points {
		made[i] = metricdata.DataPoint[N]{
			Attributes: sets.of(p.Attributes), StartTime: p.Start, Time: p.Time, Value: number(p.Value), Exemplars: exemplarsForSDK(p.Exemplars, number),
		}
	}
	return made
}

func histogramsForSDK(sets sdkSets, points []metrics.Point) []metricdata.HistogramDataPoint[float64] {
	made := make([]metricdata.HistogramDataPoint[float64], len(points))
	for i, p := range points {
		d := p.Distribution
		made[i] = metricdata.HistogramDataPoint[float64]{
			Attributes: sets.of(p.Attributes), StartTime: p.Start, Time: p.Time,
			Count: d.Count, Sum: d.Sum, Bounds: d.Bounds, BucketCounts: d.Counts, Exemplars: exemplarsForSDK(p.Exemplars, metrics.Value.Float),
		}
	}
	return made
}

func exemplarsForSDK[N int64 | float64](all []metrics.Exemplar, number func(metrics.Value) N) []metricdata.Exemplar[N] {
	var made []metricdata.Exemplar[N]
	for i := range all {
		x := &all[i]
		made = append(made, metricdata.Exemplar[N]{Time: x.Time, Value: number(x.Value), SpanID: x.Trace.Run[:], TraceID: x.Trace.ID[:]})
	}
	return made
}

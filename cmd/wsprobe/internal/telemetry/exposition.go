package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
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

const (
	// maxScrapes is how many scrapes may be under way. Thousands of probes make a large answer.
	maxScrapes = 1
	// maxExposed is how many probes there may be in it. 10,000 take 120 MiB of text and twice that of memory, and
	// Prometheus gives up on what takes longer than its 10 s.
	maxExposed = 10_000
)

// MetricsHandler answers Prometheus with the same metrics: gauges as of the last run of each probe, and the
// totals. It takes nothing away from the export, and a run waits for it no longer than for the copy of a few numbers. A
// value that the last run of a probe did not measure is absent. Of more than 10,000 probes it says nothing, only of the
// agent. It is nil without [Options].Exposition.
func (t *Telemetry) MetricsHandler() http.Handler { return t.exposition }

// newExposition makes the handler of /metrics.
func (t *Telemetry) newExposition() (http.Handler, error) {
	registry := prometheus.NewRegistry()
	exporter, err := otelprom.New(
		otelprom.WithRegisterer(registry),
		otelprom.WithProducer(exposition{t.producer, t.log}),
		otelprom.WithProducer(processExposition{t.process()}),
		otelprom.WithoutScopeInfo(),
		otelprom.WithResourceAsConstantLabels(attribute.NewAllowKeysFilter(keyLocation)),
		// Names that every version of Prometheus takes, whatever a library has for a default.
		otelprom.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithSuffixes),
	)
	if err != nil {
		return nil, fmt.Errorf("making the Prometheus exporter: %w", err)
	}
	views := sdkmetric.WithView(rename)
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter), sdkmetric.WithResource(t.options.located(t.resource)), views)
	if err := observeRuntime(provider); err != nil {
		return nil, err
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog:            scrapeLog{t.log},
		ErrorHandling:       promhttp.ContinueOnError, // all but the one metric that is wrong
		MaxRequestsInFlight: maxScrapes,
		EnableOpenMetrics:   true, // with exemplars, for who asks for it
	}), nil
}

// exposition is the [go.opentelemetry.io/otel/sdk/metric.Producer] of scrapes. It can be asked at any time and by
// several goroutines at once.
type exposition struct {
	*producer
	log *slog.Logger
}

// Produce returns the points of the last run of each probe, and the totals as they are now.
func (s exposition) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	var made []metricdata.ScopeMetrics
	b := s.batcher(func(scopes ...otlp.Scope) {
		for _, scope := range scopes {
			made = append(made, forSDK(scope))
		}
	})
	b.sets = metrics.Sets{Label: ownprom.Label} // without those of every point, which are constant labels
	all := s.all()
	shown := all
	if len(all) > maxExposed {
		shown = nil
		s.log.Warn("a scrape has nothing about probes: there are too many for a page, so export them",
			"probes", len(all), "most", maxExposed)
	}
	for _, series := range shown {
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
	s.self.addTo(b, len(all), s.start, time.Now())
	b.finish()
	return made, nil
}

// prometheusName is the name of a metric where it cannot end in count, which Prometheus keeps for histograms:
// go.goroutine.count is go.goroutines.
func prometheusName(name string) string {
	if thing, counted := strings.CutSuffix(name, ".count"); counted {
		return thing + "s"
	}
	return name
}

// rename is the [go.opentelemetry.io/otel/sdk/metric.View] that gives instruments names for Prometheus.
func rename(i sdkmetric.Instrument) (sdkmetric.Stream, bool) {
	name := prometheusName(i.Name)
	return sdkmetric.Stream{Name: name, Description: i.Description, Unit: i.Unit}, name != i.Name
}

// processExposition is the figures of the process by names for Prometheus.
type processExposition struct{ process }

// Produce returns the figures as they are now.
func (r processExposition) Produce(ctx context.Context) ([]metricdata.ScopeMetrics, error) {
	scopes, err := r.process.Produce(ctx)
	for _, scope := range scopes {
		for i := range scope.Metrics {
			scope.Metrics[i].Name = prometheusName(scope.Metrics[i].Name)
		}
	}
	return scopes, err
}

// scrapeLog tells the log what is wrong with a scrape.
type scrapeLog struct{ log *slog.Logger }

// Println is called with the parts of a message.
func (l scrapeLog) Println(parts ...any) {
	l.log.Error("a scrape lacks metrics", "error", strings.TrimSpace(fmt.Sprintln(parts...)))
}

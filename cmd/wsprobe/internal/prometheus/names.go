package prometheus

import (
	"strings"

	"github.com/prometheus/otlptranslator"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// FamilyOf is a metric as Prometheus calls it, by names that every version takes. What can go up and down is a gauge.
func FamilyOf(m *metrics.Metric) Family {
	f := Family{Help: m.Description, Type: Gauge}
	var kind otlptranslator.MetricType = otlptranslator.MetricTypeGauge
	switch m.Kind {
	case metrics.Counter:
		f.Type, kind = Counter, otlptranslator.MetricTypeMonotonicCounter
	case metrics.UpDownCounter:
		kind = otlptranslator.MetricTypeNonMonotonicCounter
	case metrics.Histogram:
		f.Type, kind = Histogram, otlptranslator.MetricTypeHistogram
	}
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	name, err := namer.Build(otlptranslator.Metric{Name: plural(m.Name), Unit: m.Unit, Type: kind})
	if err != nil {
		panic(m.Name + ": " + err.Error()) // a mistake in a table; a test names every metric
	}
	f.Name = name
	return f
}

// plural is the name of a metric where it cannot end in count, which Prometheus keeps for histograms: go.goroutine.count
// is go.goroutines.
func plural(name string) string {
	if thing, counted := strings.CutSuffix(name, ".count"); counted {
		return thing + "s"
	}
	return name
}

package prometheus

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/otlptranslator"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// answer is what a run came to.
type answer struct {
	asked    *asked
	location string
	result   probe.Result
	watch    *probe.Watch
	took     time.Duration
}

// FailureInfo is the metric that says why a run failed, which has no place in /metrics: it is of one run.
const FailureInfo = "wsprobe_failure_info"

// write answers with the metrics, in the format that the client prefers, or with a page for people.
func (a *answer) write(w http.ResponseWriter, r *http.Request) error {
	registry := prometheus.NewRegistry()
	if err := registry.Register(a); err != nil {
		return refuse(http.StatusInternalServerError, "the metrics cannot be written: %s", err) // an error of ours
	}
	if !a.asked.debug {
		promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}).ServeHTTP(w, r)
		return nil
	}
	text, err := exposed(registry)
	if err != nil {
		return refuse(http.StatusInternalServerError, "the metrics cannot be written: %s", err)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprint(w, a.page(text)) // the client has gone
	return nil
}

// exposed is the text format of what a registry has.
func exposed(registry *prometheus.Registry) (string, error) {
	families, err := registry.Gather()
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	encoder := expfmt.NewEncoder(&text, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return "", err
		}
	}
	return text.String(), nil
}

// Describe describes nothing: which metrics there are depends on the run.
func (a *answer) Describe(chan<- *prometheus.Desc) {}

// Collect sends the metrics of the run.
func (a *answer) Collect(to chan<- prometheus.Metric) {
	for _, m := range table {
		desc := prometheus.NewDesc(m.Name, m.Help+".", m.Labels, nil)
		for _, p := range m.points(a) {
			to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, p.value, p.labels...)
		}
	}
	a.collectOwn(to)
}

// collectOwn sends wsprobe's own metrics, by the names and with the labels that /metrics has.
func (a *answer) collectOwn(to chan<- prometheus.Metric) {
	id, sets := a.asked.Identity, &metrics.Sets{Label: Label}
	if a.location != "" {
		sets.Common = []metrics.Attribute{metrics.Text("wsprobe.location", a.location)}
	}
	var status health.Status
	if a.asked.Rules.Given() {
		status = a.asked.Rules.Judge(id.Target().Interpretation.Value(a.result))
	}
	send := func(name, help string, attributes metrics.Set, value float64) {
		names, values := labelsOf(attributes)
		to <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, names, nil), prometheus.GaugeValue, value, values...)
	}
	rows := metrics.Table()
	run := metrics.NewSeries(id, metrics.Keep{}).Record(&a.result, status)
	run.Points(sets, id, run.Ended, func(m metrics.ID, p metrics.Point) {
		send(nameOf(rows[m]), rows[m].Description, p.Attributes, p.Value.Float())
	})
	if a.result.Reason != reasons.OK {
		failure := metrics.Variant{Reason: a.result.Reason.String(), ErrorType: string(a.result.ErrorType)}
		send(FailureInfo, "1, with the reason of a run that failed and what broke.", sets.Of(id, failure), 1)
	}
}

// nameOf is the name of a gauge as /metrics has it.
func nameOf(m metrics.Metric) string {
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	name, err := namer.Build(otlptranslator.Metric{Name: m.Name, Unit: m.Unit, Type: otlptranslator.MetricTypeGauge})
	if err != nil {
		panic(m.Name + ": " + err.Error()) // a mistake in the table; a test names every metric
	}
	return name
}

// labelsOf are attributes as labels. Of names that become one, the values are joined, as OpenTelemetry says.
func labelsOf(set metrics.Set) (names, values []string) {
	var namer otlptranslator.LabelNamer
	for _, a := range set.Attributes {
		name, err := namer.Build(a.Key)
		if err != nil {
			continue // a name without a letter has none in Prometheus
		}
		if i := slices.Index(names, name); i >= 0 {
			values[i] += ";" + a.Value.String()
			continue
		}
		names, values = append(names, name), append(values, a.Value.String())
	}
	return names, values
}

// Label keeps a label of a probe apart from labels that have a meaning: le is that of a bucket, and what the dots of our
// own attributes become is theirs.
func Label(name string) string {
	plain := strings.NewReplacer(".", "_", "-", "_")
	own := func(key string) bool { return plain.Replace(key) == plain.Replace(name) }
	if name == "le" || slices.ContainsFunc(metrics.ProbeKeys(), own) || slices.ContainsFunc(metrics.VariantKeys(), own) {
		return "exported_" + name
	}
	return name
}

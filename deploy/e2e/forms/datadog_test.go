package forms

import (
	"context"
	"maps"
	"math"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/DataDog/datadog-agent/pkg/opentelemetry-mapping-go/otlp/attributes"
	"github.com/DataDog/datadog-agent/pkg/opentelemetry-mapping-go/otlp/metrics"
	"github.com/DataDog/datadog-agent/pkg/util/quantile"
	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// datadog keeps what the mapping of Datadog's exporter makes of the metrics.
type datadog struct {
	mu       sync.Mutex
	values   map[string][]value // gauges and counts, by name
	sketches map[string][]sketch
	host     string
}

type value struct {
	kind  metrics.DataType
	tags  []string
	value float64
}

type sketch struct {
	tags []string
	*quantile.Sketch
}

// newDatadog returns the mapping with the defaults of the Collector's exporter.
func newDatadog(t *testing.T) (*datadog, consume) {
	t.Helper()
	d := &datadog{values: map[string][]value{}, sketches: map[string][]sketch{}}
	telemetry := componenttest.NewNopTelemetrySettings()
	tags, err := attributes.NewTranslator(telemetry)
	if err != nil {
		t.Fatal(err)
	}
	translator, err := metrics.NewDefaultTranslator(telemetry, tags, metrics.WithRemapping())
	if err != nil {
		t.Fatal(err)
	}
	return d, func(ctx context.Context, m pmetric.Metrics) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		_, err := translator.MapMetrics(ctx, m, d, nil)
		return err
	}
}

func (d *datadog) ConsumeTimeSeries(_ context.Context, of *metrics.Dimensions, kind metrics.DataType, _ uint64, _ int64, v float64) {
	d.values[of.Name()] = append(d.values[of.Name()], value{kind, of.Tags(), v})
}

func (d *datadog) ConsumeSketch(_ context.Context, of *metrics.Dimensions, _ uint64, _ int64, s *quantile.Sketch) {
	d.sketches[of.Name()] = append(d.sketches[of.Name()], sketch{of.Tags(), s})
}

func (d *datadog) ConsumeExplicitBoundHistogram(context.Context, *metrics.Dimensions, pmetric.HistogramDataPointSlice) {
}

func (d *datadog) ConsumeExponentialHistogram(context.Context, *metrics.Dimensions, pmetric.ExponentialHistogramDataPointSlice) {
}

func (d *datadog) ConsumeHost(host string) { d.host = host }

// sum adds up the counts of a metric of a probe.
func (d *datadog) sum(t *testing.T, metric, probe string) float64 {
	t.Helper()
	total := 0.0
	for _, v := range d.values[metric] {
		if slices.Contains(v.tags, "wsprobe.name:"+probe) {
			if v.kind != metrics.Count {
				t.Errorf("%s is no count", metric)
			}
			total += v.value
		}
	}
	return total
}

// merged is the distribution of a metric of a probe over the whole time.
func (d *datadog) merged(metric, probe string) *quantile.Sketch {
	all := &quantile.Sketch{}
	for _, s := range d.sketches[metric] {
		if slices.Contains(s.tags, "wsprobe.name:"+probe) {
			all.Merge(quantile.Default(), s.Sketch)
		}
	}
	return all
}

// TestDatadogTakesDifferences exports differences, with either form of histograms. The counts and distributions must be
// those of the runs, also across a restart of the agent.
func TestDatadogTakesDifferences(t *testing.T) {
	t.Parallel()
	for _, histograms := range []string{"explicit", "exponential"} {
		t.Run(histograms, func(t *testing.T) {
			t.Parallel()
			e := lab.NewEndpoint(t)
			d, next := newDatadog(t)
			in := newIntake(t, next)
			settings := in.settings("delta", histograms, e.RoundTrip("a", lab.Echo), e.RoundTrip("b", lab.Echo))
			for range 2 {
				agent := lab.StartAgent(t, settings)
				in.awaitRuns(t, agent, "b", 5)
				agent.Stop(t, lab.StopLimit)
				e.SetDown("b", true)
			}
			in.check(t)
			for _, probe := range []string{"a", "b"} {
				runs := float64(len(in.sent.values("wsprobe.success", probe)))
				if n := d.sum(t, "wsprobe.runs", probe); n != runs || runs == 0 {
					t.Errorf("%s: %v runs are counted, want %v", probe, n, runs)
				}
				single := in.sent.values("wsprobe.round_trip_latency", probe)
				checkSketch(t, probe, d.merged("wsprobe.round_trip.duration", probe), single, histograms == "exponential")
			}
			checkTags(t, d)
		})
	}
}

// checkSketch wants a distribution to have the count, sum, extremes and, where the buckets are fine, quantiles of the
// single values.
func checkSketch(t *testing.T, probe string, s *quantile.Sketch, single []float64, fine bool) {
	t.Helper()
	slices.Sort(single)
	count, least, most, sum, _ := s.BasicStats()
	want := 0.0
	for _, v := range single {
		want += v
	}
	if len(single) == 0 || int(count) != len(single) || math.Abs(sum-want) > 1e-6*want {
		t.Fatalf("%s: %d round trips of %v ms, want %d of %v ms", probe, count, sum, len(single), want)
	}
	if least != single[0] || most != single[len(single)-1] {
		t.Errorf("%s: round trips from %v to %v ms, want %v to %v", probe, least, most, single[0], single[len(single)-1])
	}
	if !fine { // the latencies of a lab are below the first bound, which the sketch takes for each of them
		return
	}
	const width = 1.1 // of a bucket of the scale 3, the least that latencies of a lab lead to, and of a bin of the sketch
	for _, q := range []float64{0.1, 0.5, 0.9} {
		rank := q * float64(len(single)-1)
		low, high := single[int(math.Floor(rank))]/width, single[int(math.Ceil(rank))]*width
		if got := s.Quantile(quantile.Default(), q); got < low || got > high {
			t.Errorf("%s: the quantile %v is %v, want one from %v to %v", probe, q, got, low, high)
		}
	}
}

// checkTags wants the attributes of the points and the identity of the agent as tags, gauges and up-down counters as
// gauges, and another name for the metrics of the process.
func checkTags(t *testing.T, d *datadog) {
	t.Helper()
	for _, metric := range []string{"wsprobe.success", "wsprobe.round_trip_latency", "wsprobe.agent.probes"} {
		values := d.values[metric]
		if len(values) == 0 || values[0].kind != metrics.Gauge {
			t.Errorf("%s is %+v, want gauges", metric, values)
		}
	}
	for _, v := range d.values["wsprobe.success"] {
		for _, tag := range []string{"wsprobe.location:lab", "service:wsprobe", "service.instance.id:lab-1"} {
			if !slices.Contains(v.tags, tag) {
				t.Fatalf("wsprobe.success is without the tag %s: %v", tag, v.tags)
			}
		}
	}
	if host, err := os.Hostname(); err != nil || d.host != host {
		t.Errorf("the host is %q, want %q (%v)", d.host, host, err)
	}
	if d.values["process.cpu.time"] != nil || d.values["otel.process.cpu.time"] == nil {
		t.Errorf("process.cpu.time is not renamed: %v", slices.Sorted(maps.Keys(d.values)))
	}
}

// TestDatadogLosesFirstTotals exports totals to the same mapping. Of the series that are new in a request, it counts
// the first value of one a metric; it never takes the first point of a histogram, nor any exponential one.
func TestDatadogLosesFirstTotals(t *testing.T) {
	t.Parallel()
	for _, histograms := range []string{"explicit", "exponential"} {
		t.Run(histograms, func(t *testing.T) {
			t.Parallel()
			e := lab.NewEndpoint(t)
			d, next := newDatadog(t)
			in := newIntake(t, next)
			names := []string{"a", "b", "c"}
			settings := in.settings("cumulative", histograms, e.RoundTrip("a", lab.Echo), e.RoundTrip("b", lab.Echo), e.RoundTrip("c", lab.Echo))
			settings["otlp"].(map[string]any)["interval"] = "5s" // so that all are new in the first request
			agent := lab.StartAgent(t, settings)
			in.awaitRuns(t, agent, "a", 12)
			agent.Stop(t, lab.StopLimit)
			in.check(t)
			lost := 0
			for _, probe := range names {
				points := in.sent.of("wsprobe.runs", probe)
				first, last := points[0].value, points[len(points)-1].value
				switch n := d.sum(t, "wsprobe.runs", probe); n {
				case last:
				case last - first:
					lost++
				default:
					t.Errorf("%s: %v of %v runs are counted, of which the first export had %v", probe, n, last, first)
				}
				histogram := in.sent.of("wsprobe.round_trip.duration", probe)
				want := int64(0)
				if histograms == "explicit" {
					want = int64(histogram[len(histogram)-1].count - histogram[0].count)
				}
				if n := d.merged("wsprobe.round_trip.duration", probe).Basic.Cnt; n != want {
					t.Errorf("%s: %d round trips are counted, want %d", probe, n, want)
				}
			}
			if lost != len(names)-1 {
				t.Errorf("the first total of %d probes is lost, want those of all but one", lost)
			}
		})
	}
}

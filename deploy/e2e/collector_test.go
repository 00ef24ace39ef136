package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// collector is the back end: it writes every export request that it accepts as one line of a file.
type collector struct {
	*lab.Process
	grpc       string // host:port
	prometheus string // host:port of what it shows to a Prometheus
	file       string // of metrics
	traces     string // the file of traces
	logs       string // the file of log records
}

// expiration is how long the Collector shows a series to a Prometheus after its last point.
const expiration = 5 * time.Second

// newCollector chooses where a Collector will listen and write. It runs once start is called.
func newCollector(t *testing.T) *collector {
	t.Helper()
	dir := t.TempDir()
	return &collector{
		grpc: lab.FreeAddr(t), prometheus: lab.FreeAddr(t), file: filepath.Join(dir, "metrics.jsonl"),
		traces: filepath.Join(dir, "traces.jsonl"), logs: filepath.Join(dir, "logs.jsonl"),
	}
}

// start runs the Collector with deploy/collector/config.yaml and waits until it listens.
func (c *collector) start(t *testing.T) {
	t.Helper()
	config, err := filepath.Abs(filepath.Join(collectorModule, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	c.Process = lab.StartWith(t, []string{
		"COLLECTOR_GRPC=" + c.grpc,
		"COLLECTOR_HTTP=" + lab.FreeAddr(t),
		"COLLECTOR_PROMETHEUS=" + c.prometheus,
		"COLLECTOR_EXPIRATION=" + expiration.String(),
		"COLLECTOR_FILE=" + c.file,
		"COLLECTOR_TRACES_FILE=" + c.traces,
		"COLLECTOR_LOGS_FILE=" + c.logs,
		"COLLECTOR_VERBOSITY=basic", // its log is read only when a test fails, and the file has everything
	}, built(t, collectorBinary), "--config", config)
	lab.Eventually(t, 15*time.Second, "the Collector to listen", func() (bool, string) {
		c.Running(t)
		conn, err := net.DialTimeout("tcp", c.grpc, time.Second)
		if err != nil {
			return false, err.Error()
		}
		conn.Close()
		return true, ""
	})
}

// received returns everything that the Collector has written so far.
func (c *collector) received(t *testing.T) received {
	t.Helper()
	var r received
	for line := range written(t, c.file) {
		metrics, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(line)
		if err != nil {
			t.Fatalf("the Collector's file: %v\n%s", err, line)
		}
		r.add(metrics)
	}
	return r
}

// written returns the lines of a file of the Collector.
func written(t *testing.T, file string) iter.Seq[[]byte] {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // the first request creates it
		t.Fatal(err)
	}
	// A line without its end is still being written.
	return bytes.Lines(data[:bytes.LastIndexByte(data, '\n')+1])
}

// point is one data point, with what matters of the metric around it.
type point struct {
	metric     string
	unit       string
	kind       pmetric.MetricType
	cumulative bool
	monotonic  bool
	attributes map[string]any
	start, end time.Time // StartTimeUnixNano and TimeUnixNano
	value      float64   // of a gauge or sum
	count      uint64    // of a histogram
	bounds     []float64 // of a histogram
	buckets    []uint64  // of an exponential histogram, those of positive values
	traces     []string  // that its exemplars lead to
}

// probe returns the name of the probe that the point belongs to, or "" for one about the agent.
func (p point) probe() string {
	name, _ := p.attributes["wsprobe.name"].(string)
	return name
}

func (p point) String() string {
	return fmt.Sprintf("%s %v = %v at %s", p.metric, p.attributes, p.value, p.end.Format("15:04:05.000"))
}

// received is what arrived, in the order of arrival.
type received struct {
	requests  int
	resources []map[string]any
	scopes    []string
	points    []point
}

func (r *received) add(metrics pmetric.Metrics) {
	r.requests++
	for _, rm := range metrics.ResourceMetrics().All() {
		r.resources = append(r.resources, rm.Resource().Attributes().AsRaw())
		for _, sm := range rm.ScopeMetrics().All() {
			r.scopes = append(r.scopes, sm.Scope().Name())
			for _, m := range sm.Metrics().All() {
				r.points = append(r.points, pointsOf(m)...)
			}
		}
	}
}

// of returns the points of a metric that belong to a probe.
func (r received) of(metric, probe string) []point {
	var found []point
	for _, p := range r.points {
		if p.metric == metric && p.probe() == probe {
			found = append(found, p)
		}
	}
	return found
}

// latest returns the last point of each series of a metric that belong to a probe.
func (r received) latest(metric, probe string) []point {
	last := map[string]point{}
	for _, p := range r.of(metric, probe) {
		last[fmt.Sprint(p.attributes)] = p // fmt sorts the keys of a map
	}
	var found []point
	for p := range maps.Values(last) {
		found = append(found, p)
	}
	return found
}

func pointsOf(m pmetric.Metric) []point {
	var points []point
	add := func(attributes pcommon.Map, start, end pcommon.Timestamp, fill func(*point)) {
		p := point{
			metric: m.Name(), unit: m.Unit(), kind: m.Type(),
			attributes: attributes.AsRaw(), start: start.AsTime(), end: end.AsTime(),
		}
		fill(&p)
		points = append(points, p)
	}
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		for _, d := range m.Gauge().DataPoints().All() {
			add(d.Attributes(), d.StartTimestamp(), d.Timestamp(), func(p *point) { p.value = number(d) })
		}
	case pmetric.MetricTypeSum:
		for _, d := range m.Sum().DataPoints().All() {
			add(d.Attributes(), d.StartTimestamp(), d.Timestamp(), func(p *point) {
				p.value, p.traces = number(d), tracesOf(d.Exemplars())
				p.monotonic = m.Sum().IsMonotonic()
				p.cumulative = m.Sum().AggregationTemporality() == pmetric.AggregationTemporalityCumulative
			})
		}
	case pmetric.MetricTypeHistogram:
		for _, d := range m.Histogram().DataPoints().All() {
			add(d.Attributes(), d.StartTimestamp(), d.Timestamp(), func(p *point) {
				p.value, p.count, p.bounds = d.Sum(), d.Count(), d.ExplicitBounds().AsRaw()
				p.traces = tracesOf(d.Exemplars())
				p.cumulative = m.Histogram().AggregationTemporality() == pmetric.AggregationTemporalityCumulative
			})
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, d := range m.ExponentialHistogram().DataPoints().All() {
			add(d.Attributes(), d.StartTimestamp(), d.Timestamp(), func(p *point) {
				p.value, p.count, p.buckets = d.Sum(), d.Count(), d.Positive().BucketCounts().AsRaw()
				p.traces = tracesOf(d.Exemplars())
				p.cumulative = m.ExponentialHistogram().AggregationTemporality() == pmetric.AggregationTemporalityCumulative
			})
		}
	default:
		add(pcommon.NewMap(), 0, 0, func(*point) {}) // its kind fails the test that reads it
	}
	return points
}

func tracesOf(exemplars pmetric.ExemplarSlice) []string {
	var ids []string
	for _, e := range exemplars.All() {
		ids = append(ids, e.TraceID().String())
	}
	return ids
}

func number(d pmetric.NumberDataPoint) float64 {
	if d.ValueType() == pmetric.NumberDataPointValueTypeInt {
		return float64(d.IntValue())
	}
	return d.DoubleValue()
}

package telemetry

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// processMetrics are the process.* and go.* metrics of the semantic conventions. Instruments of the SDK observe
// them: the Go runtime's those of its official instrumentation, the others ours. A test holds the rows to them.
var processMetrics = []metrics.Metric{
	{Name: "process.cpu.time", Kind: metrics.Counter, Unit: "s", Attributes: []string{keyCPUMode},
		Description: "CPU time of the agent; not on Windows."},
	{Name: "process.memory.usage", Kind: metrics.UpDownCounter, Unit: "By",
		Description: "Physical memory of the agent; on Linux only."},
	{Name: "process.unix.file_descriptor.count", Kind: metrics.UpDownCounter, Unit: "{file_descriptor}",
		Description: "Open files and sockets of the agent; on Linux only."},
	{Name: "process.uptime", Kind: metrics.Gauge, Unit: "s", Description: "Time since the agent started."},
	{Name: "go.memory.used", Kind: metrics.UpDownCounter, Unit: "By", Attributes: []string{"go.memory.type"},
		Description: "Memory used by the Go runtime."},
	{Name: "go.memory.limit", Kind: metrics.UpDownCounter, Unit: "By",
		Description: "Memory in which Go is to get by: GOMEMLIMIT, else by the number of probes."},
	{Name: "go.memory.allocated", Kind: metrics.Counter, Unit: "By",
		Description: "Memory allocated on the heap since the start."},
	{Name: "go.memory.allocations", Kind: metrics.Counter, Unit: "{allocation}",
		Description: "Allocations on the heap since the start."},
	{Name: "go.memory.gc.goal", Kind: metrics.UpDownCounter, Unit: "By",
		Description: "Size of the heap that the garbage collector aims at."},
	{Name: "go.goroutine.count", Kind: metrics.UpDownCounter, Unit: "{goroutine}",
		Description: "Goroutines; /metrics has it as go_goroutines."},
	{Name: "go.processor.limit", Kind: metrics.UpDownCounter, Unit: "{thread}",
		Description: "GOMAXPROCS."},
	{Name: "go.config.gogc", Kind: metrics.UpDownCounter, Unit: "%",
		Description: "GOGC."},
}

const keyCPUMode = string(semconv.CPUModeKey)

// runtimeInterval is the least time between two looks at the Go runtime.
const runtimeInterval = time.Second

// self observes this process for one reader.
type self struct {
	reader   sdkmetric.Reader
	provider *sdkmetric.MeterProvider
}

// newSelf makes a reader of what is observed.
func newSelf(p process) (*self, error) {
	s := &self{reader: sdkmetric.NewManualReader(sdkmetric.WithProducer(p))}
	s.provider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(s.reader))
	return s, observeRuntime(s.provider)
}

// observeRuntime makes the instruments of the Go runtime.
func observeRuntime(provider *sdkmetric.MeterProvider) error {
	err := runtime.Start(runtime.WithMeterProvider(provider), runtime.WithMinimumReadMemStatsInterval(runtimeInterval))
	if err != nil {
		return fmt.Errorf("observing the Go runtime: %w", err)
	}
	return nil
}

// observeSelf makes the figures of this process travel with the last points of a collection. They are few.
func (t *Telemetry) observeSelf() {
	self, err := newSelf(t.process())
	if err != nil {
		t.log.Error("exporting less about the agent itself", "error", err)
	}
	t.producer.others = func() []otlp.Scope {
		scopes, err := self.collect()
		if err != nil {
			t.log.Error("collecting what is known of the agent itself failed", "error", err)
		}
		return scopes
	}
}

// process is what the figures of this process are made from.
func (t *Telemetry) process() process {
	return process{scope: t.producer.scope, started: t.producer.start}
}

// collect returns the figures as they are now.
func (s *self) collect() ([]otlp.Scope, error) {
	var all metricdata.ResourceMetrics
	err := s.reader.Collect(context.Background(), &all) // it waits for nothing
	var scopes []otlp.Scope
	for _, scope := range all.ScopeMetrics {
		scopes = append(scopes, ofSDK(scope))
	}
	return scopes, err
}

// usage is what this process takes of its machine. What the system does not tell is 0.
type usage struct {
	user, system  time.Duration
	memory, files int64
}

// process is the [go.opentelemetry.io/otel/sdk/metric.Producer] of the figures of this process.
type process struct {
	scope   instrumentation.Scope
	started time.Time
}

// Produce returns the figures as they are now.
func (p process) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	u, now := readUsage(), time.Now()
	scope := metricdata.ScopeMetrics{Scope: p.scope}
	add := func(name string, data metricdata.Aggregation) {
		for _, row := range processMetrics {
			if row.Name == name {
				scope.Metrics = append(scope.Metrics, metricdata.Metrics{Name: name, Description: row.Description, Unit: row.Unit, Data: data})
			}
		}
	}
	if u.user+u.system > 0 {
		mode := func(mode string, d time.Duration) metricdata.DataPoint[float64] {
			set := attribute.NewSet(attribute.String(keyCPUMode, mode))
			return metricdata.DataPoint[float64]{Attributes: set, StartTime: p.started, Time: now, Value: d.Seconds()}
		}
		add("process.cpu.time", metricdata.Sum[float64]{
			Temporality: metricdata.CumulativeTemporality, IsMonotonic: true,
			DataPoints: []metricdata.DataPoint[float64]{mode("user", u.user), mode("system", u.system)},
		})
	}
	sum := func(value int64) metricdata.Sum[int64] {
		point := metricdata.DataPoint[int64]{StartTime: p.started, Time: now, Value: value}
		return metricdata.Sum[int64]{Temporality: metricdata.CumulativeTemporality, DataPoints: []metricdata.DataPoint[int64]{point}}
	}
	if u.memory > 0 {
		add("process.memory.usage", sum(u.memory))
	}
	if u.files > 0 {
		add("process.unix.file_descriptor.count", sum(u.files))
	}
	add("process.uptime", metricdata.Gauge[float64]{DataPoints: []metricdata.DataPoint[float64]{
		{StartTime: p.started, Time: now, Value: now.Sub(p.started).Seconds()},
	}})
	return []metricdata.ScopeMetrics{scope}, nil
}

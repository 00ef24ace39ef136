package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// ledger counts the points of very many probes as they arrive, and keeps of each probe no more than it takes to judge
// it.
type ledger struct {
	mu       sync.Mutex
	requests int
	largest  int // size in bytes of the largest request
	probes   map[string]*account
	agents   map[string]bool // by service.instance.id
	series   map[string]bool // metric and attributes of each series of a probe, but for its result, if they are wanted
	memory   []reading       // process.memory.usage
	agent    totals          // of the counters of the agent
}

// account is one probe.
type account struct {
	at   []int64 // the times of its points of connection_success, in ns since 1970
	runs totals  // wsprobe.runs
}

// reading is one value at one time.
type reading struct {
	at    time.Time
	value float64
}

// totals are the sums of a counter, by the attributes.
type totals map[string]float64

// add takes a value that counts from the start, or since the one before.
func (t totals) add(attributes string, value float64, delta bool) {
	if delta {
		value += t[attributes]
	}
	t[attributes] = value
}

func newLedger(withSeries bool) *ledger {
	y := &ledger{probes: map[string]*account{}, agent: totals{}, agents: map[string]bool{}}
	if withSeries {
		y.series = map[string]bool{}
	}
	return y
}

// add counts a request of so many bytes.
func (y *ledger) add(metrics pmetric.Metrics, size int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.requests++
	y.largest = max(y.largest, size)
	for _, rm := range metrics.ResourceMetrics().All() {
		if id, ok := rm.Resource().Attributes().Get("service.instance.id"); ok {
			y.agents[id.Str()] = true
		}
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				y.metric(m)
			}
		}
	}
}

func (y *ledger) metric(m pmetric.Metric) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		for _, p := range m.Gauge().DataPoints().All() {
			if one := y.probe(m.Name(), p.Attributes()); one != nil && m.Name() == "wsprobe.connection_success" {
				one.at = append(one.at, p.Timestamp().AsTime().UnixNano())
			}
		}
	case pmetric.MetricTypeSum:
		delta := m.Sum().AggregationTemporality() == pmetric.AggregationTemporalityDelta
		for _, p := range m.Sum().DataPoints().All() {
			one := y.probe(m.Name(), p.Attributes())
			switch {
			case one != nil && m.Name() == "wsprobe.runs":
				one.runs.add(identity(p.Attributes()), number(p), delta)
			case one == nil && m.Name() == "process.memory.usage":
				y.memory = append(y.memory, reading{p.Timestamp().AsTime(), number(p)})
			case one == nil:
				y.agent.add(m.Name()+" "+identity(p.Attributes()), number(p), delta)
			}
		}
	case pmetric.MetricTypeHistogram:
		for _, p := range m.Histogram().DataPoints().All() {
			y.probe(m.Name(), p.Attributes())
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, p := range m.ExponentialHistogram().DataPoints().All() {
			y.probe(m.Name(), p.Attributes())
		}
	}
}

// probe returns the probe that a point belongs to, or nil, and notes the series.
func (y *ledger) probe(metric string, attributes pcommon.Map) *account {
	name, ok := attributes.Get("wsprobe.name")
	if !ok {
		return nil
	}
	if y.series != nil {
		y.series[metric+" "+identity(attributes, "wsprobe.reason", "error.type")] = true
	}
	one := y.probes[name.Str()]
	if one == nil {
		one = &account{runs: totals{}}
		y.probes[name.Str()] = one
	}
	return one
}

// identity is the same for two maps with the same entries, but for some keys.
func identity(m pcommon.Map, without ...string) string {
	entries := make([]string, 0, m.Len())
	for k, v := range m.All() {
		if !slices.Contains(without, k) {
			entries = append(entries, k+"="+v.AsString())
		}
	}
	slices.Sort(entries)
	return fmt.Sprint(entries)
}

// times returns the times of the runs of a probe, each once, and how many points came again.
func (y *ledger) times(name string) (at []int64, again int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	one := y.probes[name]
	if one == nil {
		return nil, 0
	}
	at = slices.Sorted(slices.Values(one.at))
	at = slices.Compact(at)
	return at, len(one.at) - len(at)
}

// total is what wsprobe.runs says of a probe.
func (y *ledger) total(name string) int {
	y.mu.Lock()
	defer y.mu.Unlock()
	var sum float64
	if one := y.probes[name]; one != nil {
		for _, v := range one.runs {
			sum += v
		}
	}
	return int(sum)
}

// counter is the sum of a counter of the agent.
func (y *ledger) counter(name string) int {
	y.mu.Lock()
	defer y.mu.Unlock()
	var sum float64
	for series, v := range y.agent {
		if strings.HasPrefix(series, name+" ") {
			sum += v
		}
	}
	return int(sum)
}

// peaks are the most memory before and after the middle of the time that follows a moment.
func (y *ledger) peaks(after time.Time) (first, second float64) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if len(y.memory) == 0 {
		return 0, 0
	}
	middle := after.Add(y.memory[len(y.memory)-1].at.Sub(after) / 2)
	for _, s := range y.memory {
		switch {
		case s.at.Before(after):
		case s.at.Before(middle):
			first = max(first, s.value)
		default:
			second = max(second, s.value)
		}
	}
	return first, second
}

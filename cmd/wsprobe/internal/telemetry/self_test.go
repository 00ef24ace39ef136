package telemetry

import (
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// figures collects the figures of this process, which is a minute old.
func figures(t *testing.T) map[string]metrics.Family {
	t.Helper()
	s, err := newSelf(process{started: time.Now().Add(-time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	scopes, err := s.collect()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]metrics.Family)
	for _, scope := range scopes {
		for _, m := range scope.Families {
			all[m.Name] = m
		}
	}
	return all
}

// TestSelfTable holds the table to what is observed, whoever observes it.
func TestSelfTable(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64 - 1))
	got := figures(t)
	for _, row := range SelfMetrics() {
		m, seen := got[row.Name]
		if delete(got, row.Name); !seen {
			if runtime.GOOS == "linux" || !strings.HasPrefix(row.Name, "process.") {
				t.Errorf("%s was not observed", row.Name)
			}
			continue
		}
		if m.Kind != row.Kind || m.Unit != row.Unit {
			t.Errorf("%s is a %s in %q, its row says a %s in %q", row.Name, m.Kind, m.Unit, row.Kind, row.Unit)
		}
		for _, p := range m.Points {
			var keys []string
			for _, a := range p.Attributes.Attributes {
				keys = append(keys, a.Key)
			}
			if !slices.Equal(keys, row.Attributes) {
				t.Errorf("%s bears %v, its row says %v", row.Name, keys, row.Attributes)
			}
		}
	}
	for name := range got {
		t.Errorf("%s has no row", name)
	}
}

// TestFiguresAreOfThisProcess: they are what they should be, as far as that can be told.
func TestFiguresAreOfThisProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells all of them")
	}
	got := figures(t)
	number := func(name string) float64 {
		if len(got[name].Points) == 0 {
			t.Fatalf("%s is absent", name)
		}
		return got[name].Points[0].Value.Float()
	}
	if up := number("process.uptime"); up < 60 {
		t.Errorf("a process that is a minute old is up for %v s", up)
	}
	if memory, used := number("process.memory.usage"), number("go.memory.used"); memory < 1<<20 || used <= 0 {
		t.Errorf("%v bytes of memory, %v of the Go runtime", memory, used)
	}
	if files := number("process.unix.file_descriptor.count"); files < 3 || files > 10_000 {
		t.Errorf("%v open files", files)
	}
	cpu := got["process.cpu.time"].Points
	if used := cpu[0].Value.Float() + cpu[1].Value.Float(); used <= 0 {
		t.Errorf("%v s of CPU", used)
	}
}

// TestFiguresTravelWithTheAgents: they are in the same request as the other points, and are counted as sent.
func TestFiguresTravelWithTheAgents(t *testing.T) {
	b := newBackend(t)
	e := exportTo(t, b.start(t), Options{Interval: time.Hour})
	e.probe(chat()).Record(good(midnight, time.Millisecond), unjudged)
	e.end(t)
	b.stop()
	uptime := func(p receiver.Point) bool {
		return p.Metric == "process.uptime" && p.Resource["service.name"] == "wsprobe"
	}
	if b.requests != 1 || !slices.ContainsFunc(b.points, uptime) || e.self.count(idAgentSent) != int64(len(b.points)) {
		t.Errorf("%d requests, %d points, %d counted", b.requests, len(b.points), e.self.count(idAgentSent))
	}
}

// TestConfigLoads: the outcome of every attempt is counted, and the time is that of the configuration in force.
func TestConfigLoads(t *testing.T) {
	telemetry := newTest(t, Options{}, new(stub))
	if got := gauges(produce(t, telemetry), idAgentLoadTime); len(got) > 0 {
		t.Errorf("a time of no load: %v", got)
	}
	telemetry.ObserveConfigLoad(ConfigLoad{At: midnight, Took: time.Second, OK: true})
	telemetry.ObserveConfigLoad(ConfigLoad{At: midnight.Add(time.Hour), Took: 2 * time.Second})
	scope := produce(t, telemetry)
	if at := gauges(scope, idAgentLoadTime)[0].Value.Float(); at != float64(midnight.Unix()) {
		t.Errorf("loaded at %v", at)
	}
	if took := gauges(scope, idAgentLoadDuration)[0].Value.Float(); took != 2 {
		t.Errorf("took %v s", took)
	}
	for i, stale := range []bool{false, true, false} {
		if got := gauges(produce(t, telemetry), idAgentConfigStale)[0].Value.Float() == 1; got != (i == 2) {
			t.Errorf("stale before step %d: %v", i, got)
		}
		telemetry.ObserveConfigStale(stale)
	}
	for _, p := range sums(scope, idAgentLoads) {
		if outcome, _ := p.Attributes.Value(keyLoadOutcome); p.Value.Float() != 1 {
			t.Errorf("%s: %v", outcome.String(), p.Value)
		}
	}
}

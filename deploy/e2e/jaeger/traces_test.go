package jaeger

import (
	"fmt"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// settings are those of an agent that exports to a Jaeger alone. Jaeger refuses the metrics.
func settings(protocol, address string, probes ...map[string]any) lab.Settings {
	return lab.Settings{
		"agent":    map[string]any{"listen": "", "location": "lab"},
		"otlp":     map[string]any{"endpoint": "http://" + address, "protocol": protocol, "interval": "1s", "traces": true},
		"defaults": map[string]any{"interval": "1s", "timeout_ms": 800},
		"probes":   probes,
	}
}

// TestEveryRunHasATrace exports traces by both protocols and wants Jaeger to find one for each run that the endpoint
// saw, by the name of its probe: with a span for each phase below it, and an error where the run failed.
func TestEveryRunHasATrace(t *testing.T) {
	for protocol, address := range map[string]func(server) string{
		"grpc":          func(s server) string { return s.grpc },
		"http/protobuf": func(s server) string { return s.http },
	} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			s, e := startServer(t), lab.NewEndpoint(t)
			e.SetDown("down", true)
			agent := lab.StartAgent(t, settings(protocol, address(s), e.RoundTrip("good", lab.Echo), e.RoundTrip("down", lab.Echo)))
			lab.Eventually(t, time.Minute, "8 traces of each probe", func() (bool, string) {
				agent.Running(t)
				good, down := s.of(t, "good"), s.of(t, "down")
				return len(good) >= 8 && len(down) >= 8, fmt.Sprint(len(good), len(down))
			})
			ended := lab.EndedBefore(time.Now().Add(-lab.InFlight))
			agent.Stop(t, lab.StopLimit)
			good, down := s.of(t, "good"), s.of(t, "down")
			e.CheckStored(t, "traces", map[string]int{"good": len(good), "down": len(down)}, ended)
			for _, tr := range good {
				checkTrace(t, tr, "ok", "connect", "upgrade", "round_trip", "close")
			}
			for _, tr := range down {
				checkTrace(t, tr, "ws_open_failed", "connect", "upgrade")
			}
			if failed := s.find(t, map[string]string{"error.type": "http_503"}); len(failed) != len(down) {
				t.Errorf("a search by error.type finds %d traces, want the %d of the probe that fails", len(failed), len(down))
			}
		})
	}
}

// of returns the traces of a probe.
func (s server) of(t *testing.T, probe string) []trace {
	t.Helper()
	return s.find(t, map[string]string{"wsprobe.name": probe})
}

// checkTrace wants a run with this reason and a span below it for each of these phases, within its time.
func checkTrace(t *testing.T, tr trace, reason string, phases ...string) {
	t.Helper()
	root := tr.root()
	if root.tag("wsprobe.reason") != reason || (root.tag("error") == "true") != (reason != "ok") {
		t.Errorf("trace %s: the run has %v, want the reason %s", tr.TraceID, root.Tags, reason)
	}
	if p := tr.Processes[root.ProcessID]; p.ServiceName != "wsprobe" {
		t.Errorf("trace %s: the service is %q", tr.TraceID, p.ServiceName)
	}
	found := map[string]bool{}
	const cut = 1 // µs: Jaeger has no shorter times
	for _, s := range tr.Spans {
		if s.SpanID == root.SpanID {
			continue
		}
		found[s.tag("wsprobe.phase")] = true
		if len(s.References) != 1 || s.References[0].SpanID != root.SpanID {
			t.Errorf("trace %s: %s has the parents %v", tr.TraceID, s.OperationName, s.References)
		}
		if s.StartTime < root.StartTime || s.StartTime+s.Duration > root.StartTime+root.Duration+2*cut {
			t.Errorf("trace %s: %s is not within the run", tr.TraceID, s.OperationName)
		}
	}
	if len(found) != len(phases) {
		t.Errorf("trace %s has the phases %v, want %v", tr.TraceID, found, phases)
	}
	for _, phase := range phases {
		if !found[phase] {
			t.Errorf("trace %s is without the phase %s", tr.TraceID, phase)
		}
	}
}

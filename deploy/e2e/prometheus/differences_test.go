package prometheus

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/prometheus/storage/remote"
	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// TestDifferencesGoOnAfterARestart exports differences, which Prometheus adds up, and restarts the agent during an
// outage. The totals must be those of all runs, in the series of the process before.
func TestDifferencesGoOnAfterARestart(t *testing.T) {
	t.Parallel()
	b, e := newBackendWith(t, remote.OTLPOptions{ConvertDelta: true}), lab.NewEndpoint(t)
	otlp := b.otlp("1s")
	otlp["temporality"], otlp["histograms"] = "delta", "exponential"
	otlp["spool"] = map[string]any{"dir": t.TempDir()}
	settings := lab.Settings{
		"agent":    map[string]any{"listen": "", "id": "lab-1"},
		"otlp":     otlp,
		"defaults": map[string]any{"interval": "1s", "timeout_ms": 800},
		"probes":   []map[string]any{e.RoundTrip("a", lab.Echo), e.RoundTrip("b", lab.Echo)},
	}
	awaitRuns := func(agent *lab.Process, more int) {
		t.Helper()
		want := b.stored(t, perRun[0])["a"] + more
		lab.Eventually(t, 2*time.Minute, fmt.Sprintf("%d runs of a", want), func() (bool, string) {
			agent.Running(t)
			n := b.stored(t, perRun[0])["a"]
			return n >= want, fmt.Sprint(n)
		})
	}
	agent := lab.StartAgent(t, settings)
	awaitRuns(agent, 5)
	b.SetUnavailable(true)
	lab.Wait(t, 4*time.Second)
	agent.Stop(t, lab.StopLimit)
	agent = lab.StartAgent(t, settings)
	lab.Wait(t, 4*time.Second)
	b.SetUnavailable(false)
	awaitRuns(agent, 10)
	awaitRuns(agent, 3)
	agent.Stop(t, lab.StopLimit)
	b.CheckAnswers(t)
	for _, name := range []string{"a", "b"} {
		b.checkNative(t, name)
	}
}

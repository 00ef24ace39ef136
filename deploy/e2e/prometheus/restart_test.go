package prometheus

import (
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// TestKilledAgentDeliversItsSpool kills the agent while the receiver is away, twice, and wants the next one to
// deliver all but the runs of the last moments before each kill, each once and in an order that Prometheus takes.
func TestKilledAgentDeliversItsSpool(t *testing.T) {
	t.Parallel()
	b, e := newBackend(t), lab.NewEndpoint(t)
	settings := many(b, e)
	settings["agent"] = map[string]any{"listen": lab.FreeAddr(t)}
	settings["otlp"] = map[string]any{
		"endpoint": b.url(), "protocol": "http/protobuf", "interval": "2s",
		"spool": map[string]any{"dir": t.TempDir()},
	}
	settings["defaults"] = map[string]any{"interval": "10s", "timeout_ms": 5000}

	agent := lab.StartAgent(t, settings)
	lab.Wait(t, 15*time.Second)
	b.setUnavailable(true)
	var kills []time.Time
	for range 2 {
		lab.Wait(t, 20*time.Second)
		agent.Running(t)
		kills = append(kills, time.Now())
		agent.Kill(t)
		agent = lab.StartAgent(t, settings)
	}
	lab.Wait(t, 5*time.Second)
	b.setUnavailable(false)
	lab.Wait(t, 20*time.Second)
	agent.Running(t)
	awaitDrained(t, b, e)
	stopped := time.Now()
	agent.Stop(t, stopLimit)
	checkAnswers(t, b)
	checkRuns(t, b, e, func(v lab.Visit) bool {
		// A kill costs the runs of one interval of exports; a machine under load is late with the disk, too.
		const unsaved = 8 * time.Second
		for _, kill := range kills {
			if v.Began.Before(kill) && v.Ended.After(kill.Add(-unsaved)) {
				return false
			}
		}
		return v.Ended.Before(stopped.Add(-inFlight))
	})
	checkOrder(t, b)
}

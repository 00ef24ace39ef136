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
	settings["agent"] = map[string]any{"listen": lab.FreeAddr(t), "location": "lab"}
	otlp := b.otlp("2s")
	otlp["spool"] = map[string]any{"dir": t.TempDir()}
	settings["otlp"] = otlp

	agent := lab.StartAgent(t, settings)
	lab.Wait(t, 15*time.Second)
	b.SetUnavailable(true)
	var kills []time.Time
	for range 2 {
		lab.Wait(t, 20*time.Second)
		agent.Running(t)
		kills = append(kills, time.Now())
		agent.Kill(t)
		agent = lab.StartAgent(t, settings)
	}
	lab.Wait(t, 5*time.Second)
	b.SetUnavailable(false)
	lab.Wait(t, 20*time.Second)
	b.stop(t, agent, e, func(v lab.Visit) bool {
		// A kill costs the runs of one interval of exports; a machine under load is late with the disk, too.
		const unsaved = 8 * time.Second
		for _, kill := range kills {
			if v.Began.Before(kill) && v.Ended.After(kill.Add(-unsaved)) {
				return false
			}
		}
		return true
	})
}

package victoriametrics

import (
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// perRun are the metrics with one sample for each run, whatever its result is.
var perRun = []string{"wsprobe_connection_success", "wsprobe_success"}

// TestEveryRunIsStored wants each run once, an outage of 20 s included, and no series with a label twice.
func TestEveryRunIsStored(t *testing.T) {
	t.Parallel()
	d, e := startDatabase(t), lab.NewEndpoint(t)
	agent := lab.StartAgent(t, lab.Settings{
		"agent":    map[string]any{"listen": "", "location": "lab"},
		"otlp":     d.otlp("5s"),
		"defaults": map[string]any{"interval": "5s", "timeout_ms": 3000},
		"probes":   e.Many(100),
	})
	lab.Wait(t, 15*time.Second)
	d.SetUnavailable(true)
	lab.Wait(t, 20*time.Second)
	d.SetUnavailable(false)
	lab.Wait(t, 20*time.Second)
	agent.Running(t)
	e.AwaitStored(t, func() map[string]int { return d.stored(t, perRun[0]) }, func(lab.Visit) bool { return true })
	ended := lab.EndedBefore(time.Now().Add(-lab.InFlight))
	agent.Stop(t, lab.StopLimit)
	d.CheckAnswers(t)
	for _, metric := range perRun {
		e.CheckStored(t, metric, d.stored(t, metric), ended)
	}
	d.checkLabels(t)
}

// checkLabels wants the place on every series, and no label twice.
func (d database) checkLabels(t *testing.T) {
	t.Helper()
	all := d.export(t, `{__name__=~".+"}`)
	if len(all) == 0 {
		t.Error("no series at all")
	}
	for _, s := range all {
		values := map[string]string{}
		for _, l := range s.labels(t) {
			if other, ok := values[l.name]; ok {
				t.Errorf("%s: label %s is there twice, %q and %q", s.Metric, l.name, other, l.value)
			}
			values[l.name] = l.value
		}
		if values["wsprobe_location"] != "lab" {
			t.Errorf("%s: without its location", s.Metric)
		}
	}
}

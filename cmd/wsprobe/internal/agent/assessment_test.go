package agent

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// condition reads a condition that is right.
func condition(t *testing.T, text string) health.Condition {
	t.Helper()
	c, err := health.ParseCondition(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestJudge: what judges a probe looks at its headline value and at nothing else of a run.
func TestJudge(t *testing.T) {
	fast := probe.Result{Opened: true, Handshake: 900 * time.Millisecond, Replied: true, RoundTrip: 20 * time.Millisecond}
	silent := probe.Result{Opened: true, Handshake: 20 * time.Millisecond}
	refused := probe.Result{}
	for _, c := range []struct {
		name               string
		in                 probe.Interpretation
		healthy, unhealthy string
		want               [3]health.Status // of the three results
	}{
		{"round_trip", probe.RoundTripLatency, "< 200", "> 500", [3]health.Status{health.Healthy, health.NoData, health.NoData}},
		{"handshake", probe.HandshakeLatency, "< 200", "> 500", [3]health.Status{health.Unhealthy, health.Healthy, health.NoData}},
		{"success_has_no_no_data", probe.ConnectionSuccess, "== 1", "== 0", [3]health.Status{health.Healthy, health.Healthy, health.Unhealthy}},
		{"no_thresholds", probe.HandshakeLatency, "", "", [3]health.Status{}},
	} {
		p := chat(c.in)
		p.Health.Thresholds = health.Thresholds{Healthy: condition(t, c.healthy), Unhealthy: condition(t, c.unhealthy)}
		for i, r := range []probe.Result{fast, silent, refused} {
			o := metrics.Observation{Result: r}
			newAssessor(&p).assess(&o)
			if got := o.Health.Status; got != c.want[i] {
				t.Errorf("%s: result %d is %v, want %v", c.name, i, got, c.want[i])
			}
		}
	}
}

// TestChanges: each change is there once, and tells when it began and when it was decided.
func TestChanges(t *testing.T) {
	var told []string
	p := chat(probe.HandshakeLatency)
	p.Health = health.Rules{Thresholds: health.Thresholds{Healthy: condition(t, "< 200")}, Dwell: health.Dwell{Breach: 20 * time.Second}}
	health := newAssessor(&p)
	for i, handshake := range []time.Duration{100, 300, 100, 300, 300, 300, 100} {
		var o metrics.Observation
		o.Result = probe.Result{Ended: began.Add(time.Duration(i) * 10 * time.Second), Opened: true, Handshake: handshake * time.Millisecond}
		health.assess(&o)
		if c := o.Change; c != nil {
			told = append(told, fmt.Sprintf("%v to %v since %v at %v", c.From, c.To, c.Since.Sub(began), c.At.Sub(began)))
		}
	}
	want := []string{
		"unknown to healthy since 0s at 0s",
		"healthy to degraded since 30s at 50s",
		"degraded to healthy since 1m0s at 1m0s",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

// began is the start of the time of these tests.
var began = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// chat is a probe without thresholds.
func chat(in probe.Interpretation) config.Probe {
	return config.Probe{Name: "chat", Spec: probe.Spec{Interpretation: in}}
}

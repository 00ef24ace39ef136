package session

import (
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
)

// TestPlanOfManyEndpoints: sessions that differ in their endpoint only have one plan, others have their own.
func TestPlanOfManyEndpoints(t *testing.T) {
	spec := func(url, send string, interval time.Duration) Spec {
		return Spec{Opening: probe.Opening{URL: url}, PingInterval: interval, Expectation: Expectation{ExpectJSON: map[string]any{"op": "x"}},
			Heartbeat: &Heartbeat{Send: send}}
	}
	first := spec("ws://a.example.com", "hi", time.Second)
	mqtt := first
	mqtt.Protocols = []string{"mqtt"}
	for name, test := range map[string]struct {
		other Spec
		same  bool
	}{
		"another endpoint":  {spec("ws://b.example.com", "hi", time.Second), true},
		"another interval":  {spec("ws://a.example.com", "hi", 2*time.Second), false},
		"another heartbeat": {spec("ws://b.example.com", "ho", time.Second), false},
		"packets of MQTT":   {mqtt, false},
	} {
		t.Run(name, func(t *testing.T) {
			hub := NewHub(Options{})
			var plans []*plan
			for _, s := range []Spec{first, test.other} {
				session := newSession(t, hub, s)
				plans = append(plans, session.prepared.Load().plan)
			}
			if same := plans[0] == plans[1]; same != test.same {
				t.Errorf("one plan: %v, want %v", same, test.same)
			}
			if packets := name == "packets of MQTT"; plans[1].joins != packets {
				t.Errorf("the messages are packets of MQTT: %v, want %v", plans[1].joins, packets)
			}
		})
	}
}

package lab

import (
	"fmt"
	"testing"
	"time"
)

// Times that are long enough for a machine under load.
const (
	// Settled is the age from which a run is in storage if the receiver was there all the time, with the default
	// interval of exports.
	Settled = 20 * time.Second
	// Drained bounds the wait for the backlog of an outage to get into storage. It passes only if a run is lost.
	Drained = 5 * time.Minute
	// StopLimit is the time in which the agent has to stop.
	StopLimit = time.Minute
	// InFlight is the age from which a run that the endpoint has seen end has ended for the agent.
	InFlight = 3 * time.Second
)

// RoundTrip is a probe whose URL ends with its name, by which the endpoint counts. Kind is one of
// the endpoint's paths.
func (e *Endpoint) RoundTrip(name, kind string) map[string]any {
	return map[string]any{"name": name, "url": e.URL + kind + name, "interpretation": "round_trip_latency", "send_message": "ping"}
}

// Held is a probe of a feed of `wsprobe target` that goes deaf, and is then opened anew, every two seconds.
func Held(name, target string) map[string]any {
	return map[string]any{"name": name, "url": "ws://" + target + "/feed-deaf?every=200ms&messages=5", "session": map[string]any{
		"ping_interval": "500ms", "max_silence": "1s", "sequence": "data.seq", "sent_at": "data.ts",
		"reconnect": map[string]any{"min": "100ms", "max": "200ms"},
	}}
}

// Many returns probes of the endpoint. Every tenth of them is of a path that ignores the close frame: such a run ends
// later than its last value.
func (e *Endpoint) Many(n int) []map[string]any {
	var probes []map[string]any
	for i := range n {
		kind := Echo
		if i%10 == 0 {
			kind = IgnoresClose
		}
		probes = append(probes, e.RoundTrip(fmt.Sprintf("p%03d", i), kind))
	}
	return probes
}

// EndedBefore tells which visits had ended at a time.
func EndedBefore(at time.Time) func(Visit) bool {
	return func(v Visit) bool { return !v.Ended.IsZero() && v.Ended.Before(at) }
}

// AwaitStored waits until every run that must be stored and ended a while ago is stored, for Drained at most: a run
// that is missing then is missing for good. Stored returns the number of samples by the name of the probe.
func (e *Endpoint) AwaitStored(t *testing.T, stored func() map[string]int, must func(Visit) bool) {
	t.Helper()
	for end := time.Now().Add(Drained); time.Now().Before(end); Wait(t, time.Second) {
		old := EndedBefore(time.Now().Add(-Settled))
		counts := stored()
		complete := true
		for name, visits := range e.Visits() {
			want := count(visits, func(v Visit) bool { return old(v) && must(v) })
			complete = complete && counts[name] >= want
		}
		if complete {
			return
		}
	}
}

// CheckStored wants one sample for every run that must be stored, and none that the endpoint did not see. Stored
// are the numbers of samples of a metric by the name of the probe.
func (e *Endpoint) CheckStored(t *testing.T, metric string, stored map[string]int, must func(Visit) bool) {
	t.Helper()
	visits := e.Visits()
	if len(visits) == 0 {
		t.Fatal("the endpoint saw no run")
	}
	seen, found, missing, extra := 0, 0, 0, 0
	for name, v := range visits {
		seen += len(v)
		found += stored[name]
		missing += max(0, count(v, must)-stored[name])
		extra += max(0, stored[name]-len(v))
	}
	for name := range stored {
		if visits[name] == nil {
			t.Errorf("%s: samples of the probe %q, which the endpoint never saw", metric, name)
		}
	}
	t.Logf("%s: %d runs seen, %d stored", metric, seen, found)
	if missing > 0 || extra > 0 {
		t.Errorf("%s: %d runs are not stored, %d are stored too often, of %d", metric, missing, extra, seen)
	}
}

func count(visits []Visit, match func(Visit) bool) int {
	n := 0
	for _, v := range visits {
		if match(v) {
			n++
		}
	}
	return n
}

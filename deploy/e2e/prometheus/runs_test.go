package prometheus

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// perRun are the metrics with one sample for each run, whatever its result is.
var perRun = []string{"wsprobe_connection_success", "wsprobe_success"}

const (
	manyProbes = 600
	// settled is the age from which a run is in storage if the receiver was there all the time: the interval
	// of exports and much time for a machine under load.
	settled = 20 * time.Second
	// drained is the time in which the backlog of an outage is in storage, on a machine under load.
	drained = time.Minute
	// stopLimit is the time in which the agent has to stop, on a machine under load.
	stopLimit = 15 * time.Second
	// inFlight is the age from which a run that the endpoint has seen end has ended for the agent.
	inFlight = 3 * time.Second
)

// many returns the settings of 600 probes with the default interval of exports. Every tenth probe has an endpoint
// that ignores the close frame, so that its runs end later than their last value.
func many(b *backend, e *lab.Endpoint) lab.Settings {
	var probes []map[string]any
	for i := range manyProbes {
		path := lab.Echo
		if i%10 == 0 {
			path = lab.IgnoresClose
		}
		probes = append(probes, roundTrip(fmt.Sprintf("p%03d", i), e.URL+path))
	}
	return lab.Settings{
		"agent":    map[string]any{"listen": ""},
		"otlp":     map[string]any{"endpoint": b.url(), "protocol": "http/protobuf"},
		"defaults": map[string]any{"interval": "10s", "timeout_ms": 5000},
		"probes":   probes,
	}
}

// roundTrip is a probe whose URL ends with its name, by which the endpoint counts.
func roundTrip(name, base string) map[string]any {
	return map[string]any{"name": name, "url": base + name, "interpretation": "round_trip_latency", "send_message": "ping"}
}

// TestEveryRunIsStored probes for a while with a receiver that is there, away for 20 s, or away for 60 s, and wants
// Prometheus to refuse no request and to have every run once.
func TestEveryRunIsStored(t *testing.T) {
	t.Parallel()
	unavailable := func(_ *testing.T, b *backend) { b.setUnavailable(true) }
	available := func(_ *testing.T, b *backend) { b.setUnavailable(false) }
	refuse := func(t *testing.T, b *backend) { b.refuse(t) }
	accept := func(t *testing.T, b *backend) { b.accept(t) }
	for _, test := range []struct {
		name        string
		outage      time.Duration
		begin, over func(*testing.T, *backend)
	}{
		{name: "without an outage"},
		{"after 20 s of status 503", 20 * time.Second, unavailable, available},
		{"after 20 s of refused connections", 20 * time.Second, refuse, accept},
		{"after 60 s of status 503", time.Minute, unavailable, available},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b, e := newBackend(t), lab.NewEndpoint(t)
			agent := lab.StartAgent(t, many(b, e))
			const before = 25 * time.Second
			lab.Wait(t, before)
			if test.outage > 0 {
				test.begin(t, b)
				lab.Wait(t, test.outage)
				test.over(t, b)
			}
			lab.Wait(t, *length-before-test.outage)
			agent.Running(t)
			awaitDrained(t, b, e)
			stopped := time.Now()
			agent.Stop(t, stopLimit)
			checkAnswers(t, b)
			checkRuns(t, b, e, func(v lab.Visit) bool { return v.Ended.Before(stopped.Add(-inFlight)) })
			checkOrder(t, b)
		})
	}
}

// awaitDrained waits until every run that ended a while ago is stored; what is missing then is missing for good.
func awaitDrained(t *testing.T, b *backend, e *lab.Endpoint) {
	t.Helper()
	for end := time.Now().Add(drained); time.Now().Before(end); lab.Wait(t, time.Second) {
		old := time.Now().Add(-settled)
		counts := b.stored(t, perRun[0])
		complete := true
		for name, visits := range e.Visits() {
			want := count(visits, func(v lab.Visit) bool { return v.Ended.Before(old) })
			complete = complete && counts[name] >= want
		}
		if complete {
			return
		}
	}
}

// count returns the number of ended visits that match.
func count(visits []lab.Visit, match func(lab.Visit) bool) int {
	n := 0
	for _, v := range visits {
		if !v.Ended.IsZero() && match(v) {
			n++
		}
	}
	return n
}

// checkRuns wants one sample of each perRun metric for every run that must be stored, and none that the endpoint did
// not see.
func checkRuns(t *testing.T, b *backend, e *lab.Endpoint, must func(lab.Visit) bool) {
	t.Helper()
	visits := e.Visits()
	if len(visits) == 0 {
		t.Fatal("the endpoint saw no run")
	}
	for _, metric := range perRun {
		counts := b.stored(t, metric)
		seen, stored, missing, extra := 0, 0, 0, 0
		for name, v := range visits {
			seen += len(v)
			stored += counts[name]
			missing += max(0, count(v, must)-counts[name])
			extra += max(0, counts[name]-len(v))
		}
		for name := range counts {
			if visits[name] == nil {
				t.Errorf("%s: samples of the probe %q, which the endpoint never saw", metric, name)
			}
		}
		t.Logf("%s: %d runs seen, %d stored", metric, seen, stored)
		if missing > 0 || extra > 0 {
			t.Errorf("%s: %d runs are not stored, %d are stored too often, of %d", metric, missing, extra, seen)
		}
	}
}

// checkAnswers wants every request to be accepted, or put off during an outage.
func checkAnswers(t *testing.T, b *backend) {
	t.Helper()
	answers := map[string]int{}
	for _, r := range b.received() {
		key := fmt.Sprint(r.status)
		if !slices.Contains([]int{http.StatusOK, http.StatusServiceUnavailable}, r.status) {
			first, _, _ := strings.Cut(r.answer, "\n") // one line a sample
			key += " " + first
		}
		answers[key]++
	}
	t.Logf("answers: %v", answers)
	delete(answers, fmt.Sprint(http.StatusServiceUnavailable))
	if ok := fmt.Sprint(http.StatusOK); answers[ok] == 0 || len(answers) > 1 {
		t.Errorf("answers: got %v, want 200 only", answers)
	}
}

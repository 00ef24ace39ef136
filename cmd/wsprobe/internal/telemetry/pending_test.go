package telemetry

import (
	"slices"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// takeAll returns the handshakes of the pending runs in ms.
func takeAll(p *pending) []int64 {
	var all []int64
	p.take(func(*noted) {}, func(r *noted) { all = append(all, r.Handshake.Milliseconds()) })
	return all
}

func TestPendingDropsTheOldest(t *testing.T) {
	dropped := 0
	p := newPending(3, func(points int) { dropped += points })
	counts := metrics.NewSeries(metrics.NewIdentity(chat()), metrics.Keep{})
	for round := range 3 { // the ring turns by another amount in each
		for i := range 5 + round {
			result := probe.Result{Opened: true, Handshake: time.Duration(i) * time.Millisecond}
			p.add(noted{Run: counts.Record(&result, unjudged)})
		}
		last := int64(4 + round)
		if got, want := takeAll(p), []int64{last - 2, last - 1, last}; !slices.Equal(got, want) {
			t.Errorf("round %d: got %v, want %v", round, got, want)
		}
	}
	// 2, 3 and 4 runs with connection_success, success and handshake_latency.
	if want := (2 + 3 + 4) * 3; dropped != want {
		t.Errorf("%d points dropped, want %d", dropped, want)
	}
	if got := takeAll(p); got != nil {
		t.Errorf("got %v from nothing", got)
	}
}

func TestDroppedRunsAreCountedByTheirPoints(t *testing.T) {
	for _, c := range []struct {
		result probe.Result
		status probehealth.Status
		want   int
	}{
		{good(midnight, time.Millisecond), unjudged, 2 + 2 + 6},
		{silent(midnight), probehealth.NoData, 2 + 1 + 1 + 5},
		{refused(midnight), unjudged, 2 + 0 + 1},
	} {
		telemetry := newTest(t, Options{PendingRuns: 1}, new(stub))
		series := telemetry.probe(chat())
		series.Record(c.result, c.status)
		series.Record(good(midnight, time.Millisecond), unjudged)
		scope := produce(t, telemetry)
		for _, p := range sums(scope, idAgentDropped) {
			want := int64(0)
			if cause, _ := p.Attributes.Value("wsprobe.drop.cause"); cause.String() == "pending_full" {
				want = int64(c.want)
			}
			if p.Value.Float() != float64(want) {
				t.Errorf("%s: got %v, want %d", encode(p.Attributes), p.Value, want)
			}
		}
		if n := len(gauges(scope, metrics.ConnectionSuccess)); n != 1 {
			t.Errorf("%d runs left, want 1", n)
		}
		for _, total := range sums(scope, metrics.Runs) {
			if total.Value.Float() == 0 {
				t.Error("a dropped run is not in the total")
			}
		}
	}
}

func TestPendingKeepsItsMemory(t *testing.T) {
	p := newPending(100, func(int) {})
	var r noted
	cycle := func() {
		for range 100 {
			p.add(r)
		}
		p.take(func(*noted) {}, func(*noted) {})
	}
	cycle()
	cycle()
	if allocs := testing.AllocsPerRun(10, cycle); allocs != 0 {
		t.Errorf("%v allocations in a cycle, want none", allocs)
	}
}

package prometheus

import (
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// TestVeryManyProbesAreStored runs as many probes as the flag says, of which one in a hundred fails, and exports them
// with native histograms. Each run must be stored once, and be in the totals and in the histograms.
func TestVeryManyProbesAreStored(t *testing.T) {
	t.Parallel()
	b, crowd := newBackend(t), lab.StartCrowd(t)
	all := crowd.Probes("p", *crowdSize)
	otlp := b.otlp("10s")
	otlp["histograms"] = "exponential"
	agent := lab.StartAgent(t, lab.Settings{
		"agent": map[string]any{"listen": lab.FreeAddr(t), "location": "lab", "log_level": "error"},
		"otlp":  otlp,
		"defaults": map[string]any{
			"interval": crowdInterval.String(), "timeout_ms": 2000, "interpretation": "round_trip_latency",
			"send_message": "ping", "expect_message": "ping",
		},
		"probes": all,
	})
	lab.Wait(t, *length)
	stopped := time.Now()
	agent.Stop(t, lab.StopLimit)

	b.CheckAnswers(t)
	b.checkSizes(t)
	b.checkRequests(t)
	b.checkCrowd(t, crowd, all, stopped)
	b.checkGaps(t)
	b.checkHistograms(t)
}

// checkCrowd compares the connections that the endpoint counted with the samples and the total of each probe. A run
// that was under way at the stop may be missing.
func (b *backend) checkCrowd(t *testing.T, crowd *lab.Crowd, all []map[string]any, stopped time.Time) {
	t.Helper()
	counts, points, totals := crowd.Counts(t), b.stored(t, perRun[0]), map[string]int{}
	newest := map[string]float64{}
	b.samples(t, "wsprobe_runs_total", func(series labels.Labels, _ time.Time, v float64) {
		name := series.Get("wsprobe_name")
		totals[name] += int(v - newest[series.String()])
		newest[series.String()] = v
	})
	var faults []string
	runs := 0
	for _, probe := range all {
		name := probe["name"].(string)
		seen := counts[name]
		if crowd.Refused(probe) {
			seen.Count = totals[name]
		}
		if cut := time.UnixMilli(seen.Last).After(stopped.Add(-lab.InFlight)); cut && seen.Count == points[name]+1 {
			seen.Count--
		}
		runs += points[name]
		if points[name] == 0 || points[name] != seen.Count || points[name] != totals[name] {
			faults = append(faults, name)
			t.Logf("%s: %d runs seen, %d stored, %d in wsprobe.runs", name, seen.Count, points[name], totals[name])
		}
	}
	report(t, "runs", faults)
	t.Logf("%d runs of %d probes", runs, len(all))
}

// checkGaps wants a stored run of each probe at each tick after its first ones, unless the agent has counted it as
// skipped.
func (b *backend) checkGaps(t *testing.T) {
	t.Helper()
	at, skipped := map[string][]time.Time{}, map[string]float64{}
	b.samples(t, perRun[0], func(series labels.Labels, when time.Time, _ float64) {
		name := series.Get("wsprobe_name")
		at[name] = append(at[name], when)
	})
	b.samples(t, "wsprobe_agent_run_skipped_total", func(series labels.Labels, _ time.Time, v float64) {
		skipped[series.String()] = max(skipped[series.String()], v)
	})
	ticks, missing, most := 0, 0, 0.0
	for name, times := range at {
		slices.SortFunc(times, time.Time.Compare)
		for i := 2; i < len(times); i++ { // the first run may come before the first tick
			intervals := int((times[i].Sub(times[i-1]) + *crowdInterval/2) / *crowdInterval)
			if ticks++; intervals == 0 {
				t.Errorf("%s: two runs in %v", name, times[i].Sub(times[i-1]))
			}
			missing += max(intervals-1, 0)
		}
	}
	for _, n := range skipped {
		most += n
	}
	if float64(missing) > most || ticks == 0 {
		t.Errorf("%d ticks have no stored run, %v were counted as skipped", missing, most)
	}
	t.Logf("%d ticks have a stored run, %d have none; %v were skipped", ticks, missing, most)
}

// checkHistograms wants as many observations as there are latencies.
func (b *backend) checkHistograms(t *testing.T) {
	t.Helper()
	for gauge, histogram := range map[string]string{
		"wsprobe_handshake_latency_milliseconds":  "wsprobe_handshake_duration_milliseconds",
		"wsprobe_round_trip_latency_milliseconds": "wsprobe_round_trip_duration_milliseconds",
	} {
		values, observations := 0, 0.0
		for _, n := range b.stored(t, gauge) {
			values += n
		}
		for _, n := range b.histograms(t, histogram) {
			observations += n
		}
		if values == 0 || observations != float64(values) {
			t.Errorf("%s: %v observations, %d latencies", histogram, observations, values)
		}
	}
}

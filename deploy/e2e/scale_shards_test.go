package e2e

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// TestShards runs ten agents that share the probes of a file as those of deploy/kubernetes/shards.yaml do, and beside
// them one agent that has all. Both must tell of the same series, and of the same ticks of each probe.
func TestShards(t *testing.T) {
	t.Parallel()
	const shards = 10
	s, crowd := size(t, 1000, 20_000), lab.StartCrowd(t)
	one, ten := startPiped(t, newLedger(true)), startPiped(t, newLedger(true))
	probes := crowd.Probes("p", s.probes)
	settings := s.settings(t, one.endpoint, probes)
	agents := []*lab.Process{lab.StartAgent(t, settings)}
	settings["otlp"].(map[string]any)["endpoint"] = ten.endpoint
	shared := settings.Write(t)
	for i := range shards {
		agents = append(agents, lab.StartWith(t, []string{
			fmt.Sprintf("WSPROBE_AGENT_SHARD_INDEX=%d", i), fmt.Sprintf("WSPROBE_AGENT_SHARD_COUNT=%d", shards),
			"WSPROBE_AGENT_LISTEN=" + lab.FreeAddr(t),
		}, built(t, agentBinary), "run", "-c", shared))
	}
	lab.Wait(t, s.length)
	for _, agent := range agents {
		agent.Stop(t, lab.StopLimit)
	}
	one.stop(t)
	ten.stop(t)

	if len(one.agents) != 1 || len(ten.agents) != shards {
		t.Errorf("agents by their service.instance.id: %v, and %v", one.agents, ten.agents)
	}
	checkSameSeries(t, one.ledger, ten.ledger)
	s.checkTicks(t, one.ledger, probes)
	s.checkTicks(t, ten.ledger, probes)
	s.checkSameTicks(t, one.ledger, ten.ledger, probes)
}

func checkSameSeries(t *testing.T, one, ten *ledger) {
	t.Helper()
	var faults faults
	for series := range maps.Keys(one.series) {
		if !ten.series[series] {
			faults.add(t, "the shards lack %s", series)
		}
	}
	for series := range maps.Keys(ten.series) {
		if !one.series[series] {
			faults.add(t, "the shards alone have %s", series)
		}
	}
	faults.end(t)
	t.Logf("%d series", len(one.series))
}

// checkSameTicks compares the ticks of each probe between the later one of the first runs and the earlier one of the
// last.
func (s atScale) checkSameTicks(t *testing.T, one, ten *ledger, probes []map[string]any) {
	t.Helper()
	var faults faults
	ticks, missing := 0, 0
	for _, probe := range probes {
		name := probe["name"].(string)
		a, _ := one.times(name)
		b, _ := ten.times(name)
		if len(a) < 2 || len(b) < 2 || one.total(name) != len(a) || ten.total(name) != len(b) {
			faults.add(t, "%s: %d runs and %d in wsprobe.runs, the shards %d and %d", name, len(a), one.total(name), len(b), ten.total(name))
			continue
		}
		a, b = a[1:], b[1:] // the first run may come before the first tick
		from, to := max(a[0], b[0]), min(a[len(a)-1], b[len(b)-1])
		slack := int64(s.interval / 2) // because runs at the same tick end at different times
		within := func(at []int64) (numbers []int) {
			for _, ns := range at {
				if ns >= from-slack && ns < to+slack {
					numbers = append(numbers, s.ticks(from, ns))
				}
			}
			return numbers
		}
		of, by := within(a), within(b)
		ticks += len(of)
		missing += differences(of, by)
	}
	faults.end(t)
	skipped := one.counter("wsprobe.agent.run.skipped") + ten.counter("wsprobe.agent.run.skipped")
	t.Logf("%d ticks, %d in one of both only, %d skipped", ticks, missing, skipped)
	if missing > skipped || ticks < len(probes) {
		t.Errorf("%d ticks, %d in one of both only, %d skipped", ticks, missing, skipped)
	}
}

// differences counts the numbers that are in one list only.
func differences(a, b []int) int {
	n := 0
	for _, v := range a {
		if !slices.Contains(b, v) {
			n++
		}
	}
	for _, v := range b {
		if !slices.Contains(a, v) {
			n++
		}
	}
	return n
}

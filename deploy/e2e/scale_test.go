package e2e

import (
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// maxRequest is the longest request that gRPC servers take by default.
const maxRequest = 4 << 20

// inFlight is the age from which a run of these probes is over, the timeout and the export of a machine under load
// included.
const inFlight = 10 * time.Second

// places is the default of agent.max_concurrent: the stop cuts off so many runs at most.
const places = 256

// atScale is a test of very many probes.
type atScale struct {
	probes   int
	interval time.Duration // of the probes
	length   time.Duration
	export   time.Duration // the interval of exports
	warm     time.Duration // after which memory counts
	again    bool          // whether points may come twice, as after a kill of the back end
	// undelivered says that the agent has told of points that it could not deliver within the two seconds of a stop.
	// The totals of its last export are the last points to leave.
	undelivered bool
}

// size is a test of a few probes for CI, or of many for WSPROBE_E2E_MINUTES. WSPROBE_E2E_PROBES may say another number.
func size(t *testing.T, few, many int) atScale {
	t.Helper()
	if !long() {
		return atScale{probes: few, interval: 5 * time.Second, length: 30 * time.Second, export: 2 * time.Second, warm: 10 * time.Second}
	}
	number := func(variable string, n int) int {
		if text := os.Getenv(variable); text != "" {
			var err error
			if n, err = strconv.Atoi(text); err != nil || n < 1 {
				t.Fatalf("%s: %q is no number from 1 on", variable, text)
			}
		}
		return n
	}
	return atScale{
		probes: number("WSPROBE_E2E_PROBES", many), interval: time.Minute, export: 10 * time.Second,
		length: time.Duration(number("WSPROBE_E2E_MINUTES", 5)) * time.Minute, warm: 90 * time.Second,
	}
}

// settings are those of an agent that probes a crowd's endpoint.
func (s atScale) settings(t *testing.T, endpoint string, probes []map[string]any) lab.Settings {
	t.Helper()
	return lab.Settings{
		"agent": map[string]any{"listen": lab.FreeAddr(t), "location": "lab", "log_level": "warn"},
		"otlp":  map[string]any{"endpoint": endpoint, "interval": s.export.String()},
		"defaults": map[string]any{
			"interval": s.interval.String(), "timeout_ms": 2000, "interpretation": "round_trip_latency",
			"send_message": "ping", "expect_message": "ping",
		},
		"probes": probes,
	}
}

// TestHundredThousandProbes runs very many probes of which one in a hundred fails, and exports them into a Collector.
// Every run must be there once, in points and in totals, and memory must not grow.
func TestHundredThousandProbes(t *testing.T) {
	t.Parallel()
	forms := map[string]map[string]any{
		"delta": {"temporality": "delta", "histograms": "exponential"},
	}
	if long() {
		forms["cumulative"] = nil
	}
	t.Run("lateness", func(t *testing.T) { size(t, 5000, 100_000).lateness(t) })
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			s, crowd := size(t, 5000, 100_000), lab.StartCrowd(t)
			c := startPiped(t, newLedger(false))
			probes := crowd.Probes("p", s.probes)
			settings := s.settings(t, c.endpoint, probes)
			maps.Copy(settings["otlp"].(map[string]any), form)
			agent := lab.StartAgent(t, settings)
			began := time.Now()
			lab.Wait(t, s.length)
			seen := readPage(t, settings["agent"].(map[string]any)["listen"].(string))
			stopped := time.Now()
			s.stop(t, agent)
			c.stop(t)

			s.checkEveryRun(t, c.ledger, crowd, probes, stopped)
			s.checkTicks(t, c.ledger, probes)
			s.checkGrowth(t, c.ledger, began.Add(s.warm))
			s.tellStart(t, c.ledger, probes, began)
			seen.tellLateness(t, "with a Collector", page{})
			if c.largest > maxRequest {
				t.Errorf("the largest request has %d bytes, want at most %d", c.largest, maxRequest)
			}
			t.Logf("%d requests, the largest of %d bytes; %d runs were over 100 ms late", c.requests, c.largest,
				c.counter("wsprobe.agent.run.overloaded"))
		})
	}
}

// stop stops the agent, and sees whether it has delivered everything.
func (s *atScale) stop(t *testing.T, agent *lab.Process) {
	t.Helper()
	agent.Stop(t, lab.StopLimit)
	s.undelivered = strings.Contains(agent.Output(), "stopped with data points undelivered")
}

// checkEveryRun compares, for each probe, the connections that the endpoint counted, the points, and the total. A run
// that was under way at the stop may be missing.
func (s atScale) checkEveryRun(t *testing.T, y *ledger, crowd *lab.Crowd, probes []map[string]any, stopped time.Time) {
	t.Helper()
	counts := crowd.Counts(t)
	var faults faults
	runs, cut, short, never := 0, 0, 0, 0
	for _, probe := range probes {
		name := probe["name"].(string)
		at, again := y.times(name)
		runs += len(at)
		seen := counts[name]
		if crowd.Refused(probe) {
			seen.Count = len(at) // the ticks tell how many there should be
		}
		ended := seen.Count
		if last := time.UnixMilli(seen.Last); seen.Count == len(at)+1 && last.After(stopped.Add(-inFlight)) {
			ended--
			cut++
		}
		total := y.total(name)
		if total < len(at) {
			short++
		}
		if len(at) == 0 {
			never++
		}
		told := total == len(at) || s.undelivered && total == len(at)-1
		if len(at) != ended || !told || again > 0 && !s.again {
			faults.add(t, "%s: %d runs seen, %d points, %d of them again, %d in wsprobe.runs", name, seen.Count, len(at)+again, again, total)
		}
	}
	faults.end(t)
	if skipped := y.counter("wsprobe.agent.run.skipped"); runs == 0 || never > skipped {
		t.Errorf("%d probes never ran, %d runs were counted as skipped", never, skipped)
	}
	dropped := y.counter("wsprobe.agent.export.point.dropped")
	if started := y.counter("wsprobe.agent.run.started"); started < runs && !s.undelivered || started > runs+places || dropped > 0 {
		t.Errorf("wsprobe.agent: %d runs started, %d arrived, %d points dropped", started, runs, dropped)
	}
	t.Logf("%d runs of %d probes, %d cut off by the stop; the totals of %d probes lack the last run", runs, len(probes), cut, short)
}

// checkTicks wants a run of each probe at each of its ticks, unless the agent has counted it as skipped.
func (s atScale) checkTicks(t *testing.T, y *ledger, probes []map[string]any) {
	t.Helper()
	var faults faults
	missed, skipped := 0, y.counter("wsprobe.agent.run.skipped")
	for _, probe := range probes {
		name := probe["name"].(string)
		at, _ := y.times(name)
		for i := 2; i < len(at); i++ { // the first run may come before the first tick
			gap := time.Duration(at[i] - at[i-1])
			intervals := s.ticks(at[i-1], at[i])
			if missed += max(intervals-1, 0); intervals == 0 {
				faults.add(t, "%s: two runs in %v", name, gap)
			}
		}
	}
	faults.end(t)
	if missed > skipped {
		t.Errorf("%d ticks have no run, %d were counted as skipped", missed, skipped)
	}
	t.Logf("%d ticks after the first runs have no run; %d were skipped, first runs among them", missed, skipped)
}

// ticks is how many ticks lie between two runs of a probe, by their times in ns.
func (s atScale) ticks(from, to int64) int {
	return int((time.Duration(to-from) + s.interval/2) / s.interval)
}

// slack is how many bytes of memory are no growth.
const slack = 16 << 20

// growth is how many times as much memory as in the first half the second one may take.
func growth() float64 {
	if !long() {
		return 2 // because within half a minute requests may wait for a Collector on a busy machine
	}
	return 1.1
}

// checkGrowth wants the agent to need as much memory in the end as at the beginning.
func (s atScale) checkGrowth(t *testing.T, y *ledger, warm time.Time) {
	t.Helper()
	first, second := y.peaks(warm)
	if first == 0 || second > growth()*first+slack {
		t.Errorf("memory: %.0f bytes at most in the first half, then %.0f", first, second)
	}
	t.Logf("memory: %.1f MB at most in the first half, then %.1f MB", first/1e6, second/1e6)
}

// tellStart tells how the first runs were spread.
func (s atScale) tellStart(t *testing.T, y *ledger, probes []map[string]any, began time.Time) {
	t.Helper()
	var first []time.Duration
	perSecond := make([]int, 60)
	for _, probe := range probes {
		at, _ := y.times(probe["name"].(string))
		for i, ns := range at {
			since := time.Unix(0, ns).Sub(began)
			if i == 0 {
				first = append(first, since)
			}
			if second := int(since / time.Second); second >= 0 && second < len(perSecond) {
				perSecond[second]++
			}
		}
	}
	if len(first) == 0 {
		return // a fault of checkEveryRun
	}
	slices.Sort(first)
	t.Logf("the first run ended after %v, the first one of the last probe after %v; runs in each second of the first minute: %v",
		first[0].Round(time.Millisecond), first[len(first)-1].Round(time.Millisecond), perSecond)
}

// faults reports the first few of many.
type faults int

func (f *faults) add(t *testing.T, format string, values ...any) {
	t.Helper()
	const most = 10
	if *f++; *f <= most {
		t.Errorf(format, values...)
	}
}

func (f *faults) end(t *testing.T) {
	t.Helper()
	if *f > 0 {
		t.Errorf("%d probes have faults", *f)
	}
}

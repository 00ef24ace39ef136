package e2e

import (
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// page is what /metrics of an agent says of its runs and of its memory, from the start on.
type page struct {
	at     time.Time
	values map[string]float64 // by the names of the samples, summed over their labels
	late   []bucket           // of wsprobe.agent.run.start_delay
}

// bucket counts the runs that were late by at most so many ms, those of the buckets before it included.
type bucket struct{ bound, count float64 }

// readPage asks an agent that may just have started.
func readPage(t *testing.T, listen string) page {
	t.Helper()
	query := url.Values{"name": {"wsprobe_agent_run_*", "process_memory_usage_bytes"}}
	var p page
	lab.Eventually(t, time.Minute, "the agent's /metrics", func() (bool, string) {
		client := http.Client{Timeout: 30 * time.Second}
		resp, err := client.Get("http://" + listen + "/metrics?" + query.Encode())
		if err != nil {
			return false, err.Error()
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			return false, resp.Status
		}
		p = page{at: time.Now(), values: map[string]float64{}}
		for line := range strings.Lines(string(text)) {
			p.read(t, strings.TrimSpace(line))
		}
		return true, ""
	})
	return p
}

// read takes a line: a name, labels in braces, and a value.
func (p *page) read(t *testing.T, line string) {
	t.Helper()
	sample, text, ok := cutLast(line, " ")
	if !ok || strings.HasPrefix(line, "#") {
		return
	}
	value, err := strconv.ParseFloat(text, 64)
	name, labels, _ := strings.Cut(sample, "{")
	if p.values[name] += value; err == nil && name == "wsprobe_agent_run_start_delay_milliseconds_bucket" {
		_, le, _ := strings.Cut(labels, `le="`)
		le, _, _ = strings.Cut(le, `"`)
		var bound float64
		bound, err = strconv.ParseFloat(le, 64)
		p.late = append(p.late, bucket{bound, value})
	}
	if err != nil {
		t.Fatalf("line of /metrics %q: %v", line, err)
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func (p page) started() int    { return int(p.values["wsprobe_agent_run_started_total"]) }
func (p page) skipped() int    { return int(p.values["wsprobe_agent_run_skipped_total"]) }
func (p page) memory() float64 { return p.values["process_memory_usage_bytes"] }

// within returns the bound of the bucket in which so large a share of the runs since another page is.
func (p page) within(share float64, since page) float64 {
	before := map[float64]float64{}
	for _, b := range since.late {
		before[b.bound] = b.count
	}
	all := p.values["wsprobe_agent_run_start_delay_milliseconds_count"] - since.values["wsprobe_agent_run_start_delay_milliseconds_count"]
	for _, b := range p.late {
		if b.count-before[b.bound] >= share*all {
			return b.bound
		}
	}
	return math.Inf(1)
}

// tellLateness tells how late the runs since another page began. How late depends on the machine, so nothing is asked
// of it.
func (p page) tellLateness(t *testing.T, when string, since page) {
	t.Helper()
	t.Logf("%s: %d runs began late by at most %v ms (half of them), %v ms (99 %%), %v ms (all); %d skipped; %.1f MB", when,
		p.started()-since.started(), p.within(0.5, since), p.within(0.99, since), p.within(1, since),
		p.skipped()-since.skipped(), p.memory()/1e6)
}

// lateness runs very many probes without a back end, so that what is late is so by the agent and its endpoint alone.
// Each probe must have a run in each interval, or the agent has counted that it was skipped. Memory must not grow.
func (s atScale) lateness(t *testing.T) {
	crowd := lab.StartCrowd(t)
	probes := crowd.Probes("p", s.probes)
	settings := s.settings(t, "", probes)
	settings["otlp"] = map[string]any{"protocol": "none"}
	agent := lab.StartAgent(t, settings)
	listen := settings["agent"].(map[string]any)["listen"].(string)
	began := readPage(t, listen)
	lab.Wait(t, s.warm)
	warm := readPage(t, listen)
	warm.tellLateness(t, "at the start", page{})
	lab.Wait(t, (s.length-s.warm)/2)
	middle := readPage(t, listen)
	middle.tellLateness(t, "then", warm)
	lab.Wait(t, (s.length-s.warm)/2)
	last := readPage(t, listen)
	last.tellLateness(t, "then", middle)
	agent.Stop(t, lab.StopLimit)

	if first, second := middle.memory(), last.memory(); first == 0 || second > growth()*first+slack {
		t.Errorf("memory: %.0f bytes in the middle, %.0f in the end", first, second)
	}
	ticks := int((last.at.Sub(began.at) - inFlight) / s.interval)
	refused, seen, missing := 0, 0, 0
	counts := crowd.Counts(t)
	for _, probe := range probes {
		if crowd.Refused(probe) {
			refused++
			continue
		}
		n := counts[probe["name"].(string)].Count
		seen += n
		missing += max(ticks-n, 0)
	}
	if missing > last.skipped() {
		t.Errorf("%d ticks have no run, %d were counted as skipped", missing, last.skipped())
	}
	// Beside the ticks, the refused probes have a first run, and those within the slack at both ends.
	if most := seen + refused*(ticks+2+int(inFlight/s.interval)) + places; last.started() > most {
		t.Errorf("%d runs started, want at most %d: the endpoint saw %d, and refuses %d probes", last.started(), most, seen, refused)
	}
	t.Logf("%d runs at the endpoint; %d fewer than one of each probe in each interval", seen, missing)
}

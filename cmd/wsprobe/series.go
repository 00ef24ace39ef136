package main

import (
	"fmt"
	"slices"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
)

// series is what several runs of a probe came to.
type series struct {
	runs, failed int
	single       bool      // there is to be only one run
	values       []float64 // in ms, of those that were measured
	last         shot      // the last that failed
}

// seriesOf are the series of the probes, by their names.
type seriesOf map[string]*series

func (all seriesOf) add(s shot) {
	of := all[s.probe.Name]
	if of == nil {
		of = &series{single: s.number == 0}
		all[s.probe.Name] = of
	}
	of.runs++
	if s.failed() {
		of.failed++
		of.last = s
	}
	if value, measured := timed(s.probe).Value(s.result); measured {
		of.values = append(of.values, value)
	}
}

// timed is the latency of a probe: success has none, and is counted.
func timed(p config.Probe) probe.Interpretation {
	if p.Spec.Interpretation == probe.ConnectionSuccess {
		return probe.HandshakeLatency
	}
	return p.Spec.Interpretation
}

// summaryView is a series as JSON. Without a value there are no numbers.
type summaryView struct {
	Probe  string   `json:"probe"`
	Runs   int      `json:"runs"`
	Failed int      `json:"failed"`
	Loss   float64  `json:"loss_percent"`
	What   string   `json:"latency"`
	Min    *float64 `json:"min_ms"`
	Median *float64 `json:"median_ms"`
	P95    *float64 `json:"p95_ms"`
	Max    *float64 `json:"max_ms"`
}

func (s *series) view(p config.Probe) summaryView {
	v := summaryView{Probe: p.Name, Runs: s.runs, Failed: s.failed, Loss: s.loss(), What: string(timed(p))}
	if len(s.values) == 0 {
		return v
	}
	sorted := slices.Sorted(slices.Values(s.values))
	median := sorted[len(sorted)/2]
	if len(sorted)%2 == 0 {
		median = (sorted[len(sorted)/2-1] + median) / 2
	}
	p95 := nearestRank(sorted, 95)
	v.Min, v.Median, v.P95, v.Max = &sorted[0], &median, &p95, &sorted[len(sorted)-1]
	return v
}

// loss is how many of a hundred runs failed.
func (s *series) loss() float64 { return 100 * float64(s.failed) / float64(s.runs) }

// lines tell it to people.
func (s *series) lines(p config.Probe) string {
	v := s.view(p)
	text := fmt.Sprintf("  %s, %d ok, %d failed: %.4g%% lost\n", plural(v.Runs, "run"), v.Runs-v.Failed, v.Failed, v.Loss)
	if v.Min != nil {
		text += fmt.Sprintf("  %s  min %.3f  median %.3f  p95 %.3f  max %.3f ms\n", v.What, *v.Min, *v.Median, *v.P95, *v.Max)
	}
	return text
}

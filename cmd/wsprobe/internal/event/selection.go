package event

import (
	"slices"

	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/shape"
)

// Selection says which events somebody wants. An empty list or map restricts nothing.
type Selection struct {
	Probes  []string // names, in which * stands for any text
	Labels  metrics.LabelSelection
	Reasons []string
	Changes bool // only events that change the state of a probe
}

// Admits reports whether the event is wanted.
func (s *Selection) Admits(e *Event) bool {
	return (e.Changed || !s.Changes) &&
		(len(s.Reasons) == 0 || s.AdmitsReason(e.Observation.Result.Reason.String())) &&
		(len(s.Probes)+len(s.Labels) == 0 || s.AdmitsProbe(e.Observation.Probe))
}

// AdmitsReason reports whether events with the reason are wanted.
func (s *Selection) AdmitsReason(reason string) bool {
	return len(s.Reasons) == 0 || slices.Contains(s.Reasons, reason)
}

// AdmitsProbe reports whether events of the probe are wanted.
func (s *Selection) AdmitsProbe(p *metrics.Identity) bool {
	name := p.Name()
	if len(s.Probes) > 0 && !slices.ContainsFunc(s.Probes, func(pattern string) bool { return shape.Matches(pattern, name) }) {
		return false
	}
	return s.Labels.Admits(p)
}

package config

import (
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe/permit"
)

// maxTargetPatterns is how many patterns agent.probe_endpoint.targets can have.
const maxTargetPatterns = 1000

var probeEndpointSection = newSection("agent.probe_endpoint", "agent.probe_endpoint.", true, []field[ProbeEndpoint]{
	{Field: Field{Path: "targets", Kind: List, Max: maxTargetPatterns,
		Doc: "hosts and networks that /probe may be asked for, *.example.com, chat.example.com:443 or 10.0.0.0/8 for instance; none by default, " +
			"which turns /probe off; this machine, link-local and metadata addresses have to be named"},
		value: listAt(func(e *ProbeEndpoint) *[]string { return &e.Targets }), secret: public},
	{Field: Field{Path: "max_concurrent", Kind: Integer, Default: "10", Min: 1, Max: 1000,
		Doc: "maximum number of concurrent runs for /probe, beside those of agent.max_concurrent; a request beyond it is answered with 503"},
		value: integerAt(func(e *ProbeEndpoint) *int { return &e.MaxConcurrent })},
})

// probeEndpoint reads the section agent.probe_endpoint.
func (s *settingsReader) probeEndpoint(p yamltree.Pair, into *ProbeEndpoint) {
	set := newFound(len(probeEndpointSection.fields))
	readSection(s, probeEndpointSection, p, into, set)
	targets, where := set.pairs[probeEndpointSection.index["targets"]], yamltree.Path{Section: "agent.probe_endpoint", Key: "targets"}
	if len(into.Targets) > maxTargetPatterns {
		s.Used(targets.Value, targets.ValueAt, where, "must have at most %d entries, got %d", maxTargetPatterns, len(into.Targets))
	}
	s.targets = targets
	for i, pattern := range into.Targets {
		element := yamltree.Follow(targets.Value.Content[i])
		if !yamltree.IsText(element) || s.Blind && s.Substituted(element) {
			continue
		}
		if problem := permit.Problem(pattern); problem != "" {
			s.At(element, where.Item(i), "%s", problem)
		}
	}
}

// checkProbeEndpoint looks for a /probe that could not answer.
func (s *settingsReader) checkProbeEndpoint(config Config) {
	if len(config.Agent.ProbeEndpoint.Targets) == 0 {
		return
	}
	where := yamltree.Path{Section: "agent.probe_endpoint", Key: "targets"}
	switch {
	case config.Agent.Listen == "" && !s.wrong["agent.listen"]:
		s.Warn(s.targets.Value, s.targets.ValueAt, where, "has no effect: agent.listen is empty, so there is no /probe")
	case len(config.Modules) == 0:
		s.Warn(s.targets.Value, s.targets.ValueAt, where, "has no effect: there are no modules, of which /probe runs one")
	}
}

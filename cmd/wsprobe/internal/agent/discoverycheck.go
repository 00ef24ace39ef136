package agent

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/session"
)

// DiscoveryCheck is what a source of targets has.
type DiscoveryCheck struct {
	Source  *config.Discover
	Asked   bool
	Problem string // of the look, or empty
	Targets int
	Probes  []string // names of the probes that this agent would run, sorted
	Without int      // targets that get no probe
	// Rejected are the first of these.
	Rejected []Rejection
}

// CheckDiscovery looks once at every source for which ask is true, all at the same time, and returns what an agent would
// make of the targets. The probes of the configuration are among those whose names are taken.
func CheckDiscovery(ctx context.Context, cfg config.Config, ask func(*config.Discover) bool) ([]DiscoveryCheck, error) {
	a := &Agent{log: slog.New(slog.DiscardHandler), hub: session.NewHub(session.Options{}), fleet: &fleet{}}
	d := newDiscoverer(a)
	probes := cfg.OwnProbes()
	own := make(plan, len(probes)) // of which the names count
	for i := range probes {
		own[i].Probe = &probes[i]
	}
	found, err := d.resolve(&cfg, own)
	if err != nil {
		return nil, err
	}
	d.sources = found.sources
	var looks sync.WaitGroup
	for _, s := range d.sources {
		if ask(s.cfg) {
			looks.Go(func() { s.runner.looker.Look(ctx) })
		}
	}
	looks.Wait()
	if found, err = d.resolve(&cfg, own); err != nil {
		return nil, err
	}
	checks := make([]DiscoveryCheck, len(found.sources))
	for i, s := range found.sources {
		state := s.state()
		c := DiscoveryCheck{Source: s.cfg, Asked: ask(s.cfg), Problem: state.Problem, Targets: state.Targets, Rejected: s.rejected}
		for _, m := range s.made {
			if m.assigned && cfg.Agent.Shard.Owns(m.name) {
				c.Probes = append(c.Probes, m.name)
			}
		}
		for _, n := range s.counts {
			c.Without += n
		}
		slices.Sort(c.Probes)
		checks[i] = c
	}
	return checks, nil
}

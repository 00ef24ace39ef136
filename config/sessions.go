package config

import (
	"github.com/wsprobe/wsprobe/probe/session"
)

// Sessions returns how many sessions these probes have open at most: one each, and one more for each that is renewed by
// renew: before, of which MaxConcurrent open at a time.
func (a Agent) Sessions(probes []Probe) int {
	return a.most(probes, func(*Probe) int { return 1 })
}

// Sockets returns how many connections to endpoints these probes have open at most: those of their sessions, and those
// of MaxConcurrent runs.
func (a Agent) Sockets(probes []Probe) int {
	widest := 1
	for i := range probes {
		if p := &probes[i]; p.Session == nil {
			widest = max(widest, p.sockets())
		}
	}
	return a.most(probes, (*Probe).sockets) + a.MaxConcurrent*widest
}

// most is Sessions, each counted as so many.
func (a Agent) most(probes []Probe, count func(*Probe) int) int {
	all, twice, widest := 0, 0, 0
	for i := range probes {
		p := &probes[i]
		if p.Session == nil {
			continue
		}
		n := count(p)
		all += n
		if p.Session.Renew == session.RenewBefore {
			twice, widest = twice+1, max(widest, n)
		}
	}
	return all + min(twice, a.MaxConcurrent)*widest
}

// sockets returns how many connections a run or a session of the probe has: the main one, and those that steps name.
func (p *Probe) sockets() int { return len(p.Spec.ConnectionNames()) }

// checkSessions reports an agent that may not hold the sessions of its probes.
func (s *settingsReader) checkSessions(config Config) {
	const path = "agent.max_sessions"
	if config.Agent.MaxSessions == 0 || s.wrong[path] || s.wrong["agent.max_concurrent"] {
		return
	}
	if need := config.Agent.Sessions(config.OwnProbes()); need > config.Agent.MaxSessions {
		s.fault(s.origins[path], "must be at least %d for the sessions of this agent, overlaps of renew: before included, got %d", need, config.Agent.MaxSessions)
	}
}

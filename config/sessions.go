package config

import "github.com/wsprobe/wsprobe/probe/session"

// Sessions returns how many sessions these probes have open at most: one each, and one more for each that is renewed by
// renew: before, of which MaxConcurrent open at a time.
func (a Agent) Sessions(probes []Probe) int {
	sessions, twice := 0, 0
	for i := range probes {
		s := probes[i].Session
		if s == nil {
			continue
		}
		sessions++
		if s.Renew == session.RenewBefore {
			twice++
		}
	}
	return sessions + min(twice, a.MaxConcurrent)
}

// checkSessions reports an agent that may not hold the sessions of its probes.
func (s *settingsReader) checkSessions(config Config) {
	const path = "agent.max_sessions"
	if config.Agent.MaxSessions == 0 || s.wrong[path] || s.wrong["agent.max_concurrent"] {
		return
	}
	if need := config.Agent.Sessions(config.OwnProbes()); need > config.Agent.MaxSessions {
		s.fault(s.origins[path], "must be at least %d for the sessions of this agent, got %d", need, config.Agent.MaxSessions)
	}
}

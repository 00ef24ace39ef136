package config

import (
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
)

// Demand is what probes need of a process. The zero value is that of no probe.
type Demand struct {
	Probes int
	// Replies are the bytes of the longest messages of all probes, beyond [probe.DefaultMaxReply] each.
	Replies int64

	sessions, sockets int // of sessions
	overlapping       int // sessions that are renewed by renew: before
	widestOverlap     int // most connections of one of these
	widestRun         int // most connections of a run
}

// DemandOf returns what these probes need.
func DemandOf(probes ...Probe) Demand {
	var d Demand
	for i := range probes {
		d = d.And(probes[i].demand())
	}
	return d
}

// And returns what both need together.
func (d Demand) And(other Demand) Demand {
	return Demand{
		Probes:        d.Probes + other.Probes,
		Replies:       d.Replies + other.Replies,
		sessions:      d.sessions + other.sessions,
		sockets:       d.sockets + other.sockets,
		overlapping:   d.overlapping + other.overlapping,
		widestOverlap: max(d.widestOverlap, other.widestOverlap),
		widestRun:     max(d.widestRun, other.widestRun),
	}
}

// demand is what one probe needs.
func (p *Probe) demand() Demand {
	d := Demand{Probes: 1, Replies: max(p.Spec.MaxReply-probe.DefaultMaxReply, 0)}
	sockets := len(p.Spec.ConnectionNames()) // the main connection, and those that steps name
	switch {
	case p.Session == nil:
		d.widestRun = sockets
	case p.Session.Renew == session.RenewBefore:
		d.overlapping, d.widestOverlap = 1, sockets
		fallthrough
	default:
		d.sessions, d.sockets = 1, sockets
	}
	return d
}

// Sessions returns how many sessions are open at most: one of each probe that holds one, and one more for each that is
// renewed by renew: before, of which MaxConcurrent open at a time.
func (a Agent) Sessions(d Demand) int { return d.sessions + min(d.overlapping, a.MaxConcurrent) }

// Sockets returns how many connections to endpoints are open at most: those of sessions, and those of MaxConcurrent runs.
func (a Agent) Sockets(d Demand) int {
	return d.sockets + min(d.overlapping, a.MaxConcurrent)*d.widestOverlap + a.MaxConcurrent*max(d.widestRun, 1)
}

// checkSessions reports an agent that may not hold the sessions of its probes.
func (s *settingsReader) checkSessions(config Config) {
	const path = "agent.max_sessions"
	if config.Agent.MaxSessions == 0 || s.wrong[path] || s.wrong["agent.max_concurrent"] {
		return
	}
	if need := config.Agent.Sessions(DemandOf(config.OwnProbes()...)); need > config.Agent.MaxSessions {
		s.fault(s.origins[path], "must be at least %d for the sessions of this agent, overlaps of renew: before included, got %d", need, config.Agent.MaxSessions)
	}
}

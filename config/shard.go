package config

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// Shard is the part of the probes of a file that one agent of a set runs. The zero value is all of them.
type Shard struct {
	Index int // of this agent, from 0
	Count int // of agents; 0 or 1 for an agent on its own
}

// OwnProbes returns the probes that fall to this agent.
func (c Config) OwnProbes() []Probe { return c.Agent.Shard.Of(c.Probes) }

// Of returns those of these probes that belong to the shard. It changes nothing.
func (s Shard) Of(probes []Probe) []Probe {
	if s.Count <= 1 {
		return probes
	}
	return slices.DeleteFunc(slices.Clone(probes), func(p Probe) bool { return !s.Owns(p.Name) })
}

// Owns reports whether the probe of this name belongs to the shard: every probe belongs to exactly one shard of a set.
// That is the shard with the highest lot for the name (rendezvous hashing). So a new agent takes its share evenly from
// all others, and no probe moves between the others.
func (s Shard) Owns(name string) bool {
	if s.Count <= 1 {
		return true
	}
	sum := sha256.Sum256([]byte(name))
	seed := binary.BigEndian.Uint64(sum[:])
	own := lot(seed, s.Index)
	for i := range s.Count {
		if other := lot(seed, i); other > own || other == own && i < s.Index {
			return false
		}
	}
	return true
}

// lot is the lot of a shard for a name. The finalizer of MurmurHash3 mixes the two: it is a bijection in which every
// bit of the input reaches every bit of the output. It is part of the interface, because agents of different versions
// must agree.
func lot(seed uint64, shard int) uint64 {
	x := seed ^ (uint64(shard)+1)*0x9e3779b97f4a7c15
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	return x
}

// checkShard reports a shard that is only half said.
func (s *settingsReader) checkShard(shard Shard) {
	const index, count = "agent.shard.index", "agent.shard.count"
	if s.wrong[index] || s.wrong[count] {
		return
	}
	at, hasIndex := s.origins[index]
	of, hasCount := s.origins[count]
	switch {
	case hasIndex && !hasCount:
		s.fault(at, "needs count, too")
	case hasCount && !hasIndex && shard.Count > 1:
		s.fault(of, "needs index, too: which of the %d agents is this?", shard.Count)
	case hasIndex && shard.Index >= shard.Count:
		s.fault(at, "must be less than count, which is %d, got %d", shard.Count, shard.Index)
	}
}

package probe

import "github.com/wsprobe/wsprobe/reasons"

// nearKind is how near a run was to a match, for its hint.
func (r *run) nearKind() reasons.Near {
	n := &r.near
	switch {
	case r.stage != reasons.StageReply || n.expect == nil:
		return reasons.NearNot
	case n.early:
		return reasons.NearEarly
	case n.ofPast(r.turn) != "":
		return reasons.NearTaken
	case r.unmatched == 0:
		return reasons.NearNot
	case n.expect.json != nil:
		return n.miss.near()
	}
	v, _ := n.variant()
	return v.near
}

// near is the kind of the miss.
func (m jsonMiss) near() reasons.Near {
	switch {
	case m.fact == nil && m.root == 0, m.text:
		return reasons.NearNoJSON
	case m.fact == nil:
		return reasons.NearNot
	case !m.found:
		return reasons.NearNoPath
	case m.got == "" || kinds[m.got[0]] != kinds[m.fact.wanted()[0]] && !(isBool(m.got) && isBool(m.fact.wanted())):
		return reasons.NearType
	default:
		return reasons.NearValue
	}
}

func isBool(value string) bool { return value[0] == 't' || value[0] == 'f' }

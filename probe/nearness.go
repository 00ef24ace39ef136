package probe

import (
	"errors"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/match"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/reasons"
)

// remember keeps a message for the later steps that may wait for it in vain.
func (d *dialogue) remember(m *match.Message, matched bool) {
	if d.turn < len(d.probe.turns)-1 {
		d.near.Remember(m, d.turn, matched)
	}
}

// nearness says how near a failed run was to a match, in a sentence that begins with a colon, or is empty. A server
// that broke the protocol has a worse fault.
func (r *run) nearness(err error) string {
	if _, broke := errors.AsType[*frame.Breach](err); broke || r.stage != reasons.StageReply {
		return say.Own("")
	}
	return r.near.Explain(r.turn, r.redact().text)
}

// nearKind is the kind of nearness, for a hint.
func (r *run) nearKind() reasons.Near {
	if r.stage != reasons.StageReply {
		return reasons.NearNot
	}
	return r.near.Kind(r.turn)
}

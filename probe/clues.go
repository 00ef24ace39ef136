package probe

import (
	"errors"
	"net/textproto"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/opening"
	"github.com/wsprobe/wsprobe/reasons"
)

// sentLast notes the last thing that the probe sent on the open socket.
func (r *run) sentLast(what reasons.Sent, at time.Time) { r.last, r.lastAt = what, at }

// clues are the evidence for a hint about the run, which ended at the given time.
func (r *run) clues(err error, end time.Time) reasons.Clues {
	spec := &r.probe.spec
	c := reasons.Clues{
		Stage: r.stage, Secure: r.opener.Secure(), Proxied: spec.Proxy != nil,
		ClientCertificate: r.opener.Secure() && spec.TLS != nil && (len(spec.TLS.Certificates) > 0 || spec.TLS.GetClientCertificate != nil),
		Subprotocols:      len(r.spec.Protocols) > 0, Credentials: r.authorization != "", Compression: spec.Compression == CompressionOn,
		Steps: spec.Exchange != nil, Binary: spec.MessageFormat != FormatText,
		Last: r.last, First: r.attempt.First(), Says: r.attempt.Says, ExpectStatus: spec.ExpectStatus != 0,
		Expected: r.expected(), Near: r.nearKind(),
	}
	if !r.lastAt.IsZero() {
		c.SinceLast = max(end.Sub(r.lastAt), 0)
	}
	for name := range r.spec.Headers {
		switch textproto.CanonicalMIMEHeaderKey(name) {
		case "Origin":
			c.Origin = true
		case "Authorization", "Cookie":
			c.Credentials = true
		}
	}
	if b, ok := errors.AsType[*frame.Breach](err); ok {
		c.Switch, c.Own = b.Switch, b.Own
	}
	opening.TLSClues(&c, err)
	return c
}

// expected is the kind of message that the run waited for.
func (r *run) expected() reasons.Expected {
	if r.turn >= len(r.probe.turns) || r.wire == nil || r.stage == reasons.StageStay {
		return reasons.ExpectedNothing
	}
	switch texts := &r.probe.turns[r.turn].texts; {
	case texts.Pattern != "":
		return reasons.ExpectedPattern
	case texts.JSON != nil:
		return reasons.ExpectedJSON
	case texts.Expect == nil:
		return reasons.ExpectedNothing
	case *texts.Expect == "":
		return reasons.ExpectedAny
	default:
		return reasons.ExpectedText
	}
}

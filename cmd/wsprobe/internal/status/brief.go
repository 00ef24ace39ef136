package status

import (
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

// Brief is the compact form of a successful result, with all that a view shows. There is one for each of maybe a hundred
// thousand probes.
type Brief struct {
	started     time.Time
	length      time.Duration
	handshake   time.Duration
	roundTrip   time.Duration
	lag         time.Duration
	startDelay  time.Duration
	phases      [len(probe.Phases{})]time.Duration // -1 for one that did not end
	peer        string
	subprotocol string
	expiry      int64        // of the certificate, in s since 1970; 0 for none
	trace       *probe.Trace // if it is exported
	clock       probe.TimestampSource
	httpStatus  uint16
	opened      bool
	replied     bool
}

// NewBrief makes a Brief of a result, if it fits into one.
func NewBrief(r *probe.Result) (*Brief, bool) {
	if r.Reason != reasons.OK || r.ErrorType != "" || r.Steps != nil || r.Detail != "" || r.Body != "" || r.Extensions != "" ||
		r.CloseCode != 0 || r.CloseReason != "" || r.CloseByProbe || r.Unmatched != 0 || r.LastReply != "" ||
		r.CertificateExpiry.Nanosecond() != 0 {
		return nil, false
	}
	b := &Brief{
		started: r.Started, length: r.Ended.Sub(r.Started), handshake: r.Handshake, roundTrip: r.RoundTrip,
		lag: r.Lag, startDelay: r.StartDelay, peer: r.Peer, subprotocol: r.Subprotocol, clock: r.TimestampSource,
		httpStatus: uint16(r.HTTPStatus), opened: r.Opened, replied: r.Replied,
	}
	for i, span := range r.Phases {
		if b.phases[i] = -1; span.State == probe.SpanEnded {
			b.phases[i] = span.Duration()
		}
	}
	if r.Traced() {
		b.trace = &probe.Trace{ID: r.Trace.ID, Sampled: r.Trace.Sampled}
	}
	if !r.CertificateExpiry.IsZero() {
		b.expiry = r.CertificateExpiry.Unix()
	}
	return b, true
}

// Result returns a result with the same view.
func (b *Brief) Result() probe.Result {
	r := probe.Result{
		Started: b.started, Ended: b.started.Add(b.length), Handshake: b.handshake, RoundTrip: b.roundTrip,
		Lag: b.lag, StartDelay: b.startDelay, Peer: b.peer, Subprotocol: b.subprotocol, TimestampSource: b.clock,
		HTTPStatus: int(b.httpStatus), Opened: b.opened, Replied: b.replied,
	}
	for i, length := range b.phases {
		if length >= 0 {
			r.Phases[i] = probe.Span{End: length, State: probe.SpanEnded}
		}
	}
	if b.trace != nil {
		r.Trace = *b.trace
	}
	if b.expiry != 0 {
		r.CertificateExpiry = time.Unix(b.expiry, 0)
	}
	return r
}

package status

import (
	"encoding/binary"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

// Brief is the compact form of a successful result, with all that a view shows. There is one for each of maybe a
// hundred thousand probes, so its numbers and texts are packed: numbers as varints, and texts with their length before
// them.
type Brief struct {
	packed string
	trace  *probe.Trace // if it is exported
}

// The bits of the first byte of a Brief.
const (
	briefOpened = 1 << iota
	briefReplied
)

// NewBrief makes a Brief of a result, if it fits into one.
func NewBrief(r *probe.Result) (*Brief, bool) {
	if r.Reason != reasons.OK || r.ErrorType != "" || r.Steps != nil || r.Detail != "" || r.Body != "" || r.Extensions != "" ||
		r.CloseCode != 0 || r.CloseReason != "" || r.CloseByProbe || r.Unmatched != 0 || r.LastReply != "" ||
		r.CertificateExpiry.Nanosecond() != 0 {
		return nil, false
	}
	var room [256]byte
	b := &Brief{packed: string(pack(room[:0], r))}
	if r.Traced() {
		b.trace = &probe.Trace{ID: r.Trace.ID, Sampled: r.Trace.Sampled}
	}
	return b, true
}

// pack appends what a Brief has of a result.
func pack(b []byte, r *probe.Result) []byte {
	flags := byte(0)
	if r.Opened {
		flags |= briefOpened
	}
	if r.Replied {
		flags |= briefReplied
	}
	b = append(b, flags)
	expiry := int64(0) // of the certificate, in s since 1970; 0 for none
	if !r.CertificateExpiry.IsZero() {
		expiry = r.CertificateExpiry.Unix()
	}
	for _, n := range [...]int64{
		r.Started.Unix(), int64(r.Started.Nanosecond()), int64(r.Ended.Sub(r.Started)), int64(r.Handshake), int64(r.RoundTrip),
		int64(r.Lag), int64(r.StartDelay), int64(r.HTTPStatus), expiry,
	} {
		b = binary.AppendVarint(b, n)
	}
	for _, span := range r.Phases {
		length := int64(-1) // of one that did not end
		if span.State == probe.SpanEnded {
			length = int64(span.Duration())
		}
		b = binary.AppendVarint(b, length)
	}
	for _, text := range [...]string{r.Peer, r.Subprotocol, string(r.TimestampSource)} {
		b = binary.AppendVarint(b, int64(len(text)))
		b = append(b, text...)
	}
	return b
}

// Result returns a result with the same view.
func (b *Brief) Result() probe.Result {
	rest := []byte(b.packed[1:])
	number := func() int64 {
		n, size := binary.Varint(rest)
		rest = rest[size:]
		return n
	}
	length := func() time.Duration { return time.Duration(number()) }
	text := func() string {
		n := number()
		text := string(rest[:n])
		rest = rest[n:]
		return text
	}
	seconds := number()
	r := probe.Result{Opened: b.packed[0]&briefOpened != 0, Replied: b.packed[0]&briefReplied != 0, Started: time.Unix(seconds, number())}
	r.Ended = r.Started.Add(length())
	r.Handshake, r.RoundTrip, r.Lag, r.StartDelay, r.HTTPStatus = length(), length(), length(), length(), int(number())
	if expiry := number(); expiry != 0 {
		r.CertificateExpiry = time.Unix(expiry, 0)
	}
	for i := range r.Phases {
		if length := length(); length >= 0 {
			r.Phases[i] = probe.Span{End: length, State: probe.SpanEnded}
		}
	}
	r.Peer, r.Subprotocol, r.TimestampSource = text(), text(), probe.TimestampSource(text())
	if b.trace != nil {
		r.Trace = *b.trace
	}
	return r
}

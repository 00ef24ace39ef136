package probe

import (
	"crypto/rand"
	"errors"
	"time"

	"github.com/wsprobe/wsprobe/reasons"
)

// exchange provokes an answer on the open socket and waits for it.
func (r *run) exchange() error {
	switch r.probe.spec.PingMode {
	case PingMessage:
		return r.exchangeMessage()
	case PingFrame:
		return r.exchangePing()
	default:
		return nil
	}
}

// exchangeMessage sends the message and reads until a message that came after it matches.
func (r *run) exchangeMessage() error {
	r.settle()
	r.wire.drain()
	early := r.wire.early()
	var sent time.Time
	r.stage = reasons.StageReply
	if !r.wire.ended() {
		r.enter(reasons.StageSend, PhaseRoundTrip)
		sent = time.Now()
		// A failure is no end yet: what the server said before, a close frame perhaps, is still to be
		// read, and tells more than the failed write.
		if err := r.socket.write(r.probe.send, r.probe.spec.MessageFormat != FormatText); !isTimeout(err) {
			r.stage = reasons.StageReply
		}
	}
	m := newMessage(r.probe.expect, MaxReplyDetail+r.probe.redact.slack())
	buf := make([]byte, 4096)
	for n := 1; ; n++ {
		if err := r.socket.receive(m, buf); err != nil {
			return r.streamError(err)
		}
		if n > early && m.matched && !sent.IsZero() {
			r.replied(sent)
			return nil
		}
		r.res.Unmatched++
		r.lastReply = append(r.lastReply[:0], m.head...)
	}
}

// exchangePing sends a Ping frame and reads until its Pong. Data messages are none of its business.
func (r *run) exchangePing() error {
	r.wire.drain()
	var sent time.Time
	r.stage = reasons.StagePong
	if !r.wire.ended() {
		r.enter(reasons.StageSend, PhaseRoundTrip)
		sent = time.Now()
		if err := r.wire.ping(rand.Text()); isTimeout(err) {
			return err
		}
		r.stage = reasons.StagePong
	}
	m := newMessage(expectation{}, 0)
	buf := make([]byte, 4096)
	for {
		err := r.socket.receive(m, buf)
		if r.wire.scan.pong {
			r.replied(sent)
			return nil
		}
		if err != nil {
			return r.streamError(err)
		}
	}
}

// replied records the round trip: until the bytes came, not until they were looked at.
func (r *run) replied(sent time.Time) {
	r.leave(r.raw.readAt)
	r.res.Replied, r.res.RoundTrip = true, r.raw.readAt.Sub(sent)
}

// streamError finds out why reading ended. The wire knows; the library wraps what it was told, or gives up
// for a reason of its own (a pong that takes 5 s to write), in which case the run goes on without it.
func (r *run) streamError(err error) error {
	var b *breach
	switch {
	case errors.As(err, &b):
		return err
	case r.wire.fault != nil:
		return r.wire.fault
	case r.wire.ended(), isTimeout(err):
		return err
	}
	before := r.wire.scan.messages
	if end := r.wire.await(); end != nil {
		err = end
	}
	if r.probe.spec.PingMode == PingMessage {
		r.res.Unmatched += r.wire.scan.messages - before
	}
	return err
}

// greetingWait is how long a run listens for a greeting before it sends. Servers write it right behind the
// 101, but in a segment of its own, which can come a moment later: sent to at once, they would seem to have
// answered before they could. The wait is part of no value.
const greetingWait = 10 * time.Millisecond

// settle waits for what a server says of its own accord when the socket opens.
func (r *run) settle() {
	r.raw.bound(time.Now().Add(min(greetingWait, r.probe.spec.Timeout/20)))
	r.wire.listen()
	r.raw.bound(r.deadline)
}

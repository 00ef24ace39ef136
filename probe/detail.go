package probe

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/wsprobe/wsprobe/reasons"
)

// detail says for people what ended a failed run, and in which step of its exchange.
func (r *run) detail(err error) string {
	what := sayf("%s%s", r.cause(err), r.nearness(err))
	if r.res.Steps != nil && r.stage != reasons.StageStay {
		return sayf("step %d of %d: %s", r.turn+1, len(r.res.Steps), what)
	}
	return what
}

func (r *run) cause(err error) string {
	var b *breach
	switch {
	case errors.As(err, &b):
		return b.about
	case r.seen.Status != 0:
		return err.Error()
	case r.seen.CloseReceived && r.res.CloseCode == closeNoStatus:
		return sayf("close frame without a code %s%s", own(r.beforeReply()), own(r.sinceLast()))
	case r.seen.CloseReceived:
		return sayf("close frame %d \"%s\" %s%s", r.res.CloseCode, r.wire.scan.closeReason, own(r.beforeReply()), own(r.sinceLast()))
	case r.seen.DeadlinePassed && r.unsent:
		return sayf("the time of %v was up with nothing sent yet", r.limit)
	case r.seen.DeadlinePassed && r.unmatched > 0:
		return sayf("no match in %s within %v", own(messages(r.unmatched)), r.limit)
	case r.seen.DeadlinePassed && r.seen.Ponged:
		return sayf("nothing within %v but the pong: %s", r.limit, own(waitingFor[r.stage]))
	case r.seen.DeadlinePassed && r.stage == reasons.StagePong && r.wire.scan.otherPong:
		return sayf("no pong with the data of the ping within %v, but one with other data (RFC 6455 5.5.3)", r.limit)
	case r.seen.DeadlinePassed:
		return sayf("nothing within %v: %s", r.limit, own(waitingFor[r.stage]))
	case r.res.Opened:
		return sayf("connection ended without a close frame %s%s: %s", own(r.beforeReply()), own(r.sinceLast()), err)
	case r.stage == reasons.StageTunnel:
		return sayf("proxy: %s", err)
	case r.stage == reasons.StageUpgrade && r.seen.Breach == "" && !isAlert(err) && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return sayf("the connection ended while waiting for the response to the upgrade%s: %s", own(r.sinceLast()), err)
	case r.stage == reasons.StageTLS && errors.Is(err, io.EOF):
		return sayf("the connection ended in the TLS handshake: %s", err)
	default:
		return err.Error()
	}
}

// lastSent says what was sent last.
var lastSent = map[reasons.Sent]string{reasons.SentNothing: "the open", reasons.SentMessage: "the message was sent",
	reasons.SentPing: "the Ping was sent", reasons.SentBoth: "the message and the Ping were sent"}

// sinceLast says how long before the end of the run something was sent, which may be its cause.
func (r *run) sinceLast() string {
	if r.lastAt.IsZero() {
		return ""
	}
	what := lastSent[r.last]
	if !r.res.Opened {
		what = "the request was sent"
	}
	return fmt.Sprintf(", %d ms after %s", max(r.res.Ended.Sub(r.lastAt), 0).Milliseconds(), what)
}

// beforeReply says how far an open connection came.
func (r *run) beforeReply() string {
	if r.stage == reasons.StageStay {
		return fmt.Sprintf("before it had stayed open for %v", r.probe.spec.StayOpen)
	}
	if r.unmatched > 0 {
		return fmt.Sprintf("after %s that did not match", messages(r.unmatched))
	}
	return "before the reply"
}

func messages(n int) string {
	if n == 1 {
		return "1 message"
	}
	return strconv.Itoa(n) + " messages"
}

// waitingFor says what a run was doing when its time was up.
var waitingFor = map[reasons.Stage]string{
	reasons.StageDNS:     "waiting for the resolver",
	reasons.StageConnect: "waiting for the TCP connection",
	reasons.StageTunnel:  "waiting for the proxy to connect",
	reasons.StageTLS:     "waiting for the TLS handshake",
	reasons.StageUpgrade: "waiting for the response to the upgrade",
	reasons.StageSend:    "sending the message",
	reasons.StagePong:    "waiting for the pong",
	reasons.StageReply:   "waiting for the reply",
	reasons.StageStay:    "waiting whether the socket stays open",
}

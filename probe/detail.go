package probe

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/opening"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/reasons"
)

// detail is a sentence for people on the end of a failed run, with the step of its exchange.
func (r *run) detail(err error) string {
	what := say.Sentence("%s%s", r.cause(err), r.nearness(err))
	for _, other := range r.meanwhile() {
		what = say.Sentence("%s; meanwhile %s had ended%s", what, say.Own(other.name), other.how())
	}
	if r.res.Steps == nil || r.stage == reasons.StageStay || len(r.probe.turns) == 0 {
		return what
	}
	on := ""
	if len(r.probe.lines) > 0 {
		on = " on " + r.title()
	}
	return say.Sentence("step %d of %d%s: %s", r.turn+1, len(r.res.Steps), say.Own(on), what)
}

func (r *run) cause(err error) string {
	var b *frame.Breach
	switch {
	case errors.As(err, &b):
		return b.About
	case r.seen.Status != 0:
		return err.Error()
	case r.seen.CloseReceived && r.res.CloseCode == frame.CloseNoStatus:
		return say.Sentence("close frame without a code %s%s", say.Own(r.beforeReply()), say.Own(r.sinceLast()))
	case r.seen.CloseReceived:
		_, reason, _ := r.wire.Scanner().Closed()
		return say.Sentence("close frame %d \"%s\" %s%s", r.res.CloseCode, reason, say.Own(r.beforeReply()), say.Own(r.sinceLast()))
	case r.stage == reasons.StagePrepare && r.seen.DeadlinePassed:
		return say.Sentence("nothing within %v: %s", r.limit, say.Own(preparing[r.asking]))
	case r.stage == reasons.StagePrepare:
		return say.Sentence("prepare: %s%s", say.Own(r.prepareEnded(err)), err)
	case r.seen.DeadlinePassed && r.unsent:
		return say.Sentence("the time of %v was up with nothing sent yet", r.limit)
	case r.seen.DeadlinePassed && r.unmatched > 0:
		return say.Sentence("no match in %s within %v", say.Own(messages(r.unmatched)), r.limit)
	case r.seen.DeadlinePassed && r.seen.Ponged:
		return say.Sentence("nothing within %v but the pong: %s", r.limit, say.Own(waitingFor[r.stage]))
	case r.seen.DeadlinePassed && r.stage == reasons.StagePong && r.otherPonged():
		return say.Sentence("no pong with the data of the ping within %v, but one with other data (RFC 6455 5.5.3)", r.limit)
	case r.seen.DeadlinePassed:
		return say.Sentence("nothing within %v: %s", r.limit, say.Own(waitingFor[r.stage]))
	case r.wire != nil:
		return say.Sentence("connection ended without a close frame %s%s: %s", say.Own(r.beforeReply()), say.Own(r.sinceLast()), err)
	case r.stage == reasons.StageTunnel:
		return say.Sentence("proxy: %s", err)
	case r.stage == reasons.StageUpgrade && r.seen.Breach == "" && !opening.IsAlert(err) && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return say.Sentence("the connection ended while waiting for the response to the upgrade%s: %s", say.Own(r.sinceLast()), err)
	case r.stage == reasons.StageTLS && errors.Is(err, io.EOF):
		return say.Sentence("the connection ended in the TLS handshake: %s", err)
	default:
		return err.Error()
	}
}

// lastSent are the words for the last thing that the probe sent.
var lastSent = map[reasons.Sent]string{reasons.SentNothing: "the open", reasons.SentMessage: "the message was sent",
	reasons.SentPing: "the Ping was sent", reasons.SentBoth: "the message and the Ping were sent"}

// sinceLast says how long before the end of the run the probe last sent something, which may be the cause.
func (r *run) sinceLast() string {
	if r.lastAt.IsZero() {
		return ""
	}
	what := lastSent[r.last]
	if r.wire == nil {
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

// preparing are the words for the activity of a run whose time was up in its preparation, by the stage of the request.
var preparing = map[reasons.Stage]string{
	reasons.StagePrepare: "waiting for credentials",
	reasons.StageDNS:     "prepare was waiting for the resolver",
	reasons.StageConnect: "prepare was waiting for the TCP connection",
	reasons.StageTunnel:  "prepare was waiting for the proxy to connect",
	reasons.StageTLS:     "prepare was waiting for the TLS handshake",
	reasons.StageUpgrade: "prepare was waiting for the answer",
}

// prepareEnded says where the connection of the request ended, if that is all that happened.
func (r *run) prepareEnded(err error) string {
	switch ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF); {
	case ended && r.asking == reasons.StageTLS:
		return "the connection ended in the TLS handshake: "
	case ended && r.asking == reasons.StageUpgrade:
		return "the connection ended while waiting for the answer: "
	}
	return ""
}

// waitingFor are the words for the activity of a run whose time was up.
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

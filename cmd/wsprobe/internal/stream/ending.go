package stream

import (
	"fmt"
	"time"

	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// Who ends a connection.
const (
	byServer  = "server"
	byAgent   = "agent"
	byNetwork = "network"
	byTimeout = "timeout"
)

// Close codes of RFC 6455 7.4.1 and of its registry.
const (
	closeNormal      = 1000
	closeGoingAway   = 1001
	closeUnsupported = 1003
	closeNoCode      = 1005
	closeAbnormal    = 1006
	closeInvalid     = 1007
	closePolicy      = 1008
	closeTooBig      = 1009
	closeTryLater    = 1013
)

// ending is why a connection ended. The zero value is none.
type ending struct {
	by           string
	code         int // of the close frame of the server, or of ours; 1006 for an end without one
	say          int // the close code to say, or 0
	detail, hint string
	at           time.Time
}

func (e ending) shutdown() Shutdown { return Shutdown{By: e.by, CloseCode: metrics.CloseCode(e.code)} }

// setback is the end of a connection that opened at a time, for a Backoff.
func (e ending) setback(opened time.Time) session.Setback {
	s := session.Setback{Lasted: e.at.Sub(opened)}
	if e.by == byServer {
		s.Code = e.code
	}
	return s
}

// closedBy is an end by a close frame of the server.
func closedBy(code int, reason string) ending {
	way := session.End{Cause: session.ByClose, Code: code, CloseReason: reason}
	return ending{by: byServer, code: code, say: code, detail: way.Way(), hint: closeHint(code)}
}

// lost is an end without a word.
func lost(err error, shown string) ending {
	way := session.End{Cause: session.CauseOf(err), Detail: shown}
	e := ending{by: byNetwork, code: closeAbnormal, detail: way.Way()}
	switch way.Cause {
	case session.ByFIN, session.ByReset:
		e.detail += " without a close frame"
		e.hint = "the endpoint crashed or was killed, or something between cuts connections: a limit of time without traffic needs a " +
			"ping_interval below it"
	}
	return e
}

// breach is an end because the server broke the protocol.
func breach(code int, shown string) ending {
	e := ending{by: byAgent, code: code, say: code, detail: shown}
	if e.hint = "the server, or something between, does not speak WebSocket as RFC 6455 has it"; code == closeTooBig {
		e.hint = "the endpoint sends long messages: is it one that takes events?"
	}
	return e
}

// unread is an end because the server did not take what was written.
func unread(timeout time.Duration) ending {
	return ending{by: byTimeout, code: closeAbnormal, detail: "the server has not read for " + session.Span(timeout),
		hint: "the endpoint does not read, or not as fast as events come: look for what holds it up; write_timeout bounds the wait"}
}

// stopped is the end at the agent's stop.
func stopped() ending {
	return ending{by: byAgent, code: closeGoingAway, say: closeGoingAway, detail: "the agent stops"}
}

// changed is the end of a connection because the stream has another setup.
func changed() ending {
	return ending{by: byAgent, code: closeGoingAway, say: closeGoingAway, detail: "the stream has another configuration"}
}

// unanswered is an end because a Ping had no answer.
func (p *proof) unanswered() ending {
	e := ending{by: byTimeout, code: closeGoingAway, say: closeGoingAway, detail: "no Pong within " + session.Span(p.heart.timeout),
		hint: "the endpoint is gone or busy, or it does not answer Pings with their payload: "}
	if p.how == Pong {
		e.hint += "acknowledgements: written or message needs no Pong"
	} else {
		e.hint += "ping_interval: 0s sends none"
	}
	return e
}

// unacknowledged is an end because an event was not acknowledged.
func (p *proof) unacknowledged() ending {
	e := ending{by: byTimeout, code: closeGoingAway, say: closeGoingAway,
		detail: fmt.Sprintf("event %s is not acknowledged within %s", p.flights[p.head].item.ID, session.Span(ackTimeout))}
	switch a := p.acks; {
	case a.unknown > 0:
		e.hint = fmt.Sprintf("%d acknowledgements were of no event under way: does acknowledgement_path lead to the id of the event?", a.unknown)
	case a.without > 0:
		e.hint = fmt.Sprintf("%d messages came, and none has an id: does acknowledgement_path lead to it?", a.without)
	case a.long > 0:
		e.hint = fmt.Sprintf("messages of more than %d KiB are not read", maxText>>10)
	default:
		e.hint = "no message came: an endpoint that acknowledges nothing needs acknowledgements: pong or written"
	}
	return e
}

// closeHint is advice on a close code, for a side that delivers events.
func closeHint(code int) string {
	switch code {
	case closeUnsupported:
		return "the endpoint does not take this kind of message: another encoding.codec is text instead of binary, or binary instead of text"
	case closeInvalid:
		return "the endpoint cannot read the message: does it expect another encoding.codec, or one event a message?"
	case closePolicy:
		return "the endpoint refuses by its rules: mostly credentials or rights, sometimes a rate limit; its close reason may say which"
	case closeTooBig:
		return "the message is too long for the endpoint: lower batch.max_bytes or batch.max_events, or raise the limit there"
	case closeTryLater:
		return "the endpoint is overloaded or has no room for another client; the next attempt waits for it"
	case closeNormal, closeNoCode:
		return ""
	}
	return reasons.Hint(reasons.Failure{Code: reasons.ClosedEarly, Type: reasons.CloseFrame,
		Clues: reasons.Clues{Stage: reasons.StageHold, Close: code, Last: reasons.SentMessage}}, nil)
}

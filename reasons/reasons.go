// Package reasons turns the evidence of a failed WebSocket run into one of five stable codes.
//
// A code says how far the run got, because that decides who is called. A socket that never opened is the business of
// the network and the gateway. An open socket that stays silent is the business of the application behind it. Beside
// the code stands an [ErrorType], which says what broke. Both are closed sets, fit for metric attributes and alert
// rules. The raw error text is neither: it stays in the detail of the result.
package reasons

// Code is the reason why a run failed. The zero value, [OK], is the absence of a reason.
// The strings are part of wsprobe's interface and never change.
type Code string

// The codes, in the order in which a run can meet them.
const (
	// OK means that the run measured what its interpretation asks for.
	OK Code = ""
	// OpenFailed means that the socket never opened, and not for lack of time.
	OpenFailed Code = "ws_open_failed"
	// HandshakeTimeout means that the run's deadline passed before the socket was open.
	HandshakeTimeout Code = "ws_handshake_timeout"
	// ReplyTimeout means that the socket opened and nothing came back before the deadline.
	ReplyTimeout Code = "ws_reply_timeout"
	// ClosedEarly means that the socket opened, and was gone, or had to be given up, too early: before the reply, or
	// before the time for which it was to stay open.
	ClosedEarly Code = "ws_closed_early"
	// ReplyMismatch means that messages came and none of them was the expected reply.
	ReplyMismatch Code = "ws_reply_mismatch"
)

// okText is how telemetry and people spell the absence of a reason.
const okText = "ok"

// String returns the code as telemetry spells it: the stable string, or "ok".
func (c Code) String() string {
	if c == OK {
		return okText
	}
	return string(c)
}

// Codes returns the five failure codes in the order in which a run can meet them.
func Codes() []Code {
	return []Code{OpenFailed, HandshakeTimeout, ReplyTimeout, ClosedEarly, ReplyMismatch}
}

// Names returns the values that the reason of a result can have: "ok", and those of [Codes].
func Names() []string {
	all := []string{OK.String()}
	for _, code := range Codes() {
		all = append(all, code.String())
	}
	return all
}

// When says in a phrase when the code is given.
func (c Code) When() string {
	switch c {
	case OK:
		return "the run measured what it was asked for"
	case OpenFailed:
		return "the socket never opened, and not for lack of time"
	case HandshakeTimeout:
		return "the deadline passed before the socket was open"
	case ReplyTimeout:
		return "the socket opened, but the expected answer did not come before the deadline"
	case ClosedEarly:
		return "the socket opened, then was gone before the reply or the end of stay_open_ms"
	case ReplyMismatch:
		return "messages came, none of them was the expected reply"
	default:
		return "unknown code"
	}
}

// Hint says for a person where to look first; it is empty for [OK]. What the run saw says more, see the function [Hint].
func (c Code) Hint() string {
	switch c {
	case OpenFailed:
		return "look at the network, the certificate, the gateway in front and the request, in this order: the error type says which"
	case HandshakeTimeout:
		return "something on the way drops packets, or the server is too busy to answer; the phases show where the time went"
	case ReplyTimeout:
		return "the gateway is up and the application behind it is silent: look at its workers and queues, and at the message that it was sent"
	case ClosedEarly:
		return "the close code says why the server hung up; without a code look for an idle limit, a restart or a crash"
	case ReplyMismatch:
		return "compare the expectation with the last reply: the detail says how near it was"
	default:
		return ""
	}
}

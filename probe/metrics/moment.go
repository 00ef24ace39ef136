package metrics

import (
	"strconv"
	"time"

	"github.com/wsprobe/wsprobe/probe/session"
)

// Moment is the occasion of an [Observation] of a held session.
type Moment uint8

// The moments of a session. At each of them, the Result is that of a run at this time. It is OK while a session is open.
// Else its reason, error type and detail are those of the last end, or of the last open that failed. Started is the
// start of the attempt that opened the session.
const (
	// SessionOpened: the open succeeded, and so did its exchange. The Result is that of the open.
	SessionOpened Moment = iota + 1
	// SessionAnswered: the answer to a heartbeat came, or, without one, a Pong. The RoundTrip is new.
	SessionAnswered
	// SessionReported: an interval of the probe has passed.
	SessionReported
	// SessionEnded: the session is over, or an open failed, which then has no End. It is what a run is to other probes:
	// it is counted, and the Result is that of the whole session, with the phases of its open.
	SessionEnded
	// SessionExplained: the next open has met something, which explains the last end. End and Finding are set.
	SessionExplained
)

// String returns the moment in one word, "opened" for instance.
func (m Moment) String() string {
	return [...]string{"", "opened", "answered", "reported", "ended", "explained"}[m]
}

// Session is the part of an [Observation] that is about a held session.
type Session struct {
	Moment Moment
	// Open: a session is open after the moment. OK: it is also known to do what the probe asks of it. A session that
	// follows one which went deaf, or did not answer, is OK once it has done what that one failed to do.
	Open, OK bool
	// MessageAge is the time since the last wanted message, or else since the open. Aged says that it means something:
	// a session is open, and messages are waited for.
	MessageAge time.Duration
	Aged       bool
	// End is that of the last session, if it had one. Wait is then the time until the next open begins.
	End  *session.End
	Wait time.Duration
	// Downtime is the time from the end before to this open; 0 at the first one, and after one that opened first.
	Downtime time.Duration
	// Finding explains the End.
	Finding *session.Finding
}

// Planned reports whether the session ended on purpose.
func (s *Session) Planned() bool { return s.End != nil && s.End.Cause.Planned() }

// CloseCode returns a close code as an attribute of metrics, which is a closed set: those of RFC 6455 7.4.1 as they are,
// and 3xxx and 4xxx for those of libraries and applications. It is empty for 0.
func CloseCode(code int) string {
	switch {
	case code == 0:
		return ""
	case code >= 1000 && code <= 1015:
		return strconv.Itoa(code)
	case code >= 3000 && code <= 4999:
		return strconv.Itoa(code/1000) + "xxx"
	default:
		return "other"
	}
}

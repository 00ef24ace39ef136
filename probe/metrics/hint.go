package metrics

import (
	"strings"

	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// Hint is advice for people.
func (o *Observation) Hint() string {
	if s := o.Session; s != nil && s.End != nil && o.Result.Reason != reasons.OK {
		return s.Hint(o.Words)
	}
	return o.Result.Hint(o.Words)
}

// Hint is advice on the End, which must be there. It waits until the next open has met something, unless the end
// explains itself: a bare end of the connection has many causes.
func (s *Session) Hint(words reasons.Words) string {
	end := s.End
	clues := reasons.Clues{Stage: reasons.StageHold, Last: lastSent(end), SinceLast: end.IdleOut}
	switch end.Cause {
	case session.ByClose:
		clues.Close = end.Code
		fallthrough
	case session.ByFIN, session.ByReset:
		if s.Finding == nil {
			return ""
		}
	}
	if s.Finding != nil {
		switch s.Finding.Verdict {
		case session.Mute, session.Broken, session.Unknown:
		default:
			return s.Finding.String()
		}
	}
	if end.Cause == session.ByPing && end.Totals.Pongs > 0 {
		return "earlier Pings were answered: the server hangs, its host is gone, or something in between forgot the connection"
	}
	hint := reasons.Hint(reasons.Failure{Code: end.Reason, Type: end.ErrorType, Clues: clues}, words)
	if words == nil { // a session has another name for it in a file than a run
		hint = strings.ReplaceAll(hint, "send_message", "heartbeat.send")
	}
	return hint
}

// lastSent is what a session sent before its end.
func lastSent(end *session.End) reasons.Sent {
	beats := end.Totals.Beats > 0 || end.InFlight.Heartbeat || end.Cause == session.ByHeartbeat
	pings := end.Totals.Pings > 0
	switch {
	case beats && pings:
		return reasons.SentBoth
	case beats:
		return reasons.SentMessage
	case pings:
		return reasons.SentPing
	default:
		return reasons.SentNothing
	}
}

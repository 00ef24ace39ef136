package session

import (
	"fmt"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
)

// String says in words how the session ended: the way, the time without traffic, the lifetime, and what was in flight.
func (e *End) String() string {
	said := e.Way()
	if e.Connection != "" {
		said += " on connection " + e.Connection
	}
	if idle := e.Idle(); e.Cause.sudden() && idle >= time.Second {
		said += " after " + Span(idle) + " without traffic"
	} else if e.Cause.sudden() {
		said += " amid traffic"
	}
	if e.Cause == ByPing || e.Cause == ByHeartbeat {
		said += ", nothing came for " + Span(e.IdleIn)
	}
	said += ", lifetime " + Span(e.Lifetime)
	if e.Cause.sudden() {
		said += e.InFlight.words()
	}
	return said
}

// sudden reports whether the session ended without a doing of ours.
func (c Cause) sudden() bool { return c == ByClose || c == ByFIN || c == ByReset || c == ByNetwork }

// Way says in words how the session ended, without times.
func (e *End) Way() string {
	switch e.Cause {
	case ByClose:
		return e.closeFrame()
	case ByFIN:
		return "FIN"
	case ByReset:
		return "RST"
	case ByPing:
		return "no Pong in time"
	case ByHeartbeat:
		return "no answer to the heartbeat in time"
	case BySilence:
		return "no wanted message for " + Span(e.SinceWanted)
	case ByWrite:
		return "the server does not read"
	case ByLifetime:
		return "renewed as planned"
	case ByStop:
		return "stopped as planned"
	case ByNetwork:
		return e.detailed("failure of the network")
	case ByMemory:
		return "no memory left for messages"
	default: // ByBreach
		return e.detailed("breach of the protocol")
	}
}

// closeFrame says which one the server sent.
func (e *End) closeFrame() string {
	said := fmt.Sprintf("close frame %d", e.Code)
	if e.Code == frame.CloseNoStatus {
		said = "close frame without a code"
	}
	if e.CloseReason != "" {
		said += ` "` + e.CloseReason + `"`
	}
	return said
}

func (e *End) detailed(way string) string {
	if e.Detail == "" {
		return way
	}
	return way + " (" + e.Detail + ")"
}

// words says what had no end, each part after a comma.
func (f InFlight) words() string {
	var b strings.Builder
	for _, part := range []struct {
		is   bool
		said string
	}{{f.Message, "in the middle of a message"}, {f.Ping, "a Ping unanswered"}, {f.Heartbeat, "a heartbeat unanswered"}} {
		if part.is {
			b.WriteString(", " + part.said)
		}
	}
	return b.String()
}

// Span writes a length of time as people say it: in seconds up to two minutes, and then as 12m3s or 1h0m0s.
func Span(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
	case d < 2*time.Minute:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Seconds()), ".0") + " s"
	default:
		return d.Round(time.Second).String()
	}
}

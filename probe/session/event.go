package session

import (
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

// Kind says what an [Event] is about.
type Kind uint8

// The kinds.
const (
	// Ponged: the Pong for a Ping came. RTT is set.
	Ponged Kind = iota + 1
	// Unanswered: a Ping had no answer of its own in time, but another Pong came meanwhile. The session goes on.
	Unanswered
	// Beat: the answer to a heartbeat came. RTT is set.
	Beat
	// Received: a data message came. Message is set.
	Received
	// RenewalDue: the session has reached its MaxLifetime, and the next one is to be opened first.
	RenewalDue
	// Ended: the session is over. End is set. The closing handshake may follow.
	Ended
	// Closed: the connection was closed. Clean is set.
	Closed
	// Opened: a session has begun. Open and, after an earlier one, Downtime are set.
	Opened
	// OpenFailed: an open failed. Open and Wait are set.
	OpenFailed
	// Explained: the open after an end has met something, which says more about that end, or there is to be no such open.
	// End and Finding are set.
	Explained
	// Pinged: the server sent a Ping, or several at once.
	Pinged
)

// Event is something that happened in a session.
type Event struct {
	Kind    Kind
	At      time.Time
	RTT     time.Duration
	Message Message
	End     *End
	// Clean: both close frames were exchanged, and the server then ended the connection (RFC 6455 7.1.1).
	Clean bool
	// Open is the run that opened the session, or failed to.
	Open *probe.Result
	// Downtime is the time from the last end to an open. It is 0 if the next session opened first.
	Downtime time.Duration
	// Wait is the time until the next open, after an end or an open that failed.
	Wait    time.Duration
	Finding *Finding
}

// Message is a data message that came. With the subprotocol mqtt it is a packet of MQTT, which several WebSocket messages
// may have made up (MQTT-6.0.0-2).
type Message struct {
	Size   int // bytes after inflating
	Binary bool
	// Beginning returns how the message begins, visible and without secrets. It is nil without Options.Preview.
	Beginning func() string
	Wanted    bool // it is one of those that the Spec waits for; the other fields are for these
	// Gap is the time since the last wanted message, or else since the open.
	Gap time.Duration
	// Age is the time since SentAt, if Dated. It is negative if the clock of the server is ahead.
	Age   time.Duration
	Dated bool
	// Numbered: it has a number of the Sequence.
	Numbered bool
	// Lost is how many numbers of the Sequence are missing before this message. Repeated: the number came before.
	// Disordered: the number is lower than that of an earlier message. Late: it also counted as lost since then.
	Lost                       int64
	Repeated, Disordered, Late bool

	raw []byte // of the Beginning
}

// Cause says who or what ended a session. It is a closed set.
type Cause string

// The causes.
const (
	ByClose     Cause = "close"     // a close frame of the server
	ByFIN       Cause = "fin"       // the end of the TCP connection without a close frame
	ByReset     Cause = "reset"     // a TCP reset
	ByNetwork   Cause = "network"   // another failure of the connection
	ByPing      Cause = "ping"      // no Pong within PingTimeout
	ByHeartbeat Cause = "heartbeat" // no answer within Heartbeat.Timeout
	BySilence   Cause = "silence"   // no wanted message within MaxSilence
	ByWrite     Cause = "write"     // the server did not read for 10 s
	ByBreach    Cause = "breach"    // the server broke the protocol or a limit
	ByMemory    Cause = "memory"    // messages under way needed more memory than all sessions may have
	ByLifetime  Cause = "lifetime"  // our plan: a renewal
	ByStop      Cause = "stop"      // our plan: the agent stops, or its configuration has changed
)

// Causes returns every cause.
func Causes() []Cause {
	return []Cause{ByClose, ByFIN, ByReset, ByNetwork, ByPing, ByHeartbeat, BySilence, ByWrite, ByBreach, ByMemory, ByLifetime, ByStop}
}

// Planned reports whether the session ended on purpose.
func (c Cause) Planned() bool { return c == ByLifetime || c == ByStop }

// End says how a session ended.
type End struct {
	At        time.Time
	Cause     Cause
	Reason    reasons.Code
	ErrorType reasons.ErrorType
	// Code is that of the server's close frame, 1005 for one without a code, 1006 for an end without a close frame, or
	// else the code that the session sent. CloseReason is the server's.
	Code        int
	CloseReason string
	// Connection is the one beside the main one that ended, and with it the session, or empty. The End is then that of
	// this connection, but for the Lifetime and the Totals.
	Connection string
	Detail     string // a sentence about a breach or a failure, or empty
	// Lifetime is the time since the open. IdleIn and IdleOut are the times since the last byte from and to the server,
	// or else since the open. SinceMessage and SinceWanted are those since the last data message and wanted message.
	Lifetime, IdleIn, IdleOut, SinceMessage, SinceWanted time.Duration
	// LongestIdle is the longest time without a byte either way that the session outlived.
	LongestIdle time.Duration
	InFlight    InFlight
	Totals      Totals
	// Lag is how late this process found an end that the kernel keeps no time of, as far as it can tell. The end has come
	// up to so much earlier than all these times say.
	Lag time.Duration
}

// late reports whether the times of an end are those of this process, not of the end.
func (e *End) late() bool { return e.Lag > probe.OverloadBound }

// Idle is how long no byte went either way.
func (e *End) Idle() time.Duration { return min(e.IdleIn, e.IdleOut) }

// InFlight is what had no end when the session ended.
type InFlight struct {
	Ping, Heartbeat bool // without an answer
	Message         bool // begun by the server, without its end
}

// Totals are sums over a session without its Exchange. Messages that came during the Exchange and that no step waited for
// are among them.
type Totals struct {
	BytesIn, BytesOut          uint64 // frames with their headers, without TLS
	Messages, Wanted           uint64
	Pings, Pongs, Beats        uint64 // Ping frames sent, answered, and answered heartbeats
	Lost, Repeated, Disordered uint64 // of the Sequence; Lost without the numbers that came late
}

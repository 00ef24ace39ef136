package examine

import (
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
)

// Report is what is known about an endpoint. Times are in seconds. The doc tags are the README's.
type Report struct {
	URL         string         `json:"url" doc:"endpoint, without its query"`
	StartedAt   time.Time      `json:"started_at" doc:"when it began, UTC"`
	For         Seconds        `json:"for_s" doc:"--for, in seconds as all times of this object"`
	Lasted      Seconds        `json:"lasted_s" doc:"how long it took"`
	Interrupted bool           `json:"interrupted" doc:"it was ended before: what is missing was not found out"`
	Connections int            `json:"connections" doc:"how many connections were opened"`
	Servers     []string       `json:"servers" doc:"what the fields Server, Via and X-Powered-By of the response say"`
	Handshake   *Seconds       `json:"handshake_s" doc:"from the start of the first open to the open socket; null if it does not open"`
	Answers     bool           `json:"message_answered" doc:"the message of --send has an answer"`
	Reply       *Seconds       `json:"reply_s" doc:"from the first message to its answer; null if none came"`
	Idle        *IdleLimit     `json:"idle_limit" doc:"limit on the time without traffic: seconds, most_seconds (the same, or more if sessions differ), way (of the end), code, reason, sessions (that met it), sure (false if it may as well be one on the age), pings_keep_open, messages_keep_open (null: not known), owners (whose default it is), settings (of the products that end sessions in this way after a time of choice); null if none was met"`
	Open        Seconds        `json:"open_without_traffic_s" doc:"longest time without traffic that a session outlived"`
	Lifetime    *LifetimeLimit `json:"lifetime_limit" doc:"limit on the age, met although there was traffic: seconds, way, code, reason, owners; null if none was met"`
	ServerPings *ServerPings   `json:"server_pings" doc:"the server's own Pings: first_s (age of the session), every_s, ends_s (age at which a client without Pongs was ended; null if it was not), way, code, reason; null if none came"`
	Longest     *Longest       `json:"longest_message" doc:"taken_bytes, answered_bytes (the longest with an answer), refused_bytes (the shortest that was not taken; null if all were), exact (one byte apart), finished, way, code, reason; null if not tried"`
	Close       *Farewell      `json:"close" doc:"answer to a close frame with 1000: answered_s (null: none came), code, reason, tcp_ended_s (null: the server left it to the client); null if not tried"`
	CloseEmpty  *Farewell      `json:"close_without_code" doc:"the same for a close frame without a code"`
	Variants    []Variant      `json:"variants" doc:"opens that differ in one thing: name, same (no difference was seen), opened, http_status, error_type, answered (of the message of --send; compression only), subprotocol, extensions, close_code, close_reason"`
	Sessions    []*Session     `json:"sessions" doc:"each session that was held: says (idle, no_pongs, pings, messages), every_s, lifetime_s, idle_s (at its end), longest_idle_s, ended_by, code, reason, server_pings, messages, pings, pongs, failed (error type of an open that failed)"`
	Findings    []Finding      `json:"findings" doc:"the sentences of the report: about (idle, pings, lifetime, messages, close, opening), text, advice"`

	First probe.Result `json:"-"` // the first run
}

// Seconds is a time in JSON.
type Seconds float64

// seconds is a duration, exact to a microsecond.
func seconds(d time.Duration) Seconds { return Seconds(d.Round(time.Microsecond).Seconds()) }

// Duration is the time as a duration.
func (s Seconds) Duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }

// Session is a session that was held.
type Session struct {
	Habit       Habit         `json:"says"`
	Every       Seconds       `json:"every_s,omitempty"`
	Lifetime    Seconds       `json:"lifetime_s"`
	IdleAt      Seconds       `json:"idle_s"`
	LongestIdle Seconds       `json:"longest_idle_s"`
	EndedBy     session.Cause `json:"ended_by"`
	Code        int           `json:"code"`
	Reason      string        `json:"reason"`
	Pinged      int           `json:"server_pings"`
	Messages    uint64        `json:"messages"`
	Pings       uint64        `json:"pings"`
	Pongs       uint64        `json:"pongs"`
	Failed      string        `json:"failed,omitempty"`

	opened           time.Time
	firstPing, every time.Duration // age at the first Ping of the server, and the time to the next
	lastPing         time.Duration
	end              *session.End
}

// pinged notes a Ping of the server.
func (s *Session) pinged(at time.Time) {
	age := at.Sub(s.opened)
	switch s.Pinged++; s.Pinged {
	case 1:
		s.firstPing = age
	case 2:
		s.every = age - s.firstPing
	}
	s.lastPing = age
}

// ended notes the end.
func (s *Session) ended(end *session.End) {
	s.end = end
	s.Lifetime, s.IdleAt, s.LongestIdle = seconds(end.Lifetime), seconds(end.Idle()), seconds(max(end.LongestIdle, end.Idle()))
	s.EndedBy, s.Code, s.Reason = end.Cause, end.Code, end.CloseReason
	s.Messages, s.Pings, s.Pongs = end.Totals.Messages, end.Totals.Pings, end.Totals.Pongs
}

// Cut reports whether the session was ended from the other side.
func (s *Session) Cut() bool {
	if s.end == nil {
		return false
	}
	switch s.end.Cause {
	case session.ByClose, session.ByFIN, session.ByReset, session.ByNetwork:
		return true
	default: // our plan, or a breach of a limit of ours
		return false
	}
}

// said reports whether the session has said what it was to say.
func (s *Session) said() bool {
	if s.Habit == Messages {
		return s.end.InFlight.Heartbeat || s.end.Totals.Beats > 0
	}
	return s.end.Totals.Pings > 0
}

// Ending is how an endpoint ends a connection.
type Ending struct {
	Way    session.Cause `json:"way"`
	Code   int           `json:"code"`
	Reason string        `json:"reason"`
}

func (e Ending) String() string {
	said := (&session.End{Cause: e.Way, Code: e.Code, CloseReason: e.Reason}).Way()
	if e.Way == session.ByFIN || e.Way == session.ByReset {
		said += " without a close frame"
	}
	return said
}

// IdleLimit is a limit on the time without traffic.
type IdleLimit struct {
	After Seconds `json:"seconds"`
	Most  Seconds `json:"most_seconds"`
	Ending
	Sessions int      `json:"sessions"`
	Sure     bool     `json:"sure"`
	Pings    *bool    `json:"pings_keep_open"`
	Messages *bool    `json:"messages_keep_open"`
	Owners   []string `json:"owners"`
	Settings []string `json:"settings"`
}

// LifetimeLimit is a limit on the age of a session.
type LifetimeLimit struct {
	After Seconds `json:"seconds"`
	Ending
	Owners []string `json:"owners"`
}

// ServerPings are the Pings of a server.
type ServerPings struct {
	First Seconds  `json:"first_s"`
	Every Seconds  `json:"every_s"` // 0 if only one came
	Ends  *Seconds `json:"ends_s"`
	Ending
}

// Longest is the longest message that an endpoint takes.
type Longest struct {
	Taken    int  `json:"taken_bytes"`
	Answered int  `json:"answered_bytes"`
	Refused  *int `json:"refused_bytes"`
	Exact    bool `json:"exact"`
	Finished bool `json:"finished"`
	Ending
	stalled bool // the first that was not taken was not read, or had no answer
	nothing bool // not even the shortest was taken
	largest int  // bytes to try
}

// Farewell is how an endpoint takes a close frame.
type Farewell struct {
	Answered *Seconds `json:"answered_s"`
	Code     int      `json:"code"`
	Reason   string   `json:"reason"`
	TCPEnded *Seconds `json:"tcp_ended_s"`
	reset    bool     // the TCP connection ended by a reset
}

// Variant is an open that differs from the first in one thing.
type Variant struct {
	Name        string `json:"name"`
	Same        bool   `json:"same"`
	Opened      bool   `json:"opened"`
	Status      int    `json:"http_status"`
	ErrorType   string `json:"error_type"`
	Answered    *bool  `json:"answered,omitempty"`
	Subprotocol string `json:"subprotocol"`
	Extensions  string `json:"extensions"`
	CloseCode   int    `json:"close_code"`
	CloseReason string `json:"close_reason"`
}

// Finding is a sentence of the report, with advice if there is any.
type Finding struct {
	About  string `json:"about"`
	Text   string `json:"text"`
	Advice string `json:"advice,omitempty"`
}

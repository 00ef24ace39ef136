package config

import (
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
)

// Stream is one entry of the list streams: a WebSocket endpoint of somebody else that results go to as events.
type Stream struct {
	Name string // unique; the host of the URL unless the file has one
	// Opening is the way to the endpoint, as that of a probe. Timeout bounds an open.
	Opening probe.Opening
	Timeout time.Duration

	Select   Selection
	Encoding Encoding
	Batch    Batch

	PingInterval     time.Duration // 0 for no Pings beside those that ask for an acknowledgement
	PingTimeout      time.Duration // counted from each Ping
	WriteTimeout     time.Duration // of one message
	Acknowledgements string        // "written", "pong" or "message"
	AckPath          string        // of the event's id in a message that acknowledges it, or "" for the whole message
	Buffer           StreamBuffer
	Workers          int // connections, each with the events of some probes
	Reconnect        session.Reconnect
	Drain            time.Duration // how long the agent's stop goes on sending and waits for proof
	HealthCheck      string        // "log", "require" or "off"
	Ready            bool          // whether /readyz needs the stream to be connected
	// Digest is of the meaning of the stream, without the content of secrets. Two streams with the same Digest take the
	// same events to the same place in the same form.
	Digest Digest

	shownURL string
	authAt   *Fault // the place of its credentials, if it has any
}

// SetUserAgent changes the User-Agent of the stream's requests, unless its headers have one.
func (s *Stream) SetUserAgent(name string) { s.Opening.UserAgent = name }

// ShownURL returns the URL as it may be shown: without its query, and without substituted texts in its path.
func (s Stream) ShownURL() string { return shownURL(s.shownURL, s.Opening.URL) }

// ChecksHealth reports whether the log tells of a stream that cannot connect at the start.
func (s Stream) ChecksHealth() bool { return s.HealthCheck != healthOff }

// RequiresHealth reports whether an agent starts only if the stream can connect.
func (s Stream) RequiresHealth() bool { return s.HealthCheck == healthRequire }

// Selection says which events a stream carries. An empty list or map restricts nothing.
type Selection struct {
	Probes  []string          // names, in which * stands for any text
	Labels  map[string]string // every one of them
	Reasons []string
	Changes bool // only events that change the state of a probe
}

// Encoding says how an event is written.
type Encoding struct {
	Codec           string // json, json_lines, msgpack, logfmt, csv, text, otlp_json or otlp_protobuf
	OnlyFields      []string
	ExceptFields    []string
	Rename          map[string]string // the new names of fields by the old ones
	Static          map[string]string // further fields
	TimestampFormat string            // rfc3339, unix, unix_ms, unix_us, unix_ns, unix_float or java_sql
	DateKey         string            // the name of the field timestamp
	CSVFields       []string          // the columns of csv
	CSVHeader       bool              // whether each message of csv begins with their names
	CSVDelimiter    string            // one character
	Template        string            // of text
}

// Batch bounds a message. One event that exceeds MaxBytes is a message of its own.
type Batch struct {
	MaxEvents int
	MaxBytes  int64
	Linger    time.Duration // how long an event may wait for others
}

// StreamBuffer is where events wait until they are acknowledged.
type StreamBuffer struct {
	Type      string // "memory" or "disk"
	Dir       string // of "disk"
	MaxEvents int    // 0 for no such bound, with "disk"
	MaxSize   int64  // in bytes
	WhenFull  string // "drop_oldest" or "drop_newest"
}

// DropsNewest reports whether a full buffer gives up new events in place of the oldest.
func (b StreamBuffer) DropsNewest() bool { return b.WhenFull == dropNewest }

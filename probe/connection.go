package probe

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/opening"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/probe/internal/tcp"
	"github.com/wsprobe/wsprobe/probe/redact"
	"github.com/wsprobe/wsprobe/reasons"
)

// MainConnection is the name of the connection of the Spec itself, which every run opens first.
const MainConnection = "main"

// MaxConnections is how many connections an exchange may use, the main one included.
const MaxConnections = 8

// MaxConnectionName is the length of the name of a connection in characters.
const MaxConnectionName = 32

// Connection says how a further connection of an exchange differs from that of the Spec. The zero value of every field
// takes that of the Spec; all that has no field here is the same.
type Connection struct {
	// URL is another endpoint.
	URL string
	// Headers are in place of those of the Spec. Empty and not nil adds none.
	Headers map[string]string
	// Protocols are in place of those of the Spec, and any of them is good. Empty and not nil offers none.
	Protocols []string
	// Authorize is in place of that of the Spec.
	Authorize func(ctx context.Context) (string, error)
}

// openingOf is the way to the open socket of a connection.
func (s Spec) openingOf(name string) Opening {
	o, differs := s.Opening, s.Connections[name]
	if differs.URL != "" {
		o.URL = differs.URL
	}
	if differs.Headers != nil {
		o.Headers = differs.Headers
	}
	if differs.Protocols != nil {
		o.Protocols, o.ExpectProtocol = differs.Protocols, ""
	}
	if differs.Authorize != nil {
		o.Authorize = differs.Authorize
	}
	if proxied := o.Proxy != nil && strings.EqualFold(o.Proxy.Scheme, "https"); !proxied && strings.HasPrefix(strings.ToLower(o.URL), "ws://") {
		o.TLS = nil
	}
	return o
}

// ConnectionNames returns the names of the connections of a run: the main one, and those that steps use in the order of
// their first use.
func (s Spec) ConnectionNames() []string {
	names := []string{MainConnection}
	for _, s := range s.Exchange {
		if name := s.on(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// line is a connection of a Probe, prepared.
type line struct {
	name   string
	spec   *Opening
	opener *opening.Opener
}

// newLines prepares the connections of a valid Spec beside the main one.
func newLines(s Spec) ([]line, error) {
	var lines []line
	for _, name := range s.ConnectionNames()[1:] {
		other := s
		other.Opening = s.openingOf(name)
		opener, err := newOpener(other)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line{name: name, spec: &other.Opening, opener: opener})
	}
	return lines, nil
}

// connection is one of a run.
type connection struct {
	name          string // empty for the main one
	spec          *Opening
	opener        *opening.Opener
	authorization string // the value of the Authorization field, or empty

	scratch *scratch
	attempt *opening.Attempt // part of the scratch
	raw     *tcp.Conn        // of the attempt
	wire    *frame.Stream    // of the attempt, nil before the socket is open
	socket  *socket
	watcher *watcher // nil for most runs

	used   bool         // a turn has had it
	read   int          // messages that the exchange has read from the socket
	early  int          // messages that came before a message on another connection was sent, which this one answers
	last   reasons.Sent // what was sent last, once the socket was open
	lastAt time.Time    // when that was, or else the open, or else the request

	openedAt time.Time // of one that is not the main one
}

// newConnection prepares a connection that is still to be opened.
func newConnection(name string, spec *Opening, opener *opening.Opener, authorization string) connection {
	c := connection{name: name, spec: spec, opener: opener, authorization: authorization, scratch: newScratch()}
	c.attempt = &c.scratch.attempt
	return c
}

// nameOf is the name of a connection in a run, empty for the main one.
func (p *Probe) nameOf(on int) string {
	if on == 0 {
		return ""
	}
	return p.lines[on-1].name
}

// turnTo makes the connection of a turn the current one, and reports whether it is still to be opened.
func (r *run) turnTo(t turn) (fresh bool) {
	name := r.probe.nameOf(t.on)
	for _, c := range r.all {
		if c.name == name {
			r.connection = c
			return false
		}
	}
	line := &r.lines[t.on-1]
	c := newConnection(line.name, line.spec, line.opener, r.authorizationOf(t.on))
	if w := r.main.watcher; w != nil {
		c.watcher = &watcher{Watch: w.Watch, run: r, connection: &c}
	}
	r.all = append(r.all, &c)
	r.connection = &c
	return true
}

// connect opens the current connection, which is not the main one. It is no phase of the run, but part of the step.
func (r *run) connect() error {
	begin := time.Now()
	r.res.Steps[r.turn] = Span{Start: begin.Sub(r.res.Started), State: SpanBroken}
	*r.attempt = opening.Attempt{
		Started: begin, Deadline: r.due, Authorization: r.authorization, TraceParent: r.res.Trace.Parent(),
		MaxBody: MaxBodyDetail + redact.Slack, Head: r.scratch.head, Chunk: r.scratch.chunk[:], Trace: r.watcher.trace(), Stay: r.stays,
	}
	err := r.opener.Open(r.ctx, r.attempt)
	r.stage, r.raw, r.wire, r.lastAt = r.attempt.Stage, r.attempt.Conn, r.attempt.Stream, r.attempt.AskedAt
	if refused, ok := errors.AsType[*opening.Refused](err); ok {
		r.seen.Status = refused.Status
	}
	if err != nil {
		r.res.HTTPStatus = r.attempt.Status
		r.tellRefused(r.attempt.Status, r.attempt.Authorization)
		return err
	}
	r.lastAt, r.settled, r.openedAt = r.raw.ArrivedAt, r.raw.ArrivedAt, r.raw.ArrivedAt
	r.socket = &socket{r.wire}
	return nil
}

// meanwhile says which other connections have ended, which the current one may have waited for in vain.
func (r *run) meanwhile() (told []ended) {
	for _, c := range r.all {
		if c == r.connection || c.socket == nil {
			continue
		}
		c.raw.SetEnd(time.Now().Add(time.Second)) // it does not wait, but bytes that have come are in time
		if c.wire.Drain(); c.wire.Ended() {
			told = append(told, ended{c.title(), c.wire})
		}
	}
	return told
}

// ended is a connection that ended while another one was waited for.
type ended struct {
	name string
	wire *frame.Stream
}

// how says how it ended.
func (e ended) how() string {
	if code, reason, closed := e.wire.Scanner().Closed(); closed {
		return say.Sentence(" by close frame %d \"%s\"", code, reason)
	}
	return say.Sentence(": %s", e.wire.Fault())
}

// title names the connection for people.
func (c *connection) title() string {
	if c.name == "" {
		return MainConnection
	}
	return c.name
}

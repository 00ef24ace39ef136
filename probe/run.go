package probe

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/match"
	"github.com/wsprobe/wsprobe/probe/internal/opening"
	"github.com/wsprobe/wsprobe/reasons"
)

// measure prepares the run, opens the socket and has the exchange on it.
func (r *run) measure(ctx context.Context) error {
	if err := r.prepare(ctx); err != nil {
		return err
	}
	err := r.open(ctx)
	switch {
	case errors.Is(err, opening.ErrExpectedRefusal):
		return nil
	case err != nil:
		return err
	}
	if err := r.exchange(); err != nil {
		return err
	}
	return r.stay()
}

// run is one measurement under way.
type run struct {
	probe    *Probe
	deadline time.Time
	due      time.Time     // the deadline of the step under way, which can have less time than the run
	limit    time.Duration // the time from its start to due
	res      Result

	ctx            context.Context   // of the call, which bounds redact
	authorizations []string          // the values of the Authorization fields, see authorize
	asking         reasons.Stage     // of the request of prepare
	captured       map[string]string // by it, by name
	fetched        []string          // what is secret of its answer
	lines          []line            // the connections beside the main one
	secrets        *redactor         // nil until it is needed, see redact

	stage reasons.Stage
	phase Phase // the one under way, if its span is SpanBroken
	seen  reasons.Evidence

	stays       bool              // the connections stay open for another reader
	caught      map[string]string // for that reader: the nonce, and what patterns caught
	*connection                   // the current one
	main        connection
	all         []*connection  // that were begun, the main one first
	first       [1]*connection // backs all in most runs

	unsent    bool          // time was up before a message, or a Ping, could be sent
	turn      int           // of the exchange, the one under way
	roundTrip time.Duration // of the measured turn, once it has ended
	crossed   time.Time     // when the message of the crossing turn was sent
	unmatched int           // messages that the turn under way passed over
	lastReply []byte        // the beginning of the last message that did not match
	near      match.NearMiss

	settled time.Time // when the last step ended, or else the open
}

// redact returns the redactor of the run, and makes it the first time. Most runs need none; kept ready, it would make a
// Probe half as large again.
func (r *run) redact() *redactor {
	if r.secrets == nil {
		ctx, cancel := context.WithTimeout(r.ctx, hidingTime)
		defer cancel()
		r.secrets = newRedactorWithin(ctx, r.probe.whole(), r.private()...)
	}
	return r.secrets
}

// private are the texts that are secret in this run alone.
func (r *run) private() []string {
	if len(r.fetched) == 0 {
		return r.authorizations
	}
	return slices.Concat(r.authorizations, r.fetched)
}

// enter begins a phase, and sets the stage of a failure in it.
func (r *run) enter(stage reasons.Stage, phase Phase) {
	r.stage, r.phase = stage, phase
	r.res.Phases[phase] = Span{Start: time.Since(r.res.Started), State: SpanBroken}
}

// leave ends the phase under way at the given time, but not before its start.
func (r *run) leave(at time.Time) {
	span := &r.res.Phases[r.phase]
	span.End, span.State = max(at.Sub(r.res.Started), span.Start), SpanEnded
}

// closeBudget bounds the close handshake, until the server has closed the connection.
const closeBudget = 500 * time.Millisecond

// close performs the close handshakes of all open connections, together within closeBudget: a close frame, the server's
// answer, and the end of the TCP connection, which the server closes first (RFC 6455 7.1.1). The phase is that of the
// main connection. The error is that of the current one.
func (r *run) close(err error) {
	failed := r.connection
	if r.connection = &r.main; r.socket == nil {
		return
	}
	r.enter(reasons.StageDone, PhaseClose)
	end := time.Now().Add(closeBudget)
	r.raw.SetEnd(end)
	if err == nil {
		r.wire.Drain() // the server may have been first
	}
	first := r.wire.Ended()
	for _, c := range r.all {
		if c == failed {
			c.sayGoodbye(err, end)
		} else {
			c.sayGoodbye(nil, end)
		}
	}
	answered := r.wire.Await() == nil
	if err == nil {
		r.noteFarewell(first)
	}
	r.awaitEnd(answered)
	if r.leave(time.Now()); !answered {
		r.res.Phases[PhaseClose].State = SpanBroken
	}
	for _, c := range r.all[1:] {
		if c.socket != nil {
			c.wire.Drain() // what came while the main connection was waited for
			c.awaitEnd(c.wire.Await() == nil)
		}
	}
}

// sayGoodbye sends the close frame of an open connection, whose last words are awaited until an end.
func (c *connection) sayGoodbye(err error, end time.Time) {
	if c.socket != nil {
		c.raw.SetEnd(end)
		c.wire.SendClose(c.goodbye(err))
	}
}

// awaitEnd awaits the end of the TCP connection.
func (c *connection) awaitEnd(answered bool) {
	if answered {
		c.wire.CloseWrite()
	}
	c.wire.AwaitEOF()
}

// goodbye is the code of the probe's close frame. A breach of the server decides it, even one behind the reply, and
// else the server's own close frame (RFC 6455 7.1.7 and 5.5.1).
func (c *connection) goodbye(err error) int {
	for _, fault := range []error{err, c.wire.Fault()} {
		if b, ok := errors.AsType[*frame.Breach](fault); ok {
			return b.Code
		}
	}
	if code, _, closed := c.wire.Scanner().Closed(); closed {
		return code
	}
	return frame.CloseNormal
}

// release frees the connections. A connection that never opened is dropped without a close frame.
func (r *run) release() {
	for _, c := range r.all {
		c.attempt.Close()
	}
}

// free gives the memory of the connections to other runs.
func (r *run) free() {
	for _, c := range r.all {
		c.scratch.free()
	}
}

package probe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/match"
	"github.com/wsprobe/wsprobe/probe/internal/opening"
	"github.com/wsprobe/wsprobe/probe/internal/tcp"
	"github.com/wsprobe/wsprobe/reasons"
)

// closeBudget is the time for the close handshake and for the server to close the connection.
const closeBudget = 500 * time.Millisecond

// Probe measures one endpoint. It keeps nothing from one run to the next, so runs may be concurrent.
type Probe struct {
	spec   Spec
	opener *opening.Opener
	turns  []turn
	open   bool // whether a text of the turns has a placeholder to be filled in
	// measured is the index of the turn that is the round trip, or -1.
	measured int
}

// New makes a Probe of a Spec. The error names every fault of it, one a line.
func New(s Spec) (*Probe, error) {
	s = s.WithDefaults()
	if faults := s.Validate(); len(faults) > 0 {
		var errs []error
		for _, f := range faults {
			errs = append(errs, f)
		}
		return nil, errors.Join(errs...)
	}
	s.Headers, s.Protocols, s.Secrets = maps.Clone(s.Headers), slices.Clone(s.Protocols), slices.Clone(s.Secrets)
	opener, err := newOpener(s)
	if err != nil {
		return nil, err
	}
	turns, err := newTurns(s)
	if err != nil {
		return nil, fmt.Errorf("preparing the exchange: %w", err)
	}
	open := slices.ContainsFunc(turns, func(t turn) bool { return t.open })
	return &Probe{spec: s, opener: opener, turns: turns, open: open, measured: measured(s.steps())}, nil
}

// RunOptions are what differs from one run of a probe to the next. The zero value is good.
type RunOptions struct {
	// Trace is the trace that the run is in. The upgrade request tells the endpoint of it in the field traceparent,
	// unless the Headers of the Spec have one, and so does the Result.
	Trace Trace

	// Fixed is called once, in the goroutine of the run, as soon as the outcome is fixed: with the Ended of the Result,
	// before the close handshake, for a run that failed to open as well. Its own time delays the close handshake and is
	// in no value. It is not called for a run that a cancelled context ends before. Nil is fine.
	Fixed func(ended time.Time)

	// Listen is for how long to listen on the open socket for what the endpoint says, once everything else is done. It
	// has no bound but the context, whose end then is no error. 0 does not listen.
	Listen time.Duration

	// Watch collects what goes over the connection. It is for one run. Nil is fine.
	Watch *Watch
}

// Run is [Probe.RunWith] without options.
func (p *Probe) Run(ctx context.Context) (Result, error) { return p.RunWith(ctx, RunOptions{}) }

// RunWith measures once. It returns when the connection is closed: by the deadline and the budget of the close
// handshake (500 ms) at the latest. The error is that of a cancelled context, and means that there is no
// result; a failed probe is a Result.
func (p *Probe) RunWith(ctx context.Context, options RunOptions) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, context.Cause(ctx)
	}
	authorization, err := p.authorize() // before the clock runs: a file is no part of the endpoint
	now := time.Now()
	deadline := now.Add(p.spec.Timeout)
	r := &run{probe: p, deadline: deadline, due: deadline, limit: p.spec.Timeout, scratch: newScratch(), authorization: authorization, ctx: ctx}
	defer r.scratch.free()
	r.res.Started, r.res.Trace, r.attempt = now, options.Trace, &r.scratch.attempt
	if options.Watch != nil {
		r.watcher = &watcher{Watch: options.Watch, run: r}
		defer r.watcher.finish()
	}
	defer r.release()
	if err == nil {
		err = r.measure(ctx)
	}
	if err == nil && options.Listen > 0 && r.socket != nil {
		err = r.listen(options.Listen)
	}
	if err != nil && ctx.Err() != nil {
		return Result{}, context.Cause(ctx)
	}
	r.conclude(err, options.Fixed)
	r.close(err)
	return r.res, nil
}

// measure opens the socket and has the exchange on it.
func (r *run) measure(ctx context.Context) error {
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
	due      time.Time     // when time is up for what is under way: a step of an exchange can have less than the run
	limit    time.Duration // what it had
	res      Result

	ctx           context.Context // of the call, for what redact takes
	authorization string          // the value of the Authorization field, or empty
	secrets       *redactor       // nil until it is needed, see redact

	stage reasons.Stage
	phase Phase // the one under way, if its span is SpanBroken
	seen  reasons.Evidence

	scratch *scratch
	attempt *opening.Attempt // part of the scratch
	raw     *tcp.Conn        // of the attempt
	wire    *frame.Stream    // of the attempt
	socket  *socket
	watcher *watcher // nil for most runs

	unsent    bool          // time was up before a message, or a Ping, could be sent
	turn      int           // of the exchange, the one under way
	roundTrip time.Duration // of the measured turn, once it has ended
	unmatched int           // messages that the turn under way passed over
	lastReply []byte        // the beginning of the last message that did not match
	near      match.NearMiss

	last    reasons.Sent // what was sent last, once the socket was open
	lastAt  time.Time    // when that was, or else the open, or else the request
	settled time.Time    // when the last step ended, or else the open
}

// redact returns what hides the secrets of the run. Most runs have nothing to redact, and a probe that kept it ready
// would be half as large again.
func (r *run) redact() *redactor {
	if r.secrets == nil {
		ctx, cancel := context.WithTimeout(r.ctx, hidingTime)
		defer cancel()
		r.secrets = newRedactorWithin(ctx, r.probe.spec, r.authorization)
	}
	return r.secrets
}

// enter begins a phase, and names the stage in which a failure would then be.
func (r *run) enter(stage reasons.Stage, phase Phase) {
	r.stage, r.phase = stage, phase
	r.res.Phases[phase] = Span{Start: time.Since(r.res.Started), State: SpanBroken}
}

// leave ends the phase under way at the given time, or at once: what ended it may have come before it was due.
func (r *run) leave(at time.Time) {
	span := &r.res.Phases[r.phase]
	span.End, span.State = max(at.Sub(r.res.Started), span.Start), SpanEnded
}

// close says goodbye on an open connection, within closeBudget: a close frame, the server's answer, and
// the end of the TCP connection, which the server brings about (RFC 6455 7.1.1).
func (r *run) close(err error) {
	if r.socket == nil {
		return
	}
	r.enter(reasons.StageDone, PhaseClose)
	r.raw.SetEnd(time.Now().Add(closeBudget))
	if err == nil {
		r.wire.Drain() // the server may have been first
	}
	first := r.wire.Ended()
	r.wire.SendClose(r.goodbye(err))
	answered := r.wire.Await() == nil
	if err == nil {
		r.noteFarewell(first)
	}
	if answered {
		r.wire.CloseWrite()
	}
	r.wire.AwaitEOF()
	if r.leave(time.Now()); !answered {
		r.res.Phases[PhaseClose].State = SpanBroken
	}
}

// goodbye is the code of the close frame: what the server did wrong, if only behind the reply, or the code of its own
// close frame (RFC 6455 7.1.7 and 5.5.1).
func (r *run) goodbye(err error) int {
	for _, fault := range []error{err, r.wire.Fault()} {
		if b, ok := errors.AsType[*frame.Breach](fault); ok {
			return b.Code
		}
	}
	if code, _, closed := r.wire.Scanner().Closed(); closed {
		return code
	}
	return frame.CloseNormal
}

// release frees what the run holds. A connection that never opened is dropped without a word.
func (r *run) release() {
	r.attempt.Close()
	if r.socket != nil {
		r.socket.free()
	}
}

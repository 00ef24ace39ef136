package probe

import (
	"context"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/opening"
)

// Probe measures one endpoint. It keeps nothing from one run to the next, so runs may be concurrent.
type Probe struct {
	*design
	url    string
	opener opening.Opener
}

// New makes a Probe of a Spec. The error names every fault of the Spec, one a line.
func New(s Spec) (*Probe, error) { return new(Maker).New(s) }

// whole is the Spec of the Probe.
func (p *Probe) whole() Spec {
	s := p.spec
	s.URL = p.url
	return s
}

// RunOptions differ from one run of a probe to the next. The zero value is good.
type RunOptions struct {
	// Trace is the trace of the run. The Result has it, and the upgrade request has it in the field traceparent, unless
	// the Headers of the Spec set that field.
	Trace Trace

	// Fixed is called once, in the goroutine of the run, as soon as the outcome is fixed and before the close
	// handshake. Its argument is the Ended of the Result. A run that failed to open calls it, too; a run that a
	// cancelled context ends before does not. The time that it takes delays the close handshake, and is in no value.
	// Nil is fine.
	Fixed func(ended time.Time)

	// Listen is how long the run goes on reading messages after its exchange. It has no bound but the context, whose
	// end is then no error. 0 does not listen.
	Listen time.Duration

	// Watch collects the traffic of the connection. A Watch is for one run. Nil is fine.
	Watch *Watch
}

// Run is [Probe.RunWith] without options.
func (p *Probe) Run(ctx context.Context) (Result, error) { return p.RunWith(ctx, RunOptions{}) }

// RunWith measures once. It returns when the connection is closed: at the latest at the deadline, plus 500 ms for the
// close handshake. The error is the cause of a cancelled context, and means that there is no Result. A failed probe is
// a Result.
func (p *Probe) RunWith(ctx context.Context, options RunOptions) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, context.Cause(ctx)
	}
	r, err := p.begin(ctx, options)
	defer r.free()
	if r.watcher != nil {
		defer r.main.watcher.finish()
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

// begin prepares a run. The error is that of its credentials, with which the run fails.
func (p *Probe) begin(ctx context.Context, options RunOptions) (*run, error) {
	var authorizations []string
	var err error
	if !p.spec.AuthorizeWaits { // before the clock runs: a file is no part of the endpoint
		authorizations, err = p.authorize(ctx)
	}
	now := time.Now()
	deadline := now.Add(p.spec.Timeout)
	r := &run{probe: p, deadline: deadline, due: deadline, limit: p.spec.Timeout, authorizations: authorizations, lines: p.lines, ctx: ctx}
	r.main = newConnection("", &p.spec.Opening, &p.opener, r.authorizationOf(0))
	r.first[0] = &r.main
	r.connection, r.all = &r.main, r.first[:]
	r.res.Started, r.res.Trace = now, options.Trace
	if options.Watch != nil {
		r.watcher = &watcher{Watch: options.Watch, run: r, connection: r.connection}
	}
	return r, err
}

package agent

import (
	"context"
	"net/http"
	"os"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/watch"
	"github.com/wsprobe/wsprobe/config"
)

// minWatch is the shortest time between two looks at the files.
const minWatch = 100 * time.Millisecond

// maxWaiting is how many requests for a reload may wait for their turn.
const maxWaiting = 16

// What makes the agent load its configuration again.
const (
	byHangup  = "SIGHUP"
	byRequest = "POST /-/reload"
	byChange  = "files changed"
)

// reloader loads the configuration again when it is told to, or sees that its files have changed. One goroutine, in
// run, does all of that. Whatever asks while it works, or waits for its turn, is answered by one more load.
type reloader struct {
	agent    *Agent
	source   *Source
	hangups  <-chan os.Signal
	requests chan request
	ended    chan struct{} // closed when nobody is answered any more

	every    time.Duration // between two looks, 0 for none
	next     <-chan time.Time
	files    []string // that are looked at
	settling watch.Settling
	running  content        // of the configuration in force
	blind    bool           // the last look failed
	warnings []config.Fault // of the configuration in force
	standing standing
	pace     pace
	told     told
}

// content is what files had in them.
type content struct {
	files []string
	sum   watch.Sum // zero if it is not known
}

// request is one for a reload, with the place for its outcome.
type request chan outcome

// newReloader returns what keeps the configuration of an agent up to date, which the source has loaded once.
func newReloader(a *Agent, cfg config.Config, o Options) *reloader {
	first := &o.Source.first
	r := &reloader{agent: a, source: o.Source, hangups: o.Hangups, requests: make(chan request, maxWaiting), ended: make(chan struct{}),
		every: cfg.Agent.Watch, warnings: cfg.Warnings}
	r.standing.loaded(first.began, union(o.Source.names, cfg.Sources), len(cfg.OwnProbes()), len(cfg.Disabled))
	r.note(first, true)
	*first = attempt{}
	return r
}

// note takes over which files are to be looked at after an attempt, and what they had in them.
func (r *reloader) note(a *attempt, inForce bool) {
	if a.look == nil { // nothing could be read
		return
	}
	r.files = a.all
	if inForce {
		r.files = a.files
		r.running = content{files: a.files}
	}
	var sum watch.Sum // not known, so that what stays the same is loaded again
	if a.steady {
		sum = a.look.Sum(r.files)
	}
	if r.settling.Acted(sum, time.Now()); inForce {
		r.running.sum = sum
	}
}

// run works until its context ends.
func (r *reloader) run(ctx context.Context) {
	defer close(r.ended)
	r.wait()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.hangups:
			r.pace.wait(ctx)
			r.reload(ctx, byHangup, nil)
		case q := <-r.requests:
			r.pace.wait(ctx)
			r.reload(ctx, byRequest, []request{q})
		case <-r.next:
			if r.changed(ctx) {
				r.reload(ctx, byChange, nil)
			}
			r.wait()
		}
	}
}

// wait sets the time of the next look. A change is looked at again soon.
func (r *reloader) wait() {
	switch every := max(r.every, minWatch); {
	case r.every == 0:
		r.next = nil
	case r.settling.Pending():
		r.next = time.After(min(every, time.Second))
	default:
		r.next = time.After(every)
	}
}

// changed looks at the files, and reports whether they must be loaded again.
func (r *reloader) changed(ctx context.Context) bool {
	look, err := r.source.look(ctx, r.files)
	if ctx.Err() != nil {
		return false
	}
	if r.blind != (err != nil) {
		if r.blind = err != nil; r.blind {
			r.agent.log.Warn("the files of the configuration cannot be watched", "error", err)
		} else {
			r.agent.log.Info("the files of the configuration are watched again")
		}
	}
	if err != nil || !r.settling.Saw(look.Sum(r.files), time.Now()) {
		return false
	}
	if r.running.sum != (watch.Sum{}) && look.Sum(r.running.files) == r.running.sum {
		r.settling.Acted(look.Sum(r.files), time.Now())
		r.standing.reverted()
		r.told = told{}
		r.agent.telemetry.ObserveConfigStale(r.standing.isStale())
		r.agent.log.Info("the files of the configuration are again as they run")
		return false
	}
	return true
}

// reload loads the configuration once, and answers every request that waits by then.
func (r *reloader) reload(ctx context.Context, cause string, waiting []request) {
	for more := true; more; {
		select {
		case <-r.hangups:
		case q := <-r.requests:
			waiting = append(waiting, q)
		default:
			more = false
		}
	}
	began := time.Now()
	a := r.source.again(ctx, r.running.files, &r.agent.memory)
	if ctx.Err() != nil {
		return // run ends, and with it the wait of the requests
	}
	out := outcome{cause: cause, took: a.took, err: a.err}
	if out.err == nil {
		before := r.agent.fleet.news()
		out.restart, out.err = r.agent.Reload(a.cfg)
		out.news = r.agent.fleet.news().since(before)
	}
	r.note(&a, out.err == nil)
	if out.err == nil {
		out.warnings, r.warnings = newWarnings(r.warnings, a.cfg.Warnings), a.cfg.Warnings
		own := r.agent.config().Agent.Shard.Of(a.cfg.Probes)
		r.standing.loaded(a.began, union(r.source.names, a.cfg.Sources), len(own), len(a.cfg.Disabled))
		if r.every != a.cfg.Agent.Watch {
			r.every = a.cfg.Agent.Watch
			r.wait()
		}
	}
	out.faults = faultsOf(out.err, r.source.names)
	r.standing.settle(out.faults, out.restart)
	r.agent.telemetry.ObserveConfigLoad(telemetry.ConfigLoad{At: a.began, Took: a.took, OK: out.err == nil})
	r.agent.telemetry.ObserveConfigStale(r.standing.isStale())
	r.pace.worked(time.Since(began))
	out.log(r.agent.log, r.told.again(out.faults))
	for _, q := range waiting {
		q <- out
	}
}

// answer asks for a reload, and waits for its outcome in the words of HTTP.
func (r *reloader) answer(ctx context.Context) (code int, text string) {
	q := make(request, 1)
	select {
	case r.requests <- q:
	default:
		return http.StatusServiceUnavailable, "busy: many requests for a reload wait already\n"
	}
	select {
	case out := <-q:
		return out.answer()
	case <-r.ended:
	case <-ctx.Done():
	}
	return http.StatusServiceUnavailable, "the agent stops\n"
}

// configuration is the configuration as the status page shows it.
func (a *Agent) configuration() status.Config { return a.reloader.standing.view(a.fleet.size()) }

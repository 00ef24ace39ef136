// Package agent wires everything that runs: the scheduler, the probes, the sinks of their results, the status page.
//
// [New] makes an [Agent] of a configuration, and [Agent.Run] blocks until its context ends. Steps that concern the
// whole process, such as the bounds of its memory, are taken here, too. So `wsprobe run`, `wsprobe demo` and the tests
// run the same agent.
package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/prometheus"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/scheduler"
)

// Agent is the running program: a scheduler that starts probes, and the sinks that their results go to.
type Agent struct {
	effective  atomic.Pointer[config.Config] // in force, without its probes, which the fleet has
	all        int                           // probes in the configuration at the start, those of other shards included
	options    Options
	about      telemetry.Options // those at the start: who and where the agent is
	log        *slog.Logger
	scheduler  *scheduler.Scheduler
	hub        *session.Hub
	fleet      *fleet
	telemetry  *telemetry.Telemetry
	status     *status.Server
	outlets    *outlets
	skips      *skipLog
	endpoint   *prometheus.Handler // of /probe
	listener   net.Listener        // nil if agent.listen is empty
	probing    atomic.Bool
	checked    atomic.Bool // the streams that are required can connect
	memory     bounds
	applying   sync.Mutex    // held by what changes the probes, of which one works at a time
	own        config.Demand // of the probes of the configuration; guarded by applying
	discoverer *discoverer
	reloader   *reloader // nil without a source
}

// Options are the inputs of an agent beside its configuration.
type Options struct {
	Version string // of wsprobe, as the page and the telemetry say it
	Log     *slog.Logger
	// LogLevel is that of Log, which follows agent.log_level. Nil if it cannot.
	LogLevel *slog.LevelVar
	// Source is where the configuration comes from, which it has loaded. Without one it is never loaded again.
	Source *Source
	// Hangups has a value for each SIGHUP, which asks for a reload.
	Hangups <-chan os.Signal
}

// New puts an agent together and takes its listen address and its spool. Nothing runs before [Agent.Run]. After an
// error the address and the spool are free. The error names every probe that cannot be made, or says why the address or
// the spool cannot be had.
func New(cfg config.Config, o Options) (*Agent, error) {
	own := cfg.OwnProbes()
	a := &Agent{all: len(cfg.Probes), options: o, log: o.Log,
		scheduler: &scheduler.Scheduler{MaxConcurrent: cfg.Agent.MaxConcurrent}}
	a.hub = session.NewHub(session.Options{MaxConcurrent: cfg.Agent.MaxConcurrent, Trace: a.trace})
	a.fleet = &fleet{scheduler: a.scheduler, hub: a.hub, keeper: newKeeper(), log: o.Log}
	a.discoverer = newDiscoverer(a)
	first, err := a.prepare(&cfg, own)
	if err != nil {
		return nil, err
	}
	if cfg.Agent.Listen != "" {
		if a.listener, err = net.Listen("tcp", cfg.Agent.Listen); err != nil {
			return nil, fmt.Errorf("agent.listen: %w", err)
		}
	}
	a.hold(cfg)
	a.about = telemetryOptions(cfg, o, a.scheduler.InFlight)
	options := a.about
	if a.outlets, err = newOutlets(cfg, o, options, a); err != nil {
		return nil, errors.Join(err, a.abandon())
	}
	a.outlets.observe(&options)
	options.Discovery = a.discoverer.stats
	if a.telemetry, err = telemetry.New(options); err != nil {
		return nil, errors.Join(err, a.abandon())
	}
	board := &status.Board{}
	a.status = &status.Server{Board: board, Ready: a.ready, Notes: a.notes, Version: o.Version,
		Metrics: a.telemetry.MetricsHandler(), Hosts: a.hosts, Streams: a.outlets.views, Discovery: a.discoverer.views, Log: o.Log}
	if a.outlets.feed != nil {
		a.status.Stream = a.outlets.feed
	}
	a.fleet.telemetry, a.fleet.board, a.fleet.outlets = a.telemetry, board, a.outlets
	a.outlets.settle = a.fleet.settle
	a.skips = newSkipLog(o.Log)
	a.endpoint = prometheus.NewHandler(o.Log, a.telemetry.ObserveProbeRequest)
	a.status.Probe = a.endpoint
	asked, err := probeSettings(&cfg)
	if err != nil {
		return nil, errors.Join(err, a.abandon())
	}
	a.endpoint.Set(asked)
	a.scheduler.Observer = a.observer()
	if err := a.install(a.config(), first); err != nil {
		return nil, errors.Join(err, a.abandon()) // what was planned is right, so this is an error of ours
	}
	if o.Source != nil {
		first := o.Source.first
		a.telemetry.ObserveConfigLoad(telemetry.ConfigLoad{At: first.began, Took: first.took, OK: true})
		a.reloader = newReloader(a, cfg, o)
		a.status.Config, a.status.Reload = a.configuration, a.reloader.answer
	}
	return a, nil
}

// observer is told of runs that start, and of those that do not take place.
func (a *Agent) observer() scheduler.Observer {
	return scheduler.Observer{
		Started: func(_ string, tick scheduler.Tick) { a.telemetry.ObserveStart(tick.Late) },
		Skipped: func(name string, cause scheduler.Skip, ticks int) {
			a.telemetry.ObserveSkip(a.fleet.skipped(name, cause, ticks), ticks)
			a.skips.skipped(name, cause, ticks)
		},
	}
}

// abandon gives back everything that an agent has taken, if it never runs.
func (a *Agent) abandon() error {
	var errs []error
	if a.listener != nil {
		_ = a.listener.Close() // nothing has been accepted yet
	}
	if a.outlets != nil {
		errs = append(errs, a.outlets.abandon())
	}
	if a.telemetry != nil {
		errs = append(errs, a.telemetry.Close())
	}
	return errors.Join(errs...)
}

// Run works until ctx ends. Then no run starts any more, runs in flight are cancelled, and sessions close with 1001. The
// results so far are exported. The status page stays up meanwhile. Call Run once only. While it runs, it bounds the
// memory of the process.
func (a *Agent) Run(ctx context.Context) error {
	a.log.Info("wsprobe starts", "version", a.options.Version, "probes", a.fleet.size(), "of", a.all,
		"otlp", a.config().OTLP.Destination(), "listen", a.ListenAddress())
	defer a.memory.hold()()
	defer a.endpoint.Close()
	if release, err := probe.KeepKernelClock(); err == nil {
		defer release()
	} else {
		a.log.Warn("runs cost more than they need to", "error", err)
	}
	probing, cancelProbing := context.WithCancel(context.WithoutCancel(ctx))
	stopProbing := sync.OnceFunc(func() {
		a.probing.Store(false) // first of all: nothing new should count on this agent
		a.log.Info("wsprobe stops", "in_flight", a.scheduler.InFlight())
		cancelProbing()
	})
	a.probing.Store(true)
	defer context.AfterFunc(ctx, stopProbing)()
	rest, stopRest := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRest()

	var tasks sync.WaitGroup
	var scheduled, exported, served error
	tasks.Go(func() {
		exported = a.telemetry.Run(rest)
		stopProbing() // results that nobody gets need no probing
	})
	if a.listener != nil {
		tasks.Go(func() {
			served = a.status.Serve(rest, a.listener)
			stopProbing()
		})
	}
	if err := checkRequired(ctx, a.config().Streams); err != nil {
		stopProbing()
		stopRest()
		tasks.Wait()
		return errors.Join(err, a.outlets.abandon(), exported, served)
	}
	a.checked.Store(true)
	scheduled = a.work(probing, stopProbing)
	stopRest()
	tasks.Wait()
	a.log.Info("wsprobe ends")
	return errors.Join(scheduled, exported, served)
}

// work probes until its context ends or the scheduler fails, and then delivers the last events.
func (a *Agent) work(probing context.Context, stopProbing func()) error {
	streaming, stopStreams := context.WithCancel(context.WithoutCancel(probing))
	defer stopStreams()
	var streams, holding sync.WaitGroup
	streams.Go(func() { a.outlets.run(streaming) })
	holding.Go(func() { a.discoverer.run(probing) })
	holding.Go(func() { a.hub.Run(probing) })
	if a.reloader != nil {
		holding.Go(func() { a.reloader.run(probing) })
	}
	holding.Go(func() { a.fleet.keeper.run(probing, a.log) })
	err := a.scheduler.Run(probing)
	stopProbing()
	a.endpoint.Close()
	holding.Wait()
	a.fleet.flush()
	a.skips.stop()
	stopStreams()
	streams.Wait() // before the last export, which tells what became of the last events
	return err
}

// recall returns the last result of a probe, or nil.
func (a *Agent) recall(probe *metrics.Identity) *metrics.Observation { return a.fleet.recall(probe) }

// trace returns the trace of a session that is about to be opened.
func (a *Agent) trace() probe.Trace { return a.telemetry.Trace() }

// notes are what people should know although the agent is ready.
func (a *Agent) notes() []string { return append(a.telemetry.Notes(), a.discoverer.notes()...) }

// ready returns nil if the agent probes and, if it is to, exports. An agent whose back end never answers looks like one
// whose first export is not due yet. So it is ready only after an export was accepted.
func (a *Agent) ready() error {
	if !a.probing.Load() {
		return errors.New("not probing")
	}
	if !a.checked.Load() {
		return errors.New("not probing yet: streams that the start requires are tried")
	}
	switch h := a.telemetry.ExportState(); {
	case !h.OK:
		return fmt.Errorf("exports fail since %s: %s", h.Since.UTC().Format(time.RFC3339), h.Detail)
	case h.Since.IsZero():
		return errors.New("no export has succeeded yet")
	}
	return a.outlets.ready()
}

// ListenAddress is where the status page is, or empty if there is none.
func (a *Agent) ListenAddress() string {
	if a.listener == nil {
		return ""
	}
	return a.listener.Addr().String()
}

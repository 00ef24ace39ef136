package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/journal"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/scheduler"
)

// sink is told the result of every run of a probe.
type sink func(probe.Result)

// agent is the running program: a scheduler that starts probes, and the sinks that their results go to.
type agent struct {
	cfg       config.Config // without its probes: what is needed of them is in what runs and reports them
	all       int           // probes in the configuration, of other shards, too
	log       *slog.Logger
	scheduler *scheduler.Scheduler
	telemetry *telemetry.Telemetry
	status    *status.Server
	skips     *skipLog
	listener  net.Listener // nil if agent.listen is empty
	probing   atomic.Bool
}

// part is a probe of the configuration, ready to be run and to be reported.
type part struct {
	*config.Probe
	prober *probe.Probe
	target telemetry.Target
}

// newAgent puts an agent together and takes its listen address. Nothing runs before Run. What can fail and
// holds nothing comes first, what holds something is given back if a later step fails.
func newAgent(cfg config.Config, log *slog.Logger) (*agent, error) {
	parts, err := newParts(ownProbes(cfg))
	if err != nil {
		return nil, err
	}
	a := &agent{cfg: cfg, all: len(cfg.Probes), log: log, scheduler: &scheduler.Scheduler{MaxConcurrent: cfg.Agent.MaxConcurrent}}
	if cfg.Agent.Listen != "" {
		if a.listener, err = net.Listen("tcp", cfg.Agent.Listen); err != nil {
			return nil, fmt.Errorf("agent.listen: %w", err)
		}
	}
	if a.telemetry, err = telemetry.New(telemetryOptions(cfg, a.scheduler.InFlight, log)); err != nil {
		if a.listener != nil {
			_ = a.listener.Close() // nothing has been accepted yet
		}
		return nil, err
	}
	board := &status.Board{}
	a.status = &status.Server{Board: board, Ready: a.ready, Notes: a.telemetry.Notes, Version: versionText(), Metrics: a.telemetry.Scrapes(),
		Hosts: hostNames(cfg.Agent), Log: log}
	entries := make(map[string]*status.Entry, len(parts))
	for _, p := range parts {
		entries[p.Name] = board.Add(p.Name, p.ShownURL(), p.Spec.Interpretation, p.Interval)
		a.scheduler.Jobs = append(a.scheduler.Jobs, a.job(p, entries[p.Name]))
	}
	a.cfg.Probes = nil
	a.skips = newSkipLog(log)
	a.scheduler.Observer = scheduler.Observer{
		Started: func(_ string, tick scheduler.Tick) { a.telemetry.ObserveStart(tick.Late) },
		Skipped: func(name string, cause scheduler.Skip, ticks int) {
			a.telemetry.ObserveSkip(string(cause), ticks)
			entries[name].Skip(cause, ticks)
			a.skips.skipped(name, cause, ticks)
		},
	}
	return a, nil
}

// ownProbes are the probes that fall to this agent.
func ownProbes(cfg config.Config) []config.Probe {
	if cfg.Agent.Shard.Count <= 1 {
		return cfg.Probes
	}
	return slices.DeleteFunc(slices.Clone(cfg.Probes), func(p config.Probe) bool { return !cfg.Agent.Shard.Owns(p.Name) })
}

// newParts makes what each probe needs, or says of every one that cannot be made why.
func newParts(probes []config.Probe) ([]part, error) {
	parts := make([]part, len(probes))
	var faults []error
	for i, p := range probes {
		prober, err := probe.New(p.Spec)
		target, targetErr := telemetryTarget(p)
		if err = errors.Join(err, targetErr); err != nil {
			faults = append(faults, fmt.Errorf("probe %q: %w", p.Name, err))
		}
		parts[i] = part{&probes[i], prober, target}
	}
	return parts, errors.Join(faults...)
}

// job is a probe as the scheduler sees it: a function that is called on its interval. What it holds is there once for
// each of maybe a hundred thousand probes.
func (a *agent) job(p part, entry *status.Entry) scheduler.Job {
	series, prober := a.telemetry.Probe(p.target), p.prober
	watch := journal.NewWatch(a.log, p.Name)
	judge := judgeOf(p.Probe)
	sinks := []sink{
		watch.Observe,
		func(r probe.Result) {
			v := judge(r)
			series.Record(r, v.Status)
			entry.Record(r, v.State)
			if v.change != nil {
				watch.ObserveStatus(*v.change)
				series.ReportStatus(*v.change)
			}
		},
	}
	return scheduler.Job{Name: p.Name, Interval: p.Interval, Run: func(ctx context.Context, tick scheduler.Tick) {
		result, err := prober.RunWith(ctx, probe.RunOptions{Trace: a.telemetry.Trace(), Fixed: series.Fix})
		if err != nil {
			series.Abandon()
			return // the agent stops: nothing was measured, and nothing is reported
		}
		if result.StartDelay = tick.Late; result.Overloaded() {
			a.telemetry.ObserveOverload()
		}
		for _, tell := range sinks {
			tell(result)
		}
	}}
}

// Run works until ctx ends. Then no run starts any more, runs in flight are cancelled, and what has been
// measured is exported. The status page stays up meanwhile.
func (a *agent) Run(ctx context.Context) error {
	a.log.Info("wsprobe starts", "version", versionText(), "probes", len(a.scheduler.Jobs), "of", a.all,
		"otlp", a.cfg.OTLP.Destination(), "listen", a.listenAddress())
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
		stopProbing() // without an exporter there is nobody to probe for
	})
	if a.listener != nil {
		tasks.Go(func() {
			served = a.status.Serve(rest, a.listener)
			stopProbing()
		})
	}
	scheduled = a.scheduler.Run(probing)
	a.skips.stop()
	stopProbing()
	stopRest()
	tasks.Wait()
	a.log.Info("wsprobe ends")
	return errors.Join(scheduled, exported, served)
}

// ready says whether the agent probes and, if it is to, exports. It takes an export that was accepted to say so: an agent
// whose back end has never answered looks no different from one whose first export is not due yet.
func (a *agent) ready() error {
	if !a.probing.Load() {
		return errors.New("not probing")
	}
	switch h := a.telemetry.Health(); {
	case !h.OK:
		return fmt.Errorf("exports fail since %s: %s", h.Since.UTC().Format(time.RFC3339), h.Detail)
	case h.Since.IsZero():
		return errors.New("no export has succeeded yet")
	}
	return nil
}

// listenAddress is where the status page is, or empty.
func (a *agent) listenAddress() string {
	if a.listener == nil {
		return ""
	}
	return a.listener.Addr().String()
}

// telemetryOptions says in the exporter's words what the configuration says.
func telemetryOptions(cfg config.Config, inFlight func() int, log *slog.Logger) telemetry.Options {
	return telemetry.Options{
		Protocol:       telemetry.Protocol(cfg.OTLP.Protocol),
		Endpoint:       cfg.OTLP.Endpoint.URL(),
		TLS:            cfg.OTLP.TLS,
		Headers:        cfg.OTLP.Headers,
		Compression:    telemetry.Compression(cfg.OTLP.Compression),
		Interval:       cfg.OTLP.Interval,
		FirstAfter:     time.Second,
		Timeout:        cfg.OTLP.Timeout,
		SpoolDir:       cfg.OTLP.Spool.Dir,
		QueueBytes:     cfg.OTLP.Spool.MaxBytes,
		QueueAge:       cfg.OTLP.Spool.MaxAge,
		Logs:           cfg.OTLP.Logs,
		Traces:         cfg.OTLP.Traces,
		TraceRatio:     cfg.OTLP.TraceRatio,
		ServiceName:    cfg.OTLP.Resource.ServiceName,
		ServiceVersion: versionText(),
		InstanceID:     instanceID(cfg),
		Location:       cfg.Agent.Location,
		PageURL:        cfg.Agent.URL,
		EndMarkers:     cfg.OTLP.EndMarkers,
		Interleave:     cfg.OTLP.Spool.Interleaves(),
		Attributes:     cfg.OTLP.Resource.Attributes,
		Scrapes:        cfg.Agent.Listen != "",
		InFlight:       inFlight,
		Logger:         log,
	}
}

// telemetryTarget says what the points of a probe bear.
func telemetryTarget(p config.Probe) (telemetry.Target, error) {
	u, err := url.Parse(p.ShownURL())
	if err != nil {
		return telemetry.Target{}, errors.New("url cannot be parsed")
	}
	scheme := strings.ToLower(u.Scheme)
	port := map[string]int{"ws": 80, "wss": 443}[scheme]
	if text := u.Port(); text != "" {
		if port, err = strconv.Atoi(text); err != nil {
			return telemetry.Target{}, errors.New("url has a bad port")
		}
	}
	return telemetry.Target{
		Name:           p.Name,
		Interpretation: p.Spec.Interpretation,
		Address:        u.Hostname(),
		Port:           port,
		Scheme:         scheme,
		Interval:       p.Interval,
		Path:           u.EscapedPath(),
		Labels:         p.Labels,
	}, nil
}

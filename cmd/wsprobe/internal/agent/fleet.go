package agent

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/journal"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/scheduler"
)

// sink is told the result of every run of a probe.
type sink func(probe.Result)

// part is a probe of the configuration, ready to be run and to be reported.
type part struct {
	*config.Probe
	prober *probe.Probe
	target telemetry.Target
}

// OwnProbes are the probes that fall to this agent.
func OwnProbes(cfg config.Config) []config.Probe {
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
func (a *Agent) job(p part, entry *status.Entry) scheduler.Job {
	series, prober := a.telemetry.Probe(p.target), p.prober
	watch := journal.NewWatch(a.log, p.Name)
	assess := assessor(p.Probe)
	sinks := []sink{
		watch.Observe,
		func(r probe.Result) {
			v := assess(r)
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

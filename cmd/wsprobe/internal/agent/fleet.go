package agent

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/scheduler"
)

// fleet is the probes that run now.
//
// A probe is known by its name and its [config.Digest]. One whose digest changes is another probe: it has the phase of
// its name, and its health and its history begin anew. Its series and their sums go on if their attributes are the
// same, because to a back end they are the same series, see [telemetry.Telemetry.Replace].
type fleet struct {
	scheduler *scheduler.Scheduler
	telemetry *telemetry.Telemetry
	hub       *session.Hub
	board     *status.Board
	outlets   *outlets
	log       *slog.Logger

	generation uint64    // of the member that came last
	own        []*member // those of the configuration, in its order; the others are of discovered targets

	keeper  *keeper
	mu      sync.Mutex
	members map[string]*member
	tally   news
}

// plan is what a fleet is to become. Making it can fail, and changes nothing.
type plan []planned

// planned is a probe of the configuration, ready to be run and to be reported, or a member that stays as it is.
type planned struct {
	*config.Probe
	prober   *probe.Probe     // of a probe without a session
	session  *session.Session // of a probe with one
	identity *metrics.Identity
	kept     *member // in place of all else
}

// name is that of the probe.
func (p *planned) name() string {
	if p.kept != nil {
		return p.kept.identity.Name()
	}
	return p.Name
}

// newPlanned makes what a probe needs.
func newPlanned(p *config.Probe, hub *session.Hub, maker *probe.Maker) (planned, error) {
	next := planned{Probe: p}
	var err, other error
	if p.Session != nil {
		next.session, err = hub.New(*p.Session)
	} else {
		next.prober, err = maker.New(p.Spec)
	}
	identity, urlErr := identify(p)
	if next.identity = identity; p.Interval <= 0 {
		other = errors.New("the interval must be positive")
	}
	return next, errors.Join(err, urlErr, other)
}

// newPlan makes what each probe needs, or says of every one that cannot be made why. A member whose probe is the same
// in everything stays as it is.
func newPlan(probes []config.Probe, hub *session.Hub, members map[string]*member) (plan, error) {
	next := make(plan, len(probes))
	names := make(map[string]bool, len(probes))
	var maker probe.Maker
	var faults []error
	for i := range probes {
		p := &probes[i]
		var err error
		if m := members[p.Name]; m != nil && m.origin.Known() && m.origin == p.Origin() {
			next[i].kept = m
		} else {
			next[i], err = newPlanned(p, hub, &maker)
		}
		if names[p.Name] {
			err = errors.Join(err, errors.New("the name is taken"))
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("probe %q: %w", p.Name, err))
		}
		names[p.Name] = true
	}
	return next, errors.Join(faults...)
}

// Apply makes these the probes of the agent, of which those of other shards are left out. It may be called at any time,
// by several goroutines. All of them are applied, or none: an error names every probe that cannot be made.
//
// An unchanged probe, by its name and its [config.Digest], is not disturbed: it keeps phase, totals, health, history
// and a run in flight. Secrets that were rotated hold from its next run on. Nothing is reported any more of a probe
// that is gone: its run in flight is cancelled, its series end, and its row goes.
func (a *Agent) Apply(probes []config.Probe) error {
	a.applying.Lock()
	defer a.applying.Unlock()
	next, err := a.plan(a.config(), a.config().Agent.Shard.Of(probes))
	if err != nil {
		return err
	}
	return a.install(a.config(), next)
}

// prepared is what an agent is to run. Making it changes nothing.
type prepared struct {
	own    plan // the probes of the configuration that fall to this agent
	demand config.Demand
	found  *resolution // the others
}

// plan makes what an agent with this configuration needs of its own probes, and of those of the targets that it knows,
// or says why it cannot have them.
func (a *Agent) plan(cfg *config.Config, own []config.Probe) (prepared, error) {
	next, err := a.prepare(cfg, own)
	if err == nil {
		err = fits(cfg, next.demand.And(next.found.demand))
	}
	return next, err
}

func (a *Agent) prepare(cfg *config.Config, own []config.Probe) (next prepared, err error) {
	next.demand = config.DemandOf(own...)
	if next.own, err = newPlan(own, a.hub, a.fleet.current()); err != nil {
		return next, err
	}
	next.found, err = a.discoverer.resolve(cfg, next.own)
	return next, err
}

// install makes what was planned the fleet of an agent with this configuration.
func (a *Agent) install(cfg *config.Config, next prepared) error {
	if err := a.fleet.install(slices.Concat(next.own, next.found.plan), len(next.own)); err != nil {
		return err
	}
	a.own = next.demand
	a.memory.follow(next.demand.And(next.found.demand), cfg)
	a.discoverer.commit(next.found)
	return nil
}

// ownPlan is the plan that leaves the probes of the configuration as they are.
func (f *fleet) ownPlan() plan {
	next := make(plan, len(f.own))
	for i, m := range f.own {
		next[i].kept = m
	}
	return next
}

// install makes a fleet what was planned, the first ones of the configuration. One call works at a time.
func (f *fleet) install(next plan, own int) error {
	before := f.current()
	members := make(map[string]*member, len(next))
	var come []planned
	changed := 0
	for _, p := range next {
		if p.kept != nil {
			members[p.name()] = p.kept
			continue
		}
		old := before[p.Name]
		if old != nil && old.digest == p.Digest {
			old.renew(p)
			members[p.Name] = old
			continue
		}
		if come = append(come, p); old != nil {
			changed++
		}
	}
	var gone []*telemetry.Series
	for name, old := range before {
		if members[name] == nil {
			old.leave()
			f.outlets.forget(name)
			gone = append(gone, old.series)
		}
	}
	identities := make([]*metrics.Identity, len(come))
	for i, p := range come {
		identities[i] = p.identity
	}
	for i, series := range f.telemetry.Replace(gone, identities) {
		f.generation++
		members[come[i].Name] = f.newMember(come[i], f.generation, series)
	}
	jobs, rows := make([]scheduler.Job, len(next)), make([]*status.Entry, len(next))
	f.own = make([]*member, own)
	for i := range next {
		m := members[next[i].name()]
		jobs[i], rows[i] = m.job(), m.entry
		if i < own {
			f.own[i] = m
		}
	}
	f.mu.Lock()
	f.members = members
	f.tally.count(len(before), len(next), len(come), changed)
	f.mu.Unlock()
	f.keeper.keep(members)
	f.board.Show(rows)
	return f.scheduler.Replace(jobs)
}

// flush tells of every probe what waits for an explanation that will not come.
func (f *fleet) flush() {
	for _, m := range f.current() {
		m.mu.Lock()
		m.flush()
		m.mu.Unlock()
	}
}

// settle returns once each result that is being told is told.
func (f *fleet) settle() {
	for _, m := range f.current() {
		m.settle()
	}
}

// current returns the members of now, which nobody changes.
func (f *fleet) current() map[string]*member {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.members
}

// news is how the probes have changed since the agent started.
func (f *fleet) news() news {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tally
}

// recall returns the last result of a probe, or nil if there is none or the probe has left.
func (f *fleet) recall(probe *metrics.Identity) *metrics.Observation {
	if m := f.current()[probe.Name()]; m != nil && m.identity == probe {
		return m.entry.Last()
	}
	return nil
}

// skipped notes runs of a probe that did not take place. It returns the cause for the metrics.
func (f *fleet) skipped(name string, cause scheduler.Skip, ticks int) string {
	if m := f.current()[name]; m != nil {
		m.entry.Skip(cause, ticks)
		if cause == scheduler.SkipOverlap && m.entry.Maintained(time.Now()) {
			return skipMaintenance
		}
	}
	return string(cause)
}

// size is how many probes there are.
func (f *fleet) size() int { return len(f.current()) }

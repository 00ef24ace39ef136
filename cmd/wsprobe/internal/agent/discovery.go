package agent

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/config/discovery"
)

// betweenUpdates is how often the probes of discovered targets can change. A flood of updates becomes one.
const betweenUpdates = time.Second

// discoverer runs the sources of targets that come and go, and has the fleet probe what they find. Its fields are
// guarded by [Agent.applying], but for those that say otherwise.
type discoverer struct {
	agent   *Agent
	log     *slog.Logger
	sources []*source       // in the order of the configuration
	ctx     context.Context // of the runners; nil before they run, and once they are to end
	running sync.WaitGroup
	refused string // why the last update was not applied, or empty

	wake  chan struct{} // capacity 1: there may be sources now
	shown atomic.Pointer[[]*source]
}

// source is an entry of the list discover and what became of its targets. It does not change, but for its runner.
type source struct {
	cfg    *config.Discover
	runner *runner
	// before is how the source of this name was under an earlier configuration, and inherited are the targets that it
	// had. They count until the runner has looked, so that a reload ends no probe.
	before    discovery.State
	began     time.Time // of the first source of this name
	inherited []discovery.Target
	assignment
}

// runner is a source that runs.
type runner struct {
	looker  *discovery.Source
	watch   time.Duration // between two looks at files
	changed atomic.Bool
	known   bool               // an update has counted that it has looked
	end     context.CancelFunc // nil before it runs
	failing time.Time          // since when its looks fail, as the log has told
}

func newDiscoverer(a *Agent) *discoverer {
	d := &discoverer{agent: a, log: a.log, wake: make(chan struct{}, 1)}
	d.show()
	return d
}

// run looks for targets until the context ends.
func (d *discoverer) run(ctx context.Context) {
	d.begin(ctx)
	tick := time.NewTicker(betweenUpdates)
	defer tick.Stop()
	for ctx.Err() == nil {
		var next <-chan time.Time
		if len(*d.shown.Load()) > 0 {
			next = tick.C
		}
		select {
		case <-ctx.Done():
		case <-d.wake:
		case <-next:
			d.look()
		}
	}
	d.agent.applying.Lock()
	d.ctx = nil
	d.agent.applying.Unlock()
	d.running.Wait()
}

// begin runs the sources.
func (d *discoverer) begin(ctx context.Context) {
	d.agent.applying.Lock()
	defer d.agent.applying.Unlock()
	d.ctx = ctx
	d.start()
}

// start runs the sources that do not run yet.
func (d *discoverer) start() {
	if d.ctx == nil || d.ctx.Err() != nil {
		return
	}
	for _, s := range d.sources {
		if r := s.runner; r.end == nil {
			var ctx context.Context
			ctx, r.end = context.WithCancel(d.ctx)
			d.running.Go(func() { r.looker.Run(ctx, func() { r.changed.Store(true) }) })
		}
	}
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// look applies what has changed since it last did, and tells of sources that begin or cease to fail.
func (d *discoverer) look() {
	d.agent.applying.Lock()
	defer d.agent.applying.Unlock()
	changed := false
	for _, s := range d.sources {
		changed = s.runner.changed.Swap(false) || changed
		if r := s.runner; !r.known && s.looked() { // also if it has found nothing, or what was inherited
			r.known, changed = true, true
		}
		d.tellState(s)
	}
	if changed {
		d.update()
	}
}

// update makes the probes of the targets of now those of the fleet, beside the probes of the file. If not all of them
// fit, all stays as it was.
func (d *discoverer) update() {
	cfg, fleet := d.agent.config(), d.agent.fleet
	own := fleet.ownPlan()
	found, err := d.resolve(cfg, own)
	if err == nil {
		err = fits(cfg, d.agent.own.And(found.demand))
	}
	if err == nil {
		err = fleet.install(append(own, found.plan...), len(own))
	}
	if err != nil {
		d.refuse(err.Error())
		return
	}
	d.agent.memory.follow(d.agent.own.And(found.demand), cfg)
	d.commit(found)
}

// refuse tells of an update that is not applied.
func (d *discoverer) refuse(why string) {
	if d.refused != why {
		d.log.Warn("an update of targets is refused, and their probes stay as they were", "error", why)
	}
	d.refused = why
	d.show()
}

// commit makes the sources those of now.
func (d *discoverer) commit(found *resolution) {
	kept := make(map[*runner]bool)
	for _, s := range found.sources {
		kept[s.runner] = true
	}
	for _, s := range d.sources {
		if !kept[s.runner] && s.runner.end != nil {
			s.runner.end()
		}
	}
	d.sources, d.refused = found.sources, ""
	d.show() // before run wakes up, which looks whether there is any
	d.start()
	found.tell(d.log)
}

// show hands the sources to who looks at them.
func (d *discoverer) show() {
	shown := d.sources
	if d.refused != "" {
		shown = make([]*source, len(d.sources))
		for i, s := range d.sources {
			refused := *s
			refused.refused = d.refused
			for _, t := range s.targets() {
				if _, known := s.made[keyOf(&t)]; !known {
					refused.noRoom++
				}
			}
			shown[i] = &refused
		}
	}
	d.shown.Store(&shown)
}

// tellState tells when the looks of a source begin to fail, and when they succeed again.
func (d *discoverer) tellState(s *source) {
	state := s.runner.looker.State()
	switch told := &s.runner.failing; {
	case told.IsZero() && !state.Failing.IsZero():
		*told = state.Failing
		d.log.Warn("a source of targets fails, and keeps those that it had", "source", s.cfg.Name, "targets", len(s.targets()), "error", state.Problem)
	case !told.IsZero() && state.Failing.IsZero():
		d.log.Info("a source of targets works again", "source", s.cfg.Name, "targets", state.Targets, "failed_for", time.Since(*told).Round(time.Second))
		*told = time.Time{}
	}
}

// looked reports whether the source itself knows its targets.
func (s *source) looked() bool { return !s.runner.looker.State().Updated.IsZero() }

// targets are those of the last good look.
func (s *source) targets() []discovery.Target {
	if s.inherited != nil && !s.looked() {
		return s.inherited
	}
	return s.runner.looker.Targets()
}

// state is how the source is, with what it was under earlier configurations.
func (s *source) state() discovery.State {
	state := s.runner.looker.State()
	state.Succeeded += s.before.Succeeded
	state.Failed += s.before.Failed
	if !state.Updated.IsZero() {
		return state
	}
	state.Updated = s.before.Updated
	state.Targets = len(s.inherited)
	if failed := s.before.Failing; !failed.IsZero() {
		state.Failing = failed
		if state.Problem == "" {
			state.Problem = s.before.Problem
		}
	}
	return state
}

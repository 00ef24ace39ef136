package agent

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/journal"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/maintenance"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/scheduler"
)

// member is a probe that runs, with everything that is told of its results. It is there once for each of maybe a
// hundred thousand probes.
type member struct {
	digest     config.Digest
	origin     config.Origin
	generation uint64
	prober     atomic.Pointer[probe.Probe] // replaced when the content of a secret may have changed; nil with held
	held       *held                       // nil for a probe without a session
	telemetry  *telemetry.Telemetry
	identity   *metrics.Identity

	mu      sync.Mutex // held while a result is told, so that nothing is told of a probe that has left
	left    bool
	windows *maintenance.Schedule // nil for none
	rest    metrics.Maintenance   // how the probe stood to them when the keeper looked last
	health  *assessor
	watch   *journal.Watch
	series  *telemetry.Series
	records *telemetry.Recorder // nil without log records
	traces  *telemetry.Tracer   // nil without traces
	entry   *status.Entry
	events  *event.Tracker
}

func (f *fleet) newMember(p planned, generation uint64, series *telemetry.Series) *member {
	m := &member{
		digest:     p.Digest,
		origin:     p.Origin(),
		generation: generation,
		telemetry:  f.telemetry,
		identity:   p.identity,
		health:     newAssessor(p.Probe),
		watch:      journal.NewWatch(f.log, p.Name),
		series:     series,
		records:    f.telemetry.Recorder(p.identity),
		traces:     f.telemetry.Tracer(p.identity),
		entry:      status.NewEntry(p.identity),
		events:     event.NewTracker(f.outlets.sinks),
		windows:    p.Maintenance,
		rest:       series.Maintenance(),
	}
	m.entry.Maintain(p.Maintenance)
	if p.session == nil {
		m.prober.Store(p.prober)
		return m
	}
	m.held = newHeld(p.session, p.Session)
	m.watch.Hold(p.Session)
	m.held.end = f.hub.Add(p.session, m.happened)
	return m
}

// renew takes over maintenance windows, and secrets that may have changed, from a plan for the same probe.
func (m *member) renew(p planned) {
	m.origin = p.Origin()
	m.mu.Lock()
	m.windows = p.Maintenance
	m.mu.Unlock()
	m.entry.Maintain(p.Maintenance)
	if m.held != nil {
		m.held.session.Replace(p.session)
	} else {
		m.prober.Store(p.prober)
	}
}

// job is the member as the scheduler sees it.
func (m *member) job() scheduler.Job {
	return scheduler.Job{Name: m.identity.Name(), Interval: m.identity.Target().Interval, Generation: m.generation, Brief: m.held != nil, Run: m.run}
}

// run measures once, and tells the result. Of a session it tells how it is.
func (m *member) run(ctx context.Context, tick scheduler.Tick) {
	if m.held != nil {
		m.report(time.Now())
		return
	}
	result, err := m.prober.Load().RunWith(ctx, probe.RunOptions{Trace: m.telemetry.Trace(), Fixed: m.fix})
	if err != nil {
		m.abandon()
		return // the agent stops, or the probe is gone: nothing was measured, and nothing is reported
	}
	if result.StartDelay = tick.Late; result.Overloaded() {
		m.telemetry.ObserveOverload()
	}
	m.tell(result)
}

// tell tells every sink of a result, one after the other.
func (m *member) tell(r probe.Result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left {
		return
	}
	m.tellAll(&metrics.Observation{Probe: m.identity, Result: r})
}

// tellAll tells every sink. The caller holds the lock.
func (m *member) tellAll(o *metrics.Observation) {
	if o.Maintained = m.maintained(&o.Result, o.Session != nil); !o.Maintained && judged(o) {
		m.health.assess(o)
	}
	m.watch.Observe(o)
	m.series.Observe(o)
	m.records.Observe(o)
	m.traces.Observe(o)
	m.events.Observe(o)
	m.entry.Observe(o) // behind the events, because a feed recalls results from here, see feed.Options
}

// fix says that the outcome of a run is fixed, which is told after its close handshake.
func (m *member) fix(ended time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.left {
		m.series.Fix(ended)
	}
}

// abandon says that the run under way is not told.
func (m *member) abandon() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.left {
		m.series.Abandon()
	}
}

// flush tells what waits for an explanation that will not come. The caller holds the lock.
func (m *member) flush() {
	m.records.Flush()
	m.traces.Flush()
}

// settle returns once the result that is being told is told.
func (m *member) settle() {
	m.mu.Lock()
	defer m.mu.Unlock()
}

// leave says that the probe is gone. Nothing is told of it any more, since its series may be that of its heir.
func (m *member) leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.flush()
	if m.left = true; m.held != nil {
		m.held.end()
	}
}

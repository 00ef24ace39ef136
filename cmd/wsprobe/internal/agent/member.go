package agent

import (
	"context"
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

// member is a probe that runs, with everything that is told of its results. It is there once for each of maybe a
// hundred thousand probes.
type member struct {
	digest     config.Digest
	generation uint64
	prober     atomic.Pointer[probe.Probe] // replaced when the content of a secret may have changed
	telemetry  *telemetry.Telemetry

	mu     sync.Mutex // held while a result is told, so that nothing is told of a probe that has left
	left   bool
	series *telemetry.Series
	entry  *status.Entry
	watch  *journal.Watch
	assess func(probe.Result) assessment
}

func (f *fleet) newMember(p planned, generation uint64, series *telemetry.Series) *member {
	m := &member{
		digest:     p.Digest,
		generation: generation,
		telemetry:  f.telemetry,
		series:     series,
		entry:      status.NewEntry(p.Name, p.ShownURL(), p.Spec.Interpretation, p.Interval),
		watch:      journal.NewWatch(f.log, p.Name),
		assess:     assessor(p.Probe),
	}
	m.prober.Store(p.prober)
	return m
}

// job is the member as the scheduler sees it.
func (m *member) job(p planned) scheduler.Job {
	return scheduler.Job{Name: p.Name, Interval: p.Interval, Generation: m.generation, Run: m.run}
}

// run measures once, and tells the result.
func (m *member) run(ctx context.Context, tick scheduler.Tick) {
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

// tell tells everybody of a result, one after the other.
func (m *member) tell(r probe.Result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left {
		return
	}
	m.watch.Observe(r)
	a := m.assess(r)
	m.series.Record(r, a.Status)
	m.entry.Record(r, a.State)
	if a.change != nil {
		m.watch.ObserveStatus(*a.change)
		m.series.ReportStatus(*a.change)
	}
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

// leave says that the probe is gone. Nothing is told of it any more, since its series may be that of its heir.
func (m *member) leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left = true
}

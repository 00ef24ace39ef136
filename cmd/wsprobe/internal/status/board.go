package status

import (
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/maintenance"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
	"github.com/wsprobe/wsprobe/scheduler"
)

// Board holds the last result of each probe. Its rows can change while it is read. The zero value is empty.
type Board struct {
	rows atomic.Pointer[[]*Entry]
}

// Show makes these the rows of the board, in this order. An answer that is being written keeps the rows of before.
func (b *Board) Show(rows []*Entry) { b.rows.Store(&rows) }

// entries returns the rows of now.
func (b *Board) entries() []*Entry {
	if rows := b.rows.Load(); rows != nil {
		return *rows
	}
	return nil
}

// Entry is the place of one probe on the board.
type Entry struct {
	probe   *metrics.Identity
	last    atomic.Pointer[record]
	skipped atomic.Int64               // runs that did not take place
	skips   atomic.Pointer[skipRecord] // nil before the first of them
	windows atomic.Pointer[maintenance.Schedule]

	held  atomic.Pointer[held]  // nil for a probe that holds no session
	heard atomic.Pointer[heard] // its messages; nil before the first
}

// record is a result and what the probe is after it.
type record struct {
	*Brief               // of an ordinary run
	whole  *probe.Result // of any other
	health.State
	maintained bool
}

// NewEntry makes the place of a probe, to be shown by [Board.Show].
func NewEntry(id *metrics.Identity) *Entry { return &Entry{probe: id} }

// Observe replaces the last result, and the health of the probe. One goroutine calls it at a time. A moment of a held
// session that says nothing about the present leaves the result as it is.
func (e *Entry) Observe(o *metrics.Observation) {
	if s := o.Session; s != nil {
		e.held.Store(e.held.Load().after(o))
		if s.Moment == metrics.SessionExplained || s.Moment == metrics.SessionEnded && s.Open {
			return
		}
	}
	last := &record{State: o.Health, maintained: o.Maintained}
	if b, ok := NewBrief(&o.Result); ok {
		last.Brief = b
	} else {
		last.whole = new(o.Result)
	}
	e.last.Store(last)
}

// result returns a result with the same view as the one that was recorded.
func (r *record) result() probe.Result {
	if r.whole != nil {
		return *r.whole
	}
	return r.Brief.Result()
}

func (r *record) observation(p *metrics.Identity) *metrics.Observation {
	return &metrics.Observation{Probe: p, Result: r.result(), Health: r.State, Maintained: r.maintained}
}

// Last returns the last result with the health of the probe after it: all that an event says of a run. Of a session it
// leaves out the moment. It is nil before the first result.
func (e *Entry) Last() *metrics.Observation {
	if r := e.last.Load(); r != nil {
		return r.observation(e.probe)
	}
	return nil
}

// ok reports whether the run was.
func (r *record) ok() bool { return r.whole == nil || r.whole.Reason == reasons.OK }

// Skip notes runs that did not take place. One goroutine calls it, the scheduler's.
func (e *Entry) Skip(cause scheduler.Skip, runs int) {
	e.skipped.Add(int64(runs))
	skips := e.skips.Load()
	if skips == nil {
		skips = new(skipRecord)
		e.skips.Store(skips)
	}
	skips.add(cause, int64(runs), time.Now())
}

// Status is a probe with its last result, as the API shows it.
type Status struct {
	Name           string `json:"name"`
	URL            string `json:"url"`
	Interpretation string `json:"interpretation"`
	Interval       string `json:"interval"`
	Skipped        int64  `json:"skipped"` // runs that did not take place since the agent started
	// RecentSkips are those by each cause that were skipped in the last 15 minutes, or without such a pause before.
	RecentSkips []Skips `json:"recent_skips"`
	// Status and StatusSince are null without thresholds, and before the first run has ended.
	Status      *string    `json:"status"`
	StatusSince *time.Time `json:"status_since"`
	// Maintenance: now is in a maintenance window. MaintenanceUntil is its end, null outside of one and without an end.
	Maintenance      bool       `json:"maintenance"`
	MaintenanceUntil *time.Time `json:"maintenance_until"`
	// Last is null before the first run has ended.
	Last *metrics.Observation `json:"last"`
	// Session is null for a probe that holds none, and before the first open has ended.
	Session *Session `json:"session"`
}

// status shows an entry.
func (e *Entry) status() Status {
	t := e.probe.Target()
	s := Status{Name: t.Name, URL: t.URL, Interpretation: string(t.Interpretation), Interval: t.Interval.String(),
		Skipped: e.skipped.Load(), RecentSkips: e.skips.Load().recent(time.Now())}
	s.maintain(e.windows.Load(), time.Now())
	h := e.held.Load()
	s.Session = h.view(e.heard.Load())
	if r := e.last.Load(); r != nil {
		s.Last = r.observation(e.probe)
		s.Last.Session = h.behind(&s.Last.Result)
		if r.Status != health.Unknown {
			s.Status, s.StatusSince = new(r.Status.String()), new(r.Since.UTC())
		}
	}
	return s
}

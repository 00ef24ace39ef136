package journal

import (
	"context"
	"log/slog"
	"time"

	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// Watch follows the runs, or the held session, of one probe. Its methods must not be called by two goroutines at once.
type Watch struct {
	name   string
	log    *slog.Logger
	outage *outage // nil while the probe works

	maintained bool // the observation at hand is one of maintenance

	trouble  *trouble  // of a held session; nil before the first
	messages *messages // of a held session that numbers or dates them; else nil
}

// NewWatch returns a Watch that writes to a log.
func NewWatch(log *slog.Logger, name string) *Watch { return &Watch{name: name, log: log} }

// Observe tells what is new about a run, or about a moment of a held session, and of a change of the health of its
// probe. They come in the order of time.
func (w *Watch) Observe(o *metrics.Observation) {
	r := &o.Result
	w.maintained = o.Maintained
	switch {
	case o.Session != nil:
		w.session(o)
	case r.Reason != reasons.OK:
		w.failed(o)
	case w.outage != nil:
		w.write(slog.LevelInfo, "probe recovered", duration("failed_for", r.Ended.Sub(w.outage.since)),
			slog.Int("failed_runs", w.outage.runs))
		w.outage = nil
	default:
		w.write(slog.LevelDebug, "probe ran", slog.String("reason", r.Reason.String()))
	}
	if o.Change != nil {
		w.healthChanged(*o.Change)
	}
}

// healthChanged tells of a change of health. A probe that begins healthy is no news.
func (w *Watch) healthChanged(c health.Transition) {
	level := slog.LevelWarn
	switch {
	case c.To == health.Healthy && c.From == health.Unknown:
		level = slog.LevelDebug
	case c.To == health.Healthy:
		level = slog.LevelInfo
	}
	w.write(level, "probe changed status", slog.String("from", c.From.String()), slog.String("to", c.To.String()),
		slog.Time("since", c.Since.UTC()))
}

func (w *Watch) failed(seen *metrics.Observation) {
	r := &seen.Result
	if w.outage == nil {
		w.outage = &outage{since: r.Started}
	}
	o := w.outage
	switch fresh, due := o.add(r); {
	case fresh:
		w.write(slog.LevelWarn, "probe fails", append(seen.Line(), w.course(o.tell(r))...)...)
	case due:
		w.write(slog.LevelWarn, "probe still fails", append(seen.Line(), w.course(o.tell(r))...)...)
	default:
		w.write(slog.LevelDebug, "probe failed again", seen.Line()...)
	}
}

// course says how an outage went so far, of which so many runs are new to the reader. There is nothing to say about the
// first.
func (w *Watch) course(news int) []slog.Attr {
	if w.outage.runs == 1 {
		return nil
	}
	return []slog.Attr{
		slog.Int("runs", news),
		slog.Int("failed_runs", w.outage.runs),
		slog.Time("failing_since", w.outage.since.UTC()),
	}
}

// EndMaintenance forgets how the probe failed. If it still does, that is news. What happens in maintenance is told at the
// level debug only.
func (w *Watch) EndMaintenance() { w.outage, w.trouble = nil, nil }

// write writes a line.
func (w *Watch) write(level slog.Level, message string, attrs ...slog.Attr) {
	if w.maintained {
		level = slog.LevelDebug
	}
	if !w.log.Enabled(context.Background(), level) {
		return
	}
	w.log.LogAttrs(context.Background(), level, message, append([]slog.Attr{slog.String("probe", w.name)}, attrs...)...)
}

// duration is an attribute that reads alike in every format of the log: 1m30s.
func duration(key string, d time.Duration) slog.Attr {
	return slog.String(key, d.Round(time.Millisecond).String())
}

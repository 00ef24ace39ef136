package telemetry

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// Event is one row of the table of log records. Each bears the attributes of its probe besides, see
// [metrics.ProbeKeys], and the probe's labels.
type Event struct {
	Name        string
	Severity    slog.Level
	Description string
	// Attributes are the keys that it can bear. What is not known is absent.
	Attributes []string
}

// The events by name.
const (
	eventRunFailed      = "wsprobe.run.failed"
	eventOutcomeChanged = "wsprobe.outcome.changed"
	eventHealthChanged  = "wsprobe.health.changed"
)

// Attribute keys of log records alone. What they hold is for people and has no bounds of its own.
const (
	keyOutcomeNow    = "wsprobe.outcome"
	keyOutcomeBefore = "wsprobe.outcome.previous"
	keyFailingSince  = "wsprobe.failing_since"
	keyHealth        = "wsprobe.health"
	keyHealthBefore  = "wsprobe.health.previous"
	keyHealthSince   = "wsprobe.health.since"
	keyFailedRuns    = "wsprobe.failed_runs"
)

// The values of keyOutcomeNow.
const (
	outcomeOK     = "ok"
	outcomeFailed = "failed"
)

// healthKeys are the attributes of a change of health.
var healthKeys = []string{keyHealth, keyHealthBefore, keyHealthSince}

// Events returns the table of every log record that wsprobe exports.
func Events() []Event {
	failureKeys := metrics.RecordKeys()
	return append([]Event{
		{eventRunFailed, slog.LevelWarn, "A run failed.", failureKeys},
		{eventOutcomeChanged, slog.LevelWarn, "A probe that worked, or has not run before, fails; with what is known of the run.",
			append([]string{keyOutcomeNow, keyOutcomeBefore}, outside(failureKeys)...)},
		{eventOutcomeChanged, slog.LevelInfo, "A probe that failed works again; since when it did not, and how many runs failed.",
			[]string{keyOutcomeNow, keyOutcomeBefore, keyFailingSince, keyFailedRuns}},
		{eventHealthChanged, slog.LevelWarn, "What the thresholds of a probe make of it changed, and it is not healthy; when the first run of the change ended.", healthKeys},
		{eventHealthChanged, slog.LevelInfo, "A probe with thresholds is healthy again.", healthKeys},
	}, sessionEvents()...)
}

// outside returns the keys without that of maintenance, in which no outcome changes.
func outside(keys []string) []string {
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return key == metrics.KeyMaintenance })
}

// Recorder makes the log records of one probe. A nil Recorder makes none. Its methods must not be called by two
// goroutines at once.
type Recorder struct {
	identity *metrics.Identity
	handler  slog.Handler
	failing  time.Time // start of the first run that failed; zero while none does
	failed   int       // runs that failed since then

	ended *metrics.Observation // of a held session, until its explanation; else nil
}

// Recorder returns what makes the log records of a probe, nil without Options.Logs.
func (t *Telemetry) Recorder(id *metrics.Identity) *Recorder {
	if t.records == nil {
		return nil
	}
	return &Recorder{identity: id, handler: t.records.handler}
}

// Observe makes log records of a run, or of a moment of a held session, that is worth some: of its failure, of a change of the outcome, of a change of
// health.
func (r *Recorder) Observe(o *metrics.Observation) {
	if r == nil {
		return
	}
	switch {
	case o.Session != nil:
		r.session(o)
	case o.Result.Reason != reasons.OK:
		r.runFailed(o)
	case !o.Maintained:
		r.recovered(&o.Result)
	}
	if o.Change != nil {
		r.healthChanged(*o.Change)
	}
}

// runFailed makes the log records of a run that failed, or of an open of a session. While another session is open, and
// in maintenance, that changes no outcome.
func (r *Recorder) runFailed(o *metrics.Observation) {
	if !o.Maintained && (o.Session == nil || !o.Session.Open) {
		r.outcomeFailed(o)
		r.failed++
	}
	r.emit(&o.Result, slog.LevelWarn, eventRunFailed, "run failed: "+summary(&o.Result), o.Record())
}

// outcomeFailed makes a log record of a probe that begins to fail.
func (r *Recorder) outcomeFailed(o *metrics.Observation) {
	if !r.failing.IsZero() {
		return
	}
	r.failing = o.Result.Started
	r.emit(&o.Result, slog.LevelWarn, eventOutcomeChanged, "probe fails: "+summary(&o.Result),
		append([]slog.Attr{slog.String(keyOutcomeNow, outcomeFailed), slog.String(keyOutcomeBefore, outcomeOK)}, o.Record()...))
}

// recovered makes a log record of a probe that failed and works again.
func (r *Recorder) recovered(run *probe.Result) {
	if r.failing.IsZero() {
		return
	}
	r.emit(run, slog.LevelInfo, eventOutcomeChanged, "probe recovered", []slog.Attr{
		slog.String(keyOutcomeNow, outcomeOK), slog.String(keyOutcomeBefore, outcomeFailed),
		timeAttr(keyFailingSince, r.failing), slog.Int(keyFailedRuns, r.failed),
	})
	r.failing, r.failed = time.Time{}, 0
}

// healthChanged makes a log record of a change of health. A probe that begins healthy is not worth one.
func (r *Recorder) healthChanged(c probehealth.Transition) {
	if c.From == probehealth.Unknown && c.To == probehealth.Healthy {
		return
	}
	level := slog.LevelWarn
	if c.To == probehealth.Healthy {
		level = slog.LevelInfo
	}
	r.write(context.Background(), c.At, level, eventHealthChanged, "status changed from "+c.From.String()+" to "+c.To.String(), []slog.Attr{
		slog.String(keyHealth, c.To.String()), slog.String(keyHealthBefore, c.From.String()), timeAttr(keyHealthSince, c.Since),
	})
}

// summary is a failed run in short.
func summary(r *probe.Result) string {
	said := r.Reason.String() + " (" + string(r.ErrorType) + ")"
	if r.Detail != "" {
		said += ": " + r.Detail
	}
	return said
}

// emit makes a log record of the moment in which the run was over. The record is in the trace of the run.
func (r *Recorder) emit(run *probe.Result, level slog.Level, event, message string, attrs []slog.Attr) {
	r.write(inTrace(run), run.Ended, level, event, message, attrs)
}

// write makes a log record with the attributes of the probe.
func (r *Recorder) write(ctx context.Context, at time.Time, level slog.Level, event, message string, attrs []slog.Attr) {
	record := slog.NewRecord(at, level, r.identity.Name()+": "+message, 0)
	record.AddAttrs(slog.String(keyEventName, event))
	record.AddAttrs(r.identity.Append(nil)...)
	record.AddAttrs(attrs...)
	_ = r.handler.Handle(ctx, record) // it puts the record into a queue, which always succeeds
}

// timeAttr is a time as text: OpenTelemetry has no attributes that are times.
func timeAttr(key string, t time.Time) slog.Attr {
	return slog.String(key, t.UTC().Format(time.RFC3339Nano))
}

// inTrace returns a context by which a record learns of the trace of the run, if that is exported.
func inTrace(r *probe.Result) context.Context {
	if !r.Traced() {
		return context.Background()
	}
	config := trace.SpanContextConfig{TraceID: r.Trace.ID, SpanID: r.Trace.Run}
	if r.Trace.Sampled {
		config.TraceFlags = trace.FlagsSampled
	}
	return trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(config))
}

package telemetry

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// Event is one row of the table of log records. Each bears the attributes of its probe besides, see
// [ProbeAttributes], and the probe's labels.
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
	return []Event{
		{eventRunFailed, slog.LevelWarn, "A run failed.", failureKeys},
		{eventOutcomeChanged, slog.LevelWarn, "A probe that worked, or has not run before, fails; with what is known of the run.",
			append([]string{keyOutcomeNow, keyOutcomeBefore}, failureKeys...)},
		{eventOutcomeChanged, slog.LevelInfo, "A probe that failed works again; since when it did not, and how many runs failed.",
			[]string{keyOutcomeNow, keyOutcomeBefore, keyFailingSince, keyFailedRuns}},
		{eventHealthChanged, slog.LevelWarn, "What the thresholds of a probe make of it changed, and it is not healthy; when the first run of the change ended.", healthKeys},
		{eventHealthChanged, slog.LevelInfo, "A probe with thresholds is healthy again.", healthKeys},
	}
}

// course is how a probe fares, as far as log records are concerned.
type course struct {
	since time.Time // start of the first run that failed; zero while none does
	runs  int       // that failed since then
}

// recorder makes the log records of a probe.
type recorder struct {
	slog.Handler
	course course // touched by report only
}

// report makes log records of what a run has that is worth one: its failure, and a change of state.
func (s *Series) report(r probe.Result) {
	if s.records == nil {
		return
	}
	failed, failing := r.Reason != reasons.OK, !s.records.course.since.IsZero()
	if failed {
		facts := (&metrics.Observation{Result: r}).Record()
		if !failing {
			s.records.course.since = r.Started
			s.emit(r, slog.LevelWarn, eventOutcomeChanged, "probe fails: "+summary(r),
				append([]slog.Attr{slog.String(keyOutcomeNow, outcomeFailed), slog.String(keyOutcomeBefore, outcomeOK)}, facts...))
		}
		s.records.course.runs++
		s.emit(r, slog.LevelWarn, eventRunFailed, "run failed: "+summary(r), facts)
	} else if failing {
		s.emit(r, slog.LevelInfo, eventOutcomeChanged, "probe recovered", []slog.Attr{
			slog.String(keyOutcomeNow, outcomeOK), slog.String(keyOutcomeBefore, outcomeFailed),
			timeAttr(keyFailingSince, s.records.course.since), slog.Int(keyFailedRuns, s.records.course.runs),
		})
		s.records.course = course{}
	}
}

// ReportStatus makes a log record of a change of the probe's status. Only that a probe begins healthy is not worth one.
func (s *Series) ReportStatus(c probehealth.Transition) {
	if s.records == nil || c.From == probehealth.Unknown && c.To == probehealth.Healthy {
		return
	}
	level := slog.LevelWarn
	if c.To == probehealth.Healthy {
		level = slog.LevelInfo
	}
	s.write(context.Background(), c.At, level, eventHealthChanged, "status changed from "+c.From.String()+" to "+c.To.String(), []slog.Attr{
		slog.String(keyHealth, c.To.String()), slog.String(keyHealthBefore, c.From.String()), timeAttr(keyHealthSince, c.Since),
	})
}

// summary is a failed run in short.
func summary(r probe.Result) string {
	return r.Reason.String() + " (" + string(r.ErrorType) + "): " + r.Detail
}

// emit makes a log record of the moment in which the run was over. The record is in the trace of the run.
func (s *Series) emit(r probe.Result, level slog.Level, event, message string, attrs []slog.Attr) {
	s.write(inTrace(r), r.Ended, level, event, message, attrs)
}

// write makes a log record with the attributes of the probe.
func (s *Series) write(ctx context.Context, at time.Time, level slog.Level, event, message string, attrs []slog.Attr) {
	record := slog.NewRecord(at, level, s.target.Name+": "+message, 0)
	record.AddAttrs(slog.String(keyEventName, event))
	for _, kv := range s.appendBase(nil) {
		record.AddAttrs(plain(kv))
	}
	record.AddAttrs(attrs...)
	_ = s.records.Handle(ctx, record) // it puts the record into a queue, which always succeeds
}

// plain is an attribute of a metric for the log.
func plain(kv attribute.KeyValue) slog.Attr { return slog.Any(string(kv.Key), kv.Value.AsInterface()) }

// timeAttr is a time as text: OpenTelemetry has no attributes that are times.
func timeAttr(key string, t time.Time) slog.Attr {
	return slog.String(key, t.UTC().Format(time.RFC3339Nano))
}

// inTrace returns a context by which a record learns of the trace of the run, if that is exported.
func inTrace(r probe.Result) context.Context {
	if !r.Traced() {
		return context.Background()
	}
	config := trace.SpanContextConfig{TraceID: r.Trace.ID, SpanID: r.Trace.Run}
	if r.Trace.Sampled {
		config.TraceFlags = trace.FlagsSampled
	}
	return trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(config))
}

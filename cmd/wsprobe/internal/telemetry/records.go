package telemetry

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// keyEventName brings the name of an event through slog, which has no place for it. No record leaves with it, and with a
// blank in it no label can be named so.
const keyEventName = "event name"

// maxAttributes is more than a record ever has: a target, its labels, and what is known of a run.
const maxAttributes = 128

// records is the way of log records: slog, the bridge to OpenTelemetry, the SDK, the relay.
type records struct {
	relay    relay[sdklog.Record]
	provider *sdklog.LoggerProvider
	handler  slog.Handler
}

// newRecords makes the way to what sends. Its records describe the same resource as the metrics.
func newRecords(r *resource.Resource, version string, send func(context.Context, []sdklog.Record) verdict) *records {
	w := &records{relay: relay[sdklog.Record]{size: recordSize, send: send, spread: 1, wake: make(chan struct{}, 1), full: make(chan struct{}, 1)}}
	w.provider = sdklog.NewLoggerProvider(
		sdklog.WithResource(r),
		sdklog.WithProcessor(queueing{&w.relay}),
		// Given, so that no OTEL_ variable has a say.
		sdklog.WithAttributeCountLimit(maxAttributes),
		sdklog.WithAttributeValueLengthLimit(-1),
	)
	w.handler = otelslog.NewHandler(scopeName, otelslog.WithLoggerProvider(w.provider), otelslog.WithVersion(version),
		otelslog.WithSchemaURL(semconv.SchemaURL))
	return w
}

// recordSize is the most bytes that a record takes in a request.
func recordSize(r sdklog.Record) int {
	size := len(r.Body().AsString()) + len(r.EventName()) + 128
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		size += encodedSize([]attribute.KeyValue{kv})
		return true
	})
	return size
}

// queueing is the end of the SDK: it puts records into the relay, which never blocks.
type queueing struct{ relay *relay[sdklog.Record] }

// Enabled says that every record is wanted: what is not is not made.
func (queueing) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }

// OnEmit queues a record of its own, with the name of the event where OpenTelemetry has it.
func (q queueing) OnEmit(_ context.Context, r *sdklog.Record) error {
	record := r.Clone()
	attrs := make([]attribute.KeyValue, 0, record.AttributesLen())
	record.WalkAttributes(func(kv attribute.KeyValue) bool {
		if kv.Key == keyEventName {
			record.SetEventName(kv.Value.AsString())
		} else {
			attrs = append(attrs, kv)
		}
		return true
	})
	record.SetAttributes(attrs...)
	q.relay.add(record)
	return nil
}

// ForceFlush has nothing to do: the relay sends by itself.
func (queueing) ForceFlush(context.Context) error { return nil }

// Shutdown has nothing to do: the relay ends by itself.
func (queueing) Shutdown(context.Context) error { return nil }

// openRecords prepares the export of log records.
func (t *Telemetry) openRecords() {
	if t.wire.sendRecords == nil {
		return
	}
	t.agent.countRecords()
	t.records = newRecords(t.options.located(t.resource), t.options.ServiceVersion, t.wire.sendRecords)
	t.records.relay.spread = t.delivery.spread
	t.records.relay.sent = t.agent.recordsSent
	t.records.relay.drop = t.agent.dropRecords
	t.records.relay.report = (&relayReport{log: t.log, what: "log records", unit: "records"}).tell
}

// relayReport tells the log how an export goes. The goroutine of the relay has it to itself.
type relayReport struct {
	log        *limitedLog
	what, unit string    // that is exported: log records, and records by their number
	failing    time.Time // since when; zero if it does not
}

func (r *relayReport) tell(v verdict, items int) {
	before := r.failing
	if r.failing = (time.Time{}); v.outcome == Deferred {
		r.failing = cmp.Or(before, time.Now())
	}
	switch {
	case v.outcome == Deferred:
		r.log.log(slog.LevelWarn, "export of "+r.what+" deferred", "error.type", v.errorType, "message", v.message, "since", r.failing)
	case v.outcome == Rejected:
		r.log.log(slog.LevelError, "export of "+r.what+" rejected", "error.type", v.errorType, "message", v.message, r.unit, items)
	case v.message != "" || v.rejected > 0:
		r.log.log(slog.LevelWarn, "export of "+r.what+" accepted with a remark", "message", v.message, "rejected_"+r.unit, v.rejected)
	case !before.IsZero():
		r.log.log(slog.LevelInfo, "export of "+r.what+" gets through again", "failed_for", time.Since(before).Round(time.Second))
	}
}

// relayRecords exports log records as [relay.run] does, if they are wanted.
func (t *Telemetry) relayRecords(ctx context.Context, last <-chan struct{}) {
	if t.records == nil {
		return
	}
	if left := t.records.relay.run(ctx, last); left > 0 {
		t.log.log(slog.LevelWarn, "stopped with log records undelivered", "records", left)
	}
	_ = t.records.provider.Shutdown(ctx) // it has nothing that could fail
}

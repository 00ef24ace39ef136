package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
)

// keyEventName brings the name of an event through slog, which has no place for it. No record leaves with it, and with
// a blank in it no label can be named so.
const keyEventName = "event name"

// maxAttributes is more than a record ever has: a target, its labels, and what is known of a run.
const maxAttributes = 128

// records is the way of log records: slog, the bridge to OpenTelemetry, the SDK, and the gatherer.
type records struct {
	*gatherer[sdklog.Record]
	box      *outbox.Outbox
	provider *sdklog.LoggerProvider
	handler  slog.Handler
}

// newRecords makes the way of log records about a resource, which is that of the metrics.
func newRecords(r *resource.Resource, version string, lost func(items int)) *records {
	w := &records{gatherer: newGatherer(recordSize, otlp.Records, lost)}
	w.provider = sdklog.NewLoggerProvider(
		sdklog.WithResource(r),
		sdklog.WithProcessor(queueing{w.gatherer}),
		// Every option is set, so that OTEL_ variables cannot override the configuration.
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
		size += encodedSize(kv)
		return true
	})
	return size
}

// encodedSize is the most bytes that an attribute takes in a request: its texts, and tags, lengths and number.
func encodedSize(kv attribute.KeyValue) int { return len(kv.Key) + len(kv.Value.AsString()) + 20 }

// queueing is the end of the SDK: it puts records into the gatherer, which never blocks.
type queueing struct{ gatherer *gatherer[sdklog.Record] }

// Enabled says that every record is wanted: nobody makes the others.
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
	q.gatherer.add(record)
	return nil
}

// ForceFlush has nothing to do: the gatherer works by itself.
func (queueing) ForceFlush(context.Context) error { return nil }

// Shutdown has nothing to do: the gatherer ends by itself.
func (queueing) Shutdown(context.Context) error { return nil }

package otlp

import (
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	logscollector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"
)

// Records returns a request with log records, in their order. All must have the resource and the scope of the first.
func Records(records []sdklog.Record) ([]byte, error) {
	about := &logs.ResourceLogs{}
	inScope := &logs.ScopeLogs{}
	if len(records) > 0 {
		r, scope := records[0].Resource(), records[0].InstrumentationScope()
		about.Resource, about.SchemaUrl = resourceOf(r), r.SchemaURL()
		inScope.Scope, inScope.SchemaUrl = scopeOf(scope), scope.SchemaURL
	}
	for i := range records {
		inScope.LogRecords = append(inScope.LogRecords, record(&records[i]))
	}
	about.ScopeLogs = []*logs.ScopeLogs{inScope}
	request, err := proto.Marshal(&logscollector.ExportLogsServiceRequest{ResourceLogs: []*logs.ResourceLogs{about}})
	if err != nil {
		return nil, fmt.Errorf("encoding log records: %w", err)
	}
	return request, nil
}

// record returns a log record as OTLP has it. The severities have the same numbers there.
func record(r *sdklog.Record) *logs.LogRecord {
	encoded := &logs.LogRecord{
		TimeUnixNano:           nanos(r.Timestamp()),
		ObservedTimeUnixNano:   nanos(r.ObservedTimestamp()),
		SeverityNumber:         logs.SeverityNumber(r.Severity()),
		SeverityText:           r.SeverityText(),
		EventName:              r.EventName(),
		Body:                   anyValue(r.Body()),
		Attributes:             make([]*common.KeyValue, 0, r.AttributesLen()),
		DroppedAttributesCount: uint32(r.DroppedAttributes()),
		Flags:                  uint32(r.TraceFlags()),
	}
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		encoded.Attributes = append(encoded.Attributes, keyValue(kv))
		return true
	})
	if id := r.TraceID(); id.IsValid() {
		encoded.TraceId = id[:]
	}
	if id := r.SpanID(); id.IsValid() {
		encoded.SpanId = id[:]
	}
	return encoded
}

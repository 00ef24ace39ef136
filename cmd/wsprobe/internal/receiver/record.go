package receiver

import (
	"context"
	"encoding/hex"
	"iter"
	"sync"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
)

// LogsPath is where a receiver over HTTP takes requests with log records.
const LogsPath = "/v1/logs"

// Record is one log record.
type Record struct {
	// Resource and Scope say whose record it is.
	Resource map[string]any
	Scope    string

	Time, Observed time.Time
	Severity       string // as the sender calls it
	SeverityNumber int    // 9 is INFO, 13 WARN, 17 ERROR
	Event          string
	Body           string
	// Attributes are strings, int64, float64 or bool.
	Attributes map[string]any
	// TraceID and SpanID are in hexadecimal, empty if the record is in no trace.
	TraceID, SpanID string
}

// LogsRequest is a message of OTLP.
type LogsRequest = collector.ExportLogsServiceRequest

// Records returns the records of a request in the order in which they stand there.
func Records(request *LogsRequest) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for _, rl := range request.GetResourceLogs() {
			resource := attributes(rl.GetResource().GetAttributes())
			for _, sl := range rl.GetScopeLogs() {
				for _, r := range sl.GetLogRecords() {
					record := Record{
						Resource: resource, Scope: sl.GetScope().GetName(),
						Time: instant(r.GetTimeUnixNano()), Observed: instant(r.GetObservedTimeUnixNano()),
						Severity: r.GetSeverityText(), SeverityNumber: int(r.GetSeverityNumber()),
						Event: r.GetEventName(), Body: r.GetBody().GetStringValue(), Attributes: attributes(r.GetAttributes()),
						TraceID: hex.EncodeToString(r.GetTraceId()), SpanID: hex.EncodeToString(r.GetSpanId()),
					}
					if !yield(record) {
						return
					}
				}
			}
		}
	}
}

// logsService is the gRPC side of a receiver of log records.
type logsService struct {
	collector.UnimplementedLogsServiceServer
	receiver *Receiver

	mu sync.Mutex // held while records are handed over
}

func (s *logsService) Export(ctx context.Context, request *LogsRequest) (*collector.ExportLogsServiceResponse, error) {
	if s.receiver.AnswerLogs != nil {
		if err := s.receiver.AnswerLogs(ctx, request); err != nil {
			return nil, err
		}
	}
	if s.receiver.Record != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		for r := range Records(request) {
			s.receiver.Record(r)
		}
	}
	return new(collector.ExportLogsServiceResponse), nil
}

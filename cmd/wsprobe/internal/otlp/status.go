package otlp

import (
	"strings"
	"time"

	metricscollector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	rpccode "google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
)

// accepted returns the answer to a request that was not refused, from the response of the receiver. The responses of
// the three signals have the same form in protobuf. A receiver can leave a remark with a full success.
func accepted(response []byte) outbox.Answer {
	var decoded metricscollector.ExportMetricsServiceResponse
	if proto.Unmarshal(response, &decoded) != nil {
		return outbox.Answer{Outcome: outbox.Accepted, Message: "the answer is no protobuf"}
	}
	partial := decoded.GetPartialSuccess()
	a := outbox.Answer{Outcome: outbox.Accepted, Message: partial.GetErrorMessage()}
	if n := partial.GetRejectedDataPoints(); n > 0 {
		a.Outcome, a.Rejected = outbox.Partial, int(n)
	}
	return a
}

// ofStatus decides by the status of a request that was not accepted.
//
// The retryable codes are those of the OTLP specification and two more. ResourceExhausted without RetryInfo is
// permanent there, because it can mean that the request is too large. It can also mean that the receiver is busy. It is
// tried again, and is doubtful, because lost points are worse than a repeated request. Unauthenticated can be mended at
// the receiver while the agent runs.
func ofStatus(s *status.Status) outbox.Answer {
	a := outbox.Answer{Outcome: outbox.Rejected, ErrorType: rpccode.Code(s.Code()).String(), Message: s.Message()}
	wait, throttled := retryInfo(s)
	switch s.Code() {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Unauthenticated:
		a.Outcome = outbox.Deferred
	case codes.ResourceExhausted, codes.Aborted, codes.OutOfRange, codes.DataLoss:
		a.Outcome, a.TooLarge = outbox.Deferred, saysTooLarge(s.Message())
		a.Doubtful = !throttled || a.TooLarge
	}
	a.RetryAfter = wait
	return a
}

// saysTooLarge reports whether a refusal is about the size of the request. No status code says so. It knows the texts
// of the gRPC libraries of Go, C++, Python and Node.js, Java, .NET and Rust.
func saysTooLarge(message string) bool {
	text := strings.ToLower(message)
	for _, known := range []string{
		"larger than max", "message exceeds maximum size", "exceeds the maximum configured message size",
		"message length too large",
	} {
		if strings.Contains(text, known) {
			return true
		}
	}
	return false
}

// retryInfo returns the delay that the receiver asks for, if it does.
func retryInfo(s *status.Status) (time.Duration, bool) {
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration(), true
		}
	}
	return 0, false
}

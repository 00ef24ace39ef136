package telemetry

import (
	"strings"
	"time"

	rpccode "google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// verdict is what became of one export request.
type verdict struct {
	outcome   Outcome
	rejected  int    // points, or other items, that a partial success left out
	errorType string // the gRPC status by its name in the protocol or the number of the HTTP status, empty if it is OK
	message   string // the receiver's words, redacted

	// retryAfter is how long the receiver asks to be left alone.
	retryAfter time.Duration
	// doubtful says that a deferral can be about this request alone, so that it says nothing about others.
	doubtful bool
	// tooLarge says that the request has more bytes than the receiver takes. It is doubtful then.
	tooLarge bool
	// unanswered says that the request was sent, or can have been, and that nobody knows what became of it: its answer was
	// lost, or was that of somebody who did not wait for it. It may have been accepted.
	unanswered bool
	// unreadable says why there was nothing to send: it could not be encoded, or what was packed could not be unpacked.
	unreadable string
}

// accepted is the verdict on a request that was not refused. A receiver may leave a remark with a full success.
func accepted(rejected int64, remark string) verdict {
	v := verdict{outcome: Accepted, message: remark}
	if rejected > 0 {
		v.outcome, v.rejected = Partial, int(rejected)
	}
	return v
}

// judge decides by the status of a request that was not accepted.
//
// The retryable codes are those of the OTLP specification and two more. ResourceExhausted without RetryInfo
// is permanent there, because it can mean "too large for me"; it can as well mean "too much at the moment",
// and points that are gone are worse than a request made twice, so it is tried again but doubtful.
// Unauthenticated can be mended at the receiver while the agent runs.
func judge(s *status.Status) verdict {
	v := verdict{
		outcome:   Rejected,
		errorType: rpccode.Code(s.Code()).String(),
		message:   s.Message(),
	}
	wait, throttled := retryInfo(s)
	switch s.Code() {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Unauthenticated:
		v.outcome = Deferred
	case codes.ResourceExhausted, codes.Aborted, codes.OutOfRange, codes.DataLoss:
		v.outcome, v.tooLarge = Deferred, saysTooLarge(s.Message())
		v.doubtful = !throttled || v.tooLarge
	}
	v.retryAfter = wait
	return v
}

// saysTooLarge reports whether a refusal is about the size of the request, which no status code says. It knows the texts of
// the gRPC libraries: Go, C++, Python and Node.js, Java, .NET, Rust.
func saysTooLarge(message string) bool {
	text := strings.ToLower(message)
	for _, known := range []string{
		"larger than max", "message exceeds maximum size", "exceeds the maximum configured message size", "message length too large",
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

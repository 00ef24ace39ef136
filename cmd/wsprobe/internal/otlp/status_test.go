package otlp

import (
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
)

func TestRequestThatIsTooLarge(t *testing.T) {
	throttled := func(text string) *status.Status {
		s, err := status.New(codes.ResourceExhausted, text).WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(1)})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, c := range map[string]struct {
		status             *status.Status
		tooLarge, doubtful bool
	}{
		"Go":          {status.New(codes.ResourceExhausted, "grpc: received message larger than max (5000000 vs. 4194304)"), true, true},
		"Go, gzip":    {status.New(codes.ResourceExhausted, "grpc: received message after decompression larger than max 4194304"), true, true},
		"C++":         {status.New(codes.ResourceExhausted, "CLIENT: Received message larger than max (5000000 vs. 4194304)"), true, true},
		"Java":        {status.New(codes.ResourceExhausted, "gRPC message exceeds maximum size 4194304: 5000000"), true, true},
		".NET":        {status.New(codes.ResourceExhausted, "Received message exceeds the maximum configured message size."), true, true},
		"Rust":        {status.New(codes.OutOfRange, "Error, decoded message length too large: found 5000000 bytes, the limit is: 4194304 bytes"), true, true},
		"throttled":   {throttled("too many requests"), false, false},
		"with a time": {throttled("message larger than max"), true, true},
		"busy":        {status.New(codes.ResourceExhausted, "the queue is full"), false, true},
		"another":     {status.New(codes.Unavailable, "larger than max"), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := ofStatus(c.status)
			if a.Outcome != outbox.Deferred || a.TooLarge != c.tooLarge || a.Doubtful != c.doubtful {
				t.Errorf("got %+v", a)
			}
		})
	}
}

package receiver_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
)

// post sends a request over HTTP and returns the status, the headers and the body of the answer.
func post(t *testing.T, r *receiver.Receiver, path, kind, encoding string, body []byte) (int, http.Header, []byte) {
	t.Helper()
	server := httptest.NewServer(r.Handler())
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", kind)
	request.Header.Set("Content-Encoding", encoding)
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, answer
}

func encoded(t *testing.T) []byte {
	t.Helper()
	body, err := proto.Marshal(request())
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestHTTPRequests(t *testing.T) {
	const kind = "application/x-protobuf"
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(encoded(t)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path, kind, encoding string
		body                       []byte
		status, points             int
	}{
		{"plain", "/v1/metrics", kind, "", encoded(t), 200, 4},
		{"gzip", "/v1/metrics", kind, "gzip", packed.Bytes(), 200, 4},
		{"another path", "/v1/other", kind, "", encoded(t), 404, 0},
		{"JSON", "/v1/metrics", "application/json", "", []byte("{}"), 400, 0},
		{"another encoding", "/v1/metrics", kind, "br", encoded(t), 400, 0},
		{"no gzip", "/v1/metrics", kind, "gzip", encoded(t), 400, 0},
		{"no protobuf", "/v1/metrics", kind, "", []byte("hello"), 400, 0},
		{"too long", "/v1/metrics", kind, "", make([]byte, 5<<20), 400, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			points := 0
			r := &receiver.Receiver{Point: func(receiver.Point) { points++ }}
			if code, _, answer := post(t, r, c.path, c.kind, c.encoding, c.body); code != c.status || points != c.points {
				t.Errorf("got %d and %d points, want %d and %d: %s", code, points, c.status, c.points, answer)
			}
		})
	}
}

func TestHTTPRefusal(t *testing.T) {
	refusal, err := status.New(codes.Unavailable, "not now").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(1500 * time.Millisecond)})
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver.Receiver{
		Point:  func(receiver.Point) { t.Error("a refused request was handed over") },
		Answer: func(context.Context, *receiver.Request) (*receiver.PartialSuccess, error) { return nil, refusal.Err() },
	}
	code, header, body := post(t, r, "/v1/metrics", "application/x-protobuf", "", encoded(t))
	var got rpcstatus.Status
	if err := proto.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if code != 503 || header.Get("Retry-After") != "2" || got.GetMessage() != "not now" {
		t.Errorf("got %d, Retry-After %q, %v", code, header.Get("Retry-After"), &got)
	}
}

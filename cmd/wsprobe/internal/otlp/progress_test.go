package otlp

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
)

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestUnansweredOverGRPC: what is unanswered may have been accepted, and nothing else is.
func TestUnansweredOverGRPC(t *testing.T) {
	hanging := func(ctx context.Context, _ *receiver.Request) (*receiver.PartialSuccess, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	answering := func(err error) func(context.Context, *receiver.Request) (*receiver.PartialSuccess, error) {
		return func(context.Context, *receiver.Request) (*receiver.PartialSuccess, error) { return nil, err }
	}
	for name, c := range map[string]struct {
		answer  func(context.Context, *receiver.Request) (*receiver.PartialSuccess, error) // nil if nobody listens
		timeout time.Duration
		want    bool
	}{
		"nobody listens":             {nil, patience, false},
		"it is accepted":             {answering(nil), patience, false},
		"it is refused":              {answering(status.Error(codes.Unavailable, "busy")), patience, false},
		"the receiver says too late": {answering(status.Error(codes.DeadlineExceeded, "late")), patience, true},
		"the receiver hangs":         {hanging, 500 * time.Millisecond, true},
	} {
		t.Run(name, func(t *testing.T) {
			addr := closedPort(t)
			if c.answer != nil {
				addr = serve(t, GRPC, &receiver.Receiver{Answer: c.answer}).addr
			}
			v := clientTo(t, Options{Endpoint: "http://" + addr, Timeout: c.timeout}).Send(t.Context(), Metrics, numbered(t, 1))
			if v.Unanswered != c.want {
				t.Errorf("got %+v", v)
			}
		})
	}
	t.Run("the connection breaks", func(t *testing.T) {
		arrived := make(chan struct{})
		f := newFront(t, serve(t, GRPC, &receiver.Receiver{Answer: func(ctx context.Context, r *receiver.Request) (*receiver.PartialSuccess, error) {
			close(arrived)
			return hanging(ctx, r)
		}}).addr, nil)
		answers := make(chan outbox.Answer, 1)
		c := clientTo(t, Options{Endpoint: "http://" + f.addr})
		request := numbered(t, 1)
		go func() { answers <- c.Send(t.Context(), Metrics, request) }()
		<-arrived
		for _, conn := range f.accepted() {
			_ = conn.Close()
		}
		if v := <-answers; v.Outcome != outbox.Deferred || !v.Unanswered {
			t.Errorf("got %+v", v)
		}
	})
}

// TestUnansweredByAProxy has something in front of a gRPC receiver that answers in its place.
func TestUnansweredByAProxy(t *testing.T) {
	for code, want := range map[int]bool{502: false, 503: false, 504: true} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }))
			s.Config.Protocols = new(http.Protocols)
			s.Config.Protocols.SetUnencryptedHTTP2(true)
			s.Start()
			defer s.Close()
			v := clientTo(t, Options{Endpoint: s.URL}).Send(t.Context(), Metrics, numbered(t, 1))
			if v.Outcome != outbox.Deferred || v.Unanswered != want {
				t.Errorf("got %+v", v)
			}
		})
	}
}

func TestUnansweredOverHTTP(t *testing.T) {
	hijack := func(half string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				fmt.Fprint(conn, half)
				_ = conn.Close()
			}
		}
	}
	hang := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server notices the end of the connection
		<-r.Context().Done()
	}
	saying := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	for name, c := range map[string]struct {
		handler        http.HandlerFunc // nil if nobody listens
		timeout        time.Duration
		want, tooLarge bool
	}{
		"nobody listens":         {nil, patience, false, false},
		"it is accepted":         {saying(200), patience, false, false},
		"it is refused":          {saying(503), patience, false, false},
		"a gateway gives up":     {saying(504), patience, true, false},
		"it is too large":        {saying(413), patience, false, true},
		"the connection breaks":  {hijack(""), patience, true, false},
		"the answer is cut off":  {hijack("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), patience, true, false},
		"the receiver hangs":     {hang, 500 * time.Millisecond, true, false},
		"it speaks another kind": {hijack("220 mail.example.com ESMTP\r\n"), patience, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			url := "http://" + closedPort(t)
			if c.handler != nil {
				s := httptest.NewServer(c.handler)
				defer s.Close()
				url = s.URL
			}
			v := clientTo(t, Options{Protocol: HTTP, Endpoint: url, Timeout: c.timeout}).Send(t.Context(), Metrics, numbered(t, 1))
			if v.Unanswered != c.want || v.TooLarge != c.tooLarge || v.Doubtful != c.tooLarge {
				t.Errorf("got %+v", v)
			}
			if v.Outcome != outbox.Deferred && v.Outcome != outbox.Accepted {
				t.Errorf("got %+v, which is lost", v)
			}
		})
	}
}

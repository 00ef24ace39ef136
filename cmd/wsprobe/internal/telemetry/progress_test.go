package telemetry

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

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
)

// someRequest is a request with a point.
func someRequest(t *testing.T) content {
	t.Helper()
	packed, err := pack(unpacked([]byte{1}))
	if err != nil {
		t.Fatal(err)
	}
	return content{packed: packed}
}

// wireTo makes a way to an address, with a timeout that a receiver that answers does not need.
func wireTo(t *testing.T, o Options) wire {
	t.Helper()
	setDefault(&o.Timeout, patience)
	w, err := newWire(o.filled())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.close() })
	return w
}

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
	hanging := func(ctx context.Context, _ int) (*receiver.PartialSuccess, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	answering := func(err error) func(context.Context, int) (*receiver.PartialSuccess, error) {
		return func(context.Context, int) (*receiver.PartialSuccess, error) { return nil, err }
	}
	for name, c := range map[string]struct {
		answer  func(context.Context, int) (*receiver.PartialSuccess, error) // nil if nobody listens
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
				b := newBackend(t)
				b.answer(c.answer)
				addr = b.start(t).addr
			}
			v := wireTo(t, Options{Endpoint: "http://" + addr, Timeout: c.timeout}).send(t.Context(), someRequest(t))
			if v.unanswered != c.want {
				t.Errorf("got %+v", v)
			}
		})
	}
	t.Run("the connection breaks", func(t *testing.T) {
		arrived := make(chan struct{})
		b := newBackend(t)
		b.answer(func(ctx context.Context, n int) (*receiver.PartialSuccess, error) {
			close(arrived)
			return hanging(ctx, n)
		})
		f := newFront(t, b.start(t).addr, nil)
		answers := make(chan verdict, 1)
		w := wireTo(t, Options{Endpoint: "http://" + f.addr})
		go func() { answers <- w.send(t.Context(), someRequest(t)) }()
		<-arrived
		for _, conn := range f.accepted() {
			_ = conn.Close()
		}
		if v := <-answers; v.outcome != Deferred || !v.unanswered {
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
			v := wireTo(t, Options{Endpoint: s.URL}).send(t.Context(), someRequest(t))
			if v.outcome != Deferred || v.unanswered != want {
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
			v := wireTo(t, Options{Protocol: ProtocolHTTP, Endpoint: url, Timeout: c.timeout}).send(t.Context(), someRequest(t))
			if v.unanswered != c.want || v.tooLarge != c.tooLarge || v.doubtful != c.tooLarge {
				t.Errorf("got %+v", v)
			}
			if v.outcome != Deferred && v.outcome != Accepted {
				t.Errorf("got %+v, which is lost", v)
			}
		})
	}
}

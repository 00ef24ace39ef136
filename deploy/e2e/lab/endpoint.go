package lab

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// Paths below which an Endpoint serves; the name of the probe follows.
const (
	Echo         = "/echo/"          // answers one message with itself and closes as asked
	IgnoresClose = "/ignores-close/" // answers one message and never answers the close frame
	Slow         = "/slow/"          // as Echo, but waits for SlowBy before it answers
)

// SlowBy is more than three times the shortest interval of a probe.
const SlowBy = 3500 * time.Millisecond

// Visit is one connection of the agent, which makes one connection a run.
type Visit struct {
	Began time.Time
	Ended time.Time // zero while the connection is open
}

// Endpoint is a WebSocket server that records each run by the name of its probe.
type Endpoint struct {
	URL string // ws:// or wss://, without a path

	mu     sync.Mutex
	visits map[string][]Visit
	down   map[string]bool
}

type connKey struct{}

// NewEndpoint serves on loopback until the test ends.
func NewEndpoint(t *testing.T) *Endpoint {
	t.Helper()
	return newEndpoint(t, (*httptest.Server).Start)
}

// NewTLSEndpoint serves wss:// with a certificate of no known authority.
func NewTLSEndpoint(t *testing.T) *Endpoint {
	t.Helper()
	return newEndpoint(t, (*httptest.Server).StartTLS)
}

func newEndpoint(t *testing.T, start func(*httptest.Server)) *Endpoint {
	t.Helper()
	e := &Endpoint{visits: map[string][]Visit{}, down: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc(Echo, e.recorded(Echo, echo))
	mux.HandleFunc(IgnoresClose, e.recorded(IgnoresClose, ignoreClose))
	mux.HandleFunc(Slow, e.recorded(Slow, func(w http.ResponseWriter, r *http.Request) { echoAfter(w, r, SlowBy) }))
	server := httptest.NewUnstartedServer(mux)
	server.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, conn)
	}
	start(server)
	t.Cleanup(server.Close)
	e.URL = "ws" + strings.TrimPrefix(server.URL, "http")
	return e
}

// SetDown makes the endpoint refuse the runs of one probe with status 503, or take them again.
func (e *Endpoint) SetDown(name string, down bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.down[name] = down
}

// Visits returns a copy of the record, by the name of the probe.
func (e *Endpoint) Visits() map[string][]Visit {
	e.mu.Lock()
	defer e.mu.Unlock()
	visits := make(map[string][]Visit, len(e.visits))
	for name, v := range e.visits {
		visits[name] = append([]Visit(nil), v...)
	}
	return visits
}

func (e *Endpoint) recorded(prefix string, handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, prefix)
		index, down := e.begin(name)
		if down {
			// Recorded before the answer leaves: the run is over as soon as the agent has it.
			e.end(name, index)
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		handle(w, r)
		e.end(name, index)
	}
}

func (e *Endpoint) begin(name string) (index int, down bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.visits[name] = append(e.visits[name], Visit{Began: time.Now()})
	return len(e.visits[name]) - 1, e.down[name]
}

func (e *Endpoint) end(name string, index int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.visits[name][index].Ended = time.Now()
}

func echo(w http.ResponseWriter, r *http.Request) { echoAfter(w, r, 0) }

func echoAfter(w http.ResponseWriter, r *http.Request, delay time.Duration) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	if answer(r.Context(), c, delay) == nil {
		_, _, _ = c.Read(r.Context()) // the close frame, which the library answers
	}
}

func ignoreClose(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	if answer(r.Context(), c, 0) == nil {
		// Below the library, which would answer the close frame.
		_, _ = io.Copy(io.Discard, r.Context().Value(connKey{}).(net.Conn))
	}
}

func answer(ctx context.Context, c *websocket.Conn, delay time.Duration) error {
	kind, message, err := c.Read(ctx)
	if err != nil {
		return err
	}
	select {
	case <-time.After(delay):
	case <-ctx.Done():
		return ctx.Err()
	}
	return c.Write(ctx, kind, message)
}

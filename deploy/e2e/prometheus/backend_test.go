package prometheus

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/compression"
	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// The paths of Prometheus' OTLP receiver: the agent appends the second part itself.
const (
	otlpBase    = "/api/v1/otlp"
	metricsPath = otlpBase + "/v1/metrics"
)

// lookback is the default of --query.lookback-delta.
const lookback = 5 * time.Minute

// backend is Prometheus as far as the way of a sample goes: receiver, storage and query engine.
type backend struct {
	addr    string
	db      *tsdb.DB
	engine  *promql.Engine
	handler http.Handler

	mu          sync.Mutex
	requests    []request
	unavailable bool
	server      *http.Server // nil while connections are refused
}

// request is one request of the agent with its answer.
type request struct {
	header http.Header
	body   []byte // as it came, so usually compressed
	status int
	answer string
}

// newBackend opens an empty storage and listens on loopback until the test ends.
func newBackend(t *testing.T) *backend {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	cfg, err := config.Load("", logger)
	if err != nil {
		t.Fatal(err)
	}
	options := tsdb.DefaultOptions()
	options.WALCompression = compression.Snappy // the default of the command, not of the package
	db, err := tsdb.Open(t.TempDir(), logger, nil, options, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{
		addr:    lab.FreeAddr(t),
		db:      db,
		handler: remote.NewOTLPWriteHandler(logger, nil, db, func() config.Config { return *cfg }, remote.OTLPOptions{LookbackDelta: lookback}),
		engine: promql.NewEngine(promql.EngineOpts{
			MaxSamples: 50e6, Timeout: 2 * time.Minute, LookbackDelta: lookback,
			EnableAtModifier: true, EnableNegativeOffset: true, Parser: parser.NewParser(parser.Options{}),
		}),
	}
	b.accept(t)
	t.Cleanup(func() {
		b.refuse(t)
		if err := errors.Join(b.engine.Close(), b.db.Close()); err != nil {
			t.Error(err)
		}
	})
	return b
}

// accept listens again after refuse.
func (b *backend) accept(t *testing.T) {
	t.Helper()
	var l net.Listener
	// Another program's connection can have the port for a moment.
	lab.Eventually(t, 30*time.Second, "the port of Prometheus to be free", func() (bool, string) {
		var err error
		if l, err = net.Listen("tcp", b.addr); err != nil {
			return false, err.Error()
		}
		return true, ""
	})
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+metricsPath, b.receive)
	b.server = &http.Server{Handler: mux}
	go func(s *http.Server) { _ = s.Serve(l) }(b.server) // ends with refuse
}

// refuse answers the requests that are there, then refuses connections: every answer reaches the agent.
func (b *backend) refuse(t *testing.T) {
	t.Helper()
	if b.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := b.server.Shutdown(ctx); err != nil {
		t.Errorf("closing the receiver: %v", err)
	}
	b.server = nil
}

// setUnavailable makes the receiver answer 503, or accept again.
func (b *backend) setUnavailable(unavailable bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unavailable = unavailable
}

func (b *backend) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	unavailable := b.unavailable
	b.mu.Unlock()
	answer := httptest.NewRecorder()
	if unavailable {
		answer.WriteHeader(http.StatusServiceUnavailable)
	} else {
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		b.handler.ServeHTTP(answer, again)
	}
	b.mu.Lock()
	b.requests = append(b.requests, request{r.Header, body, answer.Code, answer.Body.String()})
	b.mu.Unlock()
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// received returns the requests so far, in the order of their answers.
func (b *backend) received() []request {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]request(nil), b.requests...)
}

// url is the value of otlp.endpoint.
func (b *backend) url() string { return "http://" + b.addr + otlpBase }

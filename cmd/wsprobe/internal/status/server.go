package status

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// stopBudget is how long requests under way may take once the server stops.
const stopBudget = 500 * time.Millisecond

// Readiness says whether the agent does its work: nil if it probes and, if it is to, exports, else what is wrong.
type Readiness func() error

// Server answers on agent.listen.
type Server struct {
	Board   *Board
	Ready   Readiness
	Version string
	Metrics http.Handler // of /metrics; nil for none
	Log     *slog.Logger // of what net/http has to tell; nil for the standard logger
}

// Serve answers on a listener until ctx ends. It closes the listener and waits for requests under way.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	if s.Log != nil {
		server.ErrorLog = slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopBudget)
	defer cancel()
	if err := server.Shutdown(stop); err != nil {
		_ = server.Close() // what is still under way had its time
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Handler routes the requests. Everything is read-only.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /readyz", s.readiness)
	mux.HandleFunc("GET /api/v1/probes", s.probes)
	if s.Metrics != nil {
		mux.HandleFunc("GET /metrics", s.metrics)
	}
	mux.HandleFunc("GET /{$}", s.page)
	return mux
}

// health answers as long as the process can answer at all.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	writeText(w, http.StatusOK, "ok\n")
}

func (s *Server) readiness(w http.ResponseWriter, _ *http.Request) {
	if err := s.Ready(); err != nil {
		writeText(w, http.StatusServiceUnavailable, "not ready: "+err.Error()+"\n")
		return
	}
	writeText(w, http.StatusOK, "ok\n")
}

func (s *Server) probes(w http.ResponseWriter, _ *http.Request) {
	header(w, "application/json")
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	_ = out.Encode(map[string]any{"probes": s.Board.statuses()}) // the client has gone
}

// metrics answers Prometheus, which chooses the type of the answer.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	header(w, "text/plain; charset=utf-8")
	s.Metrics.ServeHTTP(w, r)
}

func writeText(w http.ResponseWriter, code int, text string) {
	header(w, "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text)) // the client has gone
}

// header sets what every answer bears: results are of the moment, and texts come from endpoints that may
// be hostile, so nothing in them may run or be embedded.
func header(w http.ResponseWriter, contentType string) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
}

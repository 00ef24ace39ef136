package status

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/wsprobe/wsprobe/probe/visible"
)

// writeTimeout is how long an answer may take in all.
const writeTimeout = 30 * time.Second

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
	Probe   http.Handler // of /probe; nil for none
	Stream  http.Handler // of /api/v1/stream, which hijacks its connections; nil for none
	// Streams returns how the agent's streams are. It is asked at each answer of the page and of the API, by several
	// requests at once. Nil for none.
	Streams func() []Stream
	// Discovery returns how the sources of targets are. It is asked as Streams is. Nil for none.
	Discovery func() []Discovery
	// Notes are sentences that a person should know now although the agent works. They are asked for at each answer of
	// the page and of /readyz, by several requests at once. Nil for none.
	Notes func() []string
	// Config returns how the configuration is. It is asked at each answer of the page and of the API, by several requests
	// at once. Reload loads it again, and returns the status of HTTP and the text of the outcome. Both are nil if there
	// is none to load.
	Config func() Config
	Reload func(context.Context) (code int, text string)
	// Hosts returns the names under which the server may be asked, beside localhost and addresses. If there are none, any
	// name will do, except on a loopback address, where any other name is one that somebody has made to point there. It is
	// asked at each request, by several at once. Nil for none.
	Hosts func() []string
	Log   *slog.Logger // of what net/http has to tell; nil for the standard logger
}

// Serve answers on a listener until ctx ends. It closes the listener and waits for requests under way.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           s.guard(l.Addr(), s.Handler()),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ConnContext:       withConnection,
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

// Handler routes the requests. Everything is read-only, but for a reload and a run of /probe. Requests for the health or
// the readiness are answered at once, however many clients wait for other answers.
func (s *Server) Handler() http.Handler {
	mux, large := http.NewServeMux(), make(turns, maxAnswers)
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /readyz", s.readiness)
	mux.HandleFunc("GET /api/v1/probes", large.bound(s.probes))
	mux.HandleFunc("GET /api/v1/streams", large.bound(s.streams))
	mux.HandleFunc("GET /api/v1/discovery", large.bound(s.discovery))
	if s.Metrics != nil {
		mux.HandleFunc("GET /metrics", s.metrics)
	}
	if s.Probe != nil {
		mux.HandleFunc("GET /probe", s.probe)
	}
	if s.Stream != nil {
		mux.Handle("GET /api/v1/stream", s.Stream)
	}
	if s.Config != nil {
		mux.HandleFunc("GET /api/v1/config", large.bound(s.config))
		mux.HandleFunc("POST /-/reload", s.reload)
	}
	mux.HandleFunc("GET /{$}", large.bound(s.page))
	return mux
}

// health answers as long as the process can answer at all.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	writeText(w, http.StatusOK, "ok\n")
}

// readiness answers a supervisor by its status, and people by its text.
func (s *Server) readiness(w http.ResponseWriter, _ *http.Request) {
	code, text := http.StatusOK, "ok\n"
	if err := s.Ready(); err != nil {
		code, text = http.StatusServiceUnavailable, "not ready: "+visible.Text(err.Error())+"\n"
	}
	for _, note := range s.notes() {
		text += note + "\n"
	}
	writeText(w, code, text)
}

// notes are the notes of now, each fit for one line.
func (s *Server) notes() []string {
	if s.Notes == nil {
		return nil
	}
	var notes []string
	for _, note := range s.Notes() {
		notes = append(notes, visible.Text(note))
	}
	return notes
}

// probes answers programs, one probe after the other: of the whole, no more than a buffer is ever there.
func (s *Server) probes(w http.ResponseWriter, _ *http.Request) {
	header(w, "application/json")
	out := bufio.NewWriterSize(w, answerBuffer)
	before, last := "{\n  \"probes\": [\n    ", "{\n  \"probes\": []\n}\n"
	for _, e := range s.Board.entries() {
		status, err := json.MarshalIndent(e.status(), "    ", "  ")
		if err != nil {
			panic(http.ErrAbortHandler) // half an answer must not look like a whole one
		}
		_, _ = out.WriteString(before)
		if _, err := out.Write(status); err != nil {
			return // the client has gone, or does not read
		}
		before, last = ",\n    ", "\n  ]\n}\n"
	}
	_, _ = out.WriteString(last)
	_ = out.Flush()
}

// metrics answers Prometheus, which chooses the type of the answer.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	header(w, "text/plain; charset=utf-8")
	s.Metrics.ServeHTTP(w, r)
}

// probe answers Prometheus with a run, which may take longer than a page.
func (s *Server) probe(w http.ResponseWriter, r *http.Request) {
	header(w, "text/plain; charset=utf-8")
	s.Probe.ServeHTTP(w, r)
}

// writeJSON answers programs with a value that is small enough to be made as a whole.
func writeJSON(w http.ResponseWriter, value any) {
	body, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	header(w, "application/json")
	_, _ = w.Write(append(body, '\n')) // the client has gone
}

// inUTC moves times to UTC, those that there are.
func inUTC(times ...**time.Time) {
	for _, at := range times {
		if *at != nil {
			*at = new((*at).UTC())
		}
	}
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

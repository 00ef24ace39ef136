package prometheus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/permit"
	"github.com/wsprobe/wsprobe/probe/visible"
)

const (
	// placeWait is how long a request waits for a place. Prometheus spreads its scrapes, so a burst is soon over.
	placeWait = time.Second
	// answerTime is how long the rest of a request may take: the close handshake and the answer.
	answerTime = 15 * time.Second
	// statusGone is the status of a request whose client left before the answer, as nginx logs it.
	statusGone = 499
)

// Settings are what a configuration says of /probe.
type Settings struct {
	Modules       map[string]Module
	Targets       permit.List // empty turns /probe off
	MaxConcurrent int
	Location      string // a label of wsprobe's own metrics; empty for none
}

// Module is what a request names by module.
type Module struct {
	// Probe makes the probe of a URL. Several goroutines call it.
	Probe func(name, url string) (Probe, error)
	// Shown is its configuration without secrets.
	Shown string
}

// Probe is a module for one target.
type Probe struct {
	Spec     probe.Spec
	Identity *metrics.Identity
	Rules    health.Thresholds
}

// Handler serves /probe. It answers with an error before the first [Handler.Set].
type Handler struct {
	log      *slog.Logger
	answered func(status int)
	answers  Answers
	current  atomic.Pointer[setting]

	life context.Context // of all runs
	end  context.CancelFunc
	mu   sync.Mutex // held to begin a run, or to end all
	runs sync.WaitGroup
}

// setting is what requests of now go by. Runs under an earlier one keep their places there.
type setting struct {
	Settings
	places chan struct{}
}

// NewHandler returns a Handler without settings. The function answered is called with the status of each request, 499
// if its client left first.
func NewHandler(log *slog.Logger, answered func(status int)) *Handler {
	h := &Handler{log: log, answered: answered}
	h.life, h.end = context.WithCancel(context.Background())
	return h
}

// Set has the following requests go by these settings. Runs under way go on.
func (h *Handler) Set(s Settings) {
	next := &setting{Settings: s, places: make(chan struct{}, s.MaxConcurrent)}
	if old := h.current.Load(); old != nil && cap(old.places) == s.MaxConcurrent {
		next.places = old.places
	}
	h.current.Store(next)
}

// Close cancels the runs under way, and waits for them. Requests that come later are refused.
func (h *Handler) Close() {
	h.mu.Lock()
	h.end()
	h.mu.Unlock()
	h.runs.Wait()
}

// refusal is an error that is answered with a status of its own.
type refusal struct {
	status int
	text   string
}

func (r refusal) Error() string { return r.text }

func refuse(status int, format string, args ...any) error {
	return refusal{status, fmt.Sprintf(format, args...)}
}

// ServeHTTP answers a request, and counts it.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status := http.StatusOK
	if err := h.serve(w, r); err != nil {
		status = statusGone
		if refused, ok := errors.AsType[refusal](err); ok {
			status = refused.status
			h.log.Debug("/probe refuses", "status", status, "why", refused.text)
			refused.write(w)
		}
	}
	h.answered(status)
}

func (r refusal) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if r.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(r.status)
	_, _ = fmt.Fprintln(w, visible.Text(r.text)) // the client has gone
}

// serve runs the probe that a request asks for, and answers. An error that is no refusal means that nobody waits for an
// answer any more.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) error {
	s := h.current.Load()
	if s == nil || s.Targets.Empty() {
		return refuse(http.StatusNotFound, "/probe is off: agent.probe_endpoint.targets says which targets it may be asked for")
	}
	asked, err := s.read(r)
	if err != nil {
		return err
	}
	h.allowTime(w, asked.limit)
	came := time.Now()
	ctx, leave, err := h.enter(r.Context(), s)
	if err != nil {
		return err
	}
	defer leave()
	prober, err := asked.prober(time.Since(came))
	if err != nil {
		return err
	}
	a := answer{asked: asked, location: s.Location, watch: &probe.Watch{}}
	began := time.Now()
	if a.result, err = prober.RunWith(ctx, probe.RunOptions{Watch: a.watch}); err != nil {
		return h.stopped(err)
	}
	a.took = time.Since(began)
	h.log.Debug("/probe ran", "module", asked.module, "target", asked.Identity.Target().URL, "reason", a.result.Reason.String(), "took", a.took)
	a.write(&h.answers, w, r)
	return nil
}

// allowTime puts the server's deadlines for a request off, which are those of a page. Without them, nothing is to be put
// off.
func (h *Handler) allowTime(w http.ResponseWriter, limit time.Duration) {
	control := http.NewResponseController(w)
	err := errors.Join(control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Now().Add(placeWait+limit+answerTime)))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		h.log.Debug("/probe cannot put the deadline of its answer off", "error", err)
	}
}

// enter waits for a place, which leave gives back. The context ends with that of the request, and when the handler is
// closed.
func (h *Handler) enter(ctx context.Context, s *setting) (running context.Context, leave func(), err error) {
	h.mu.Lock()
	if h.life.Err() != nil {
		h.mu.Unlock()
		return nil, nil, h.stopped(nil)
	}
	h.runs.Add(1)
	h.mu.Unlock()
	running, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(h.life, cancel)
	end := func() {
		unhook()
		cancel()
		h.runs.Done()
	}
	patience := time.NewTimer(placeWait)
	defer patience.Stop()
	select {
	case s.places <- struct{}{}:
		return running, func() { <-s.places; end() }, nil
	case <-running.Done():
		err = h.stopped(running.Err())
	case <-patience.C:
		err = refuse(http.StatusServiceUnavailable, "all %d places of agent.probe_endpoint.max_concurrent are taken", s.MaxConcurrent)
	}
	end()
	return nil, nil, err
}

// stopped is the error of a request whose run ended early: the agent stops, or else its client has gone.
func (h *Handler) stopped(err error) error {
	if h.life.Err() != nil {
		return refuse(http.StatusServiceUnavailable, "the agent stops")
	}
	return err
}

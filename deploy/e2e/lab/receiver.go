package lab

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Receiver stands before a back end: it records each request of the agent with its answer, and can be away.
type Receiver struct {
	Addr string // host:port on loopback

	next http.Handler

	mu          sync.Mutex
	requests    []Request
	unavailable bool
	server      *http.Server // nil while connections are refused
}

// Request is one request of the agent with its answer.
type Request struct {
	Header http.Header
	Body   []byte // as it came, so usually compressed
	Status int    // Abandoned if the agent has not waited for the answer
	Answer string
}

// Abandoned is the status of a request that the agent gave up, because the machine was busy. The request comes again.
const Abandoned = 499

// Deferred says that the request comes again.
func (r Request) Deferred() bool {
	return r.Status == http.StatusServiceUnavailable || r.Status == Abandoned
}

// NewReceiver passes requests on to next until the test ends.
func NewReceiver(t *testing.T, next http.Handler) *Receiver {
	t.Helper()
	r := &Receiver{Addr: FreeAddr(t), next: next}
	r.Accept(t)
	t.Cleanup(func() { r.Refuse(t) })
	return r
}

// Accept listens again after Refuse.
func (r *Receiver) Accept(t *testing.T) {
	t.Helper()
	// A process that another test is starting has the sockets of this one until it runs its program, a closed listener too.
	var l net.Listener
	Eventually(t, 30*time.Second, "the receiver to listen", func() (bool, string) {
		var err error
		if l, err = net.Listen("tcp", r.Addr); err != nil {
			return false, err.Error()
		}
		return true, ""
	})
	r.server = &http.Server{Handler: http.HandlerFunc(r.receive)}
	go func(s *http.Server) { _ = s.Serve(l) }(r.server) // ends with Refuse
}

// Refuse answers the requests that are there, then refuses connections: every answer reaches the agent.
func (r *Receiver) Refuse(t *testing.T) {
	t.Helper()
	if r.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := r.server.Shutdown(ctx); err != nil {
		t.Errorf("closing the receiver: %v", err)
	}
	r.server = nil
}

// SetUnavailable makes the receiver answer 503, or pass requests on again.
func (r *Receiver) SetUnavailable(unavailable bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unavailable = unavailable
}

func (r *Receiver) receive(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	unavailable := r.unavailable
	r.mu.Unlock()
	answer := httptest.NewRecorder()
	if unavailable {
		answer.WriteHeader(http.StatusServiceUnavailable)
	} else {
		again := req.Clone(req.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		r.next.ServeHTTP(answer, again)
	}
	status := answer.Code
	if req.Context().Err() != nil {
		status = Abandoned
	}
	r.mu.Lock()
	r.requests = append(r.requests, Request{req.Header, body, status, answer.Body.String()})
	r.mu.Unlock()
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// Requests returns what came so far, in the order of the answers.
func (r *Receiver) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Request(nil), r.requests...)
}

// CheckAnswers wants every request to be accepted, or to come again.
func (r *Receiver) CheckAnswers(t *testing.T) {
	t.Helper()
	counts := map[string]int{}
	refused := false
	for _, q := range r.Requests() {
		answer := fmt.Sprint(q.Status)
		if q.Status/100 != 2 && !q.Deferred() {
			refused = true
			first, _, _ := strings.Cut(q.Answer, "\n") // a back end may write a line for each sample
			answer += " " + first
		}
		counts[answer]++
	}
	t.Logf("answers: %v", counts)
	if refused || counts["200"] == 0 {
		t.Errorf("answers: got %v, want 200 only", counts)
	}
}

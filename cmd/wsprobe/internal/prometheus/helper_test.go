package prometheus_test

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/prometheus"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/permit"
)

const (
	ping = `{"op":"ping"}`
	pong = `{"op":"pong"}`
	// patient is the timeout of a module whose endpoint ends the run.
	patient = probe.MaxTimeout
)

// answers are the statuses that a Handler told of.
type answers struct {
	mu  sync.Mutex
	all []int
}

func (a *answers) note(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, status)
}

func (a *answers) last() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.all) == 0 {
		return 0
	}
	return a.all[len(a.all)-1]
}

// module is a module whose probe is that of a round trip, with a change.
func module(change func(*probe.Spec)) prometheus.Module {
	return prometheus.Module{Shown: "name: x\n", Probe: func(name, target string) (prometheus.Probe, error) {
		u, err := url.Parse(target)
		if err != nil {
			return prometheus.Probe{}, err
		}
		spec := probe.Spec{Opening: probe.Opening{URL: target}, Interpretation: probe.RoundTripLatency, Timeout: patient, Send: ping, Expect: "pong"}
		if change != nil {
			change(&spec)
		}
		id := metrics.NewIdentity(metrics.Target{Name: name, Interpretation: spec.Interpretation, Address: u.Hostname(), Scheme: u.Scheme,
			Path: u.Path, URL: target, Labels: map[string]string{"team": "web", "url_path": "own"}})
		return prometheus.Probe{Spec: spec, Identity: id}, nil
	}}
}

// resolving looks every name up as this address.
func resolving(addr string) func(*probe.Spec) {
	return func(s *probe.Spec) {
		s.Resolve = func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr(addr)}, nil
		}
	}
}

// trusting has a module trust the server.
func trusting(config *tls.Config) func(*probe.Spec) {
	return func(s *probe.Spec) { s.TLS = config }
}

// newHandler is a Handler with modules, for targets on the loopback interface and below .test.
func newHandler(t *testing.T, modules map[string]prometheus.Module) (*prometheus.Handler, *answers) {
	t.Helper()
	var told answers
	h := prometheus.NewHandler(slog.New(slog.DiscardHandler), told.note)
	t.Cleanup(h.Close)
	h.Set(settings(t, modules, 10, "127.0.0.0/8", "*.test"))
	return h, &told
}

func settings(t *testing.T, modules map[string]prometheus.Module, most int, targets ...string) prometheus.Settings {
	t.Helper()
	list, err := permit.Parse(targets)
	if err != nil {
		t.Fatal(err)
	}
	return prometheus.Settings{Modules: modules, Targets: list, MaxConcurrent: most, Location: "lab"}
}

// ask asks for a target with further parameters and headers, in turn name and value.
func ask(t *testing.T, h http.Handler, target string, parameters url.Values, headers ...string) *http.Response {
	t.Helper()
	query := url.Values{}
	for name, values := range parameters {
		query[name] = values
	}
	if target != "" {
		query.Set("target", target)
	}
	r := httptest.NewRequest("GET", "/probe?"+query.Encode(), nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func bodyOf(t *testing.T, r *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// samples asks for a target and returns its samples by name and labels, as they are written.
func samples(t *testing.T, h http.Handler, target string, parameters url.Values, headers ...string) map[string]string {
	t.Helper()
	r := ask(t, h, target, parameters, headers...)
	text := bodyOf(t, r)
	if r.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", r.StatusCode, text)
	}
	all := make(map[string]string)
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			i := strings.LastIndexByte(line, ' ')
			all[line[:i]] = strings.TrimSpace(line[i:])
		}
	}
	return all
}

// eventually waits until a condition holds; only a hang breaks the bound.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); {
		if time.Now().After(end) {
			t.Fatal(what)
		}
		<-time.After(time.Millisecond)
	}
}

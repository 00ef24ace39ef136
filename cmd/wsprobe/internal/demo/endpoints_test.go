package demo_test

import (
	"context"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/demo"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

func start(t *testing.T) []demo.Endpoint {
	t.Helper()
	e, err := demo.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e.All
}

func run(t *testing.T, p *probe.Probe) probe.Result {
	t.Helper()
	r, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newProbe(t *testing.T, e demo.Endpoint) *probe.Probe {
	t.Helper()
	p, err := probe.New(e.Spec)
	if err != nil {
		t.Fatalf("%s: %v", e.Name, err)
	}
	return p
}

// TestEndpoints: real probes say of every endpoint what its description promises, three times over.
func TestEndpoints(t *testing.T) {
	for _, e := range start(t) {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			p := newProbe(t, e)
			for range 3 {
				for i, want := range e.Outcomes {
					if i > 0 && e.Session != nil {
						break // a run only opens it
					}
					r := run(t, p)
					if got := (demo.Outcome{Reason: r.Reason, ErrorType: r.ErrorType}); got != want {
						t.Errorf("outcome %d is %v, want %v: %s", i, got, want, r.Detail)
					}
				}
			}
		})
	}
}

// TestEndpointsFitTheScreen: names are unique, the good ones come first, and words are short.
func TestEndpointsFitTheScreen(t *testing.T) {
	names, faulty := make(map[string]bool), false
	codes := make(map[reasons.Code]bool)
	for _, e := range start(t) {
		if names[e.Name] {
			t.Errorf("there are two endpoints named %s", e.Name)
		}
		names[e.Name] = true
		if faulty && !e.Faulty() {
			t.Errorf("%s is good and comes after a faulty one", e.Name)
		}
		faulty = e.Faulty()
		if len(e.Name) > 8 || len(e.About) > 22 {
			t.Errorf("%s (%s): too long for a screen of 80 columns", e.Name, e.About)
		}
		if e.Interval < time.Second || e.Interval > 3*time.Second || e.Spec.Timeout > time.Second {
			t.Errorf("%s: interval %v and timeout %v are too slow to watch", e.Name, e.Interval, e.Spec.Timeout)
		}
		for _, o := range e.Outcomes {
			codes[o.Reason] = true
		}
	}
	for _, code := range reasons.Codes() {
		if !codes[code] {
			t.Errorf("no endpoint shows %s", code)
		}
	}
}

// TestClose: nothing is left of the endpoints, connections under way included, and the time it takes is bounded.
func TestClose(t *testing.T) {
	e, err := demo.Start()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, x := range e.All {
		_, address, _ := strings.Cut(x.Spec.URL, "://")
		address, _, _ = strings.Cut(address, "/")
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			defer func() { _ = conn.Close() }()
		}
	}
	closed := make(chan struct{})
	go func() { e.Close(); close(closed) }()
	select {
	case <-closed:
	case <-ctx.Done():
		t.Fatal("Close does not return")
	}
	for ctx.Err() == nil {
		// A goroutine that has told that it is done is still there for a moment.
		all := make([]byte, 1<<20)
		all = all[:runtime.Stack(all, true)]
		if !strings.Contains(string(all), "probe/wstest.") {
			return
		}
		runtime.Gosched()
	}
	t.Error("goroutines of the endpoints are left")
}

// TestExportPath: the account understands what the agent exports: results of every endpoint, over gRPC.
func TestExportPath(t *testing.T) {
	endpoints := start(t)
	account := demo.NewAccount(endpoints)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	export, err := telemetry.New(telemetry.Options{Endpoint: "http://" + l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range endpoints {
		id := metrics.NewIdentity(metrics.Target{Name: e.Name, Interpretation: e.Spec.Interpretation})
		seen := &metrics.Observation{Probe: id, Result: run(t, newProbe(t, e))}
		if e.Session != nil {
			seen.Session = &metrics.Session{Moment: metrics.SessionOpened, Open: true, OK: true}
		}
		export.Probe(id).Observe(seen)
	}
	receiving, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- account.Receiver().Serve(receiving, l) }()
	exporting, flush := context.WithCancel(t.Context())
	flush()
	if err := export.Run(exporting); err != nil { // nothing but the last export
		t.Error(err)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if !account.Complete() {
		t.Error("not every endpoint has been heard of")
	}
	var b strings.Builder
	shown, done := context.WithCancel(t.Context())
	done()
	if err := account.Run(shown, &b, demo.Screen{}); err != nil {
		t.Fatal(err)
	}
	for _, e := range endpoints {
		want := e.Outcomes[0]
		if row := rowOf(b.String(), e.Name); !strings.Contains(row, want.Reason.String()) || !strings.Contains(row, string(want.ErrorType)) {
			t.Errorf("row %q does not say %v", row, want)
		}
	}
}

func rowOf(picture, name string) string {
	for l := range strings.Lines(picture) {
		if strings.HasPrefix(l, name+" ") {
			return strings.TrimRight(l, "\n")
		}
	}
	return ""
}

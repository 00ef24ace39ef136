package agent

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// backs are receivers that an agent exports to one after the other. All points are in one inbox, each with the receiver
// that took it.
type backs struct {
	mu    sync.Mutex
	took  []taken
	token map[string]string // the last one, by receiver
	busy  atomic.Int64      // requests under way
	most  atomic.Int64      // of them at a time
}

type taken struct {
	receiver.Point
	by string
}

// at is a receiver of this name. Hangs, if it is set, makes a request wait until it is closed or the sender gives up.
func (b *backs) at(name string, hangs *atomic.Pointer[chan struct{}]) *receiver.Receiver {
	return &receiver.Receiver{
		Point: func(p receiver.Point) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.took = append(b.took, taken{p, name})
		},
		Answer: func(ctx context.Context, _ *receiver.Request) (*receiver.PartialSuccess, error) {
			n := b.busy.Add(1)
			defer b.busy.Add(-1)
			b.most.Store(max(b.most.Load(), n))
			if md, ok := metadata.FromIncomingContext(ctx); ok && len(md.Get("token")) > 0 {
				b.say(name, md.Get("token")[0])
			}
			if hang := hangs.Load(); hang != nil {
				select {
				case <-*hang:
				case <-ctx.Done():
				}
			}
			return nil, nil
		},
	}
}

// say notes the token of a request.
func (b *backs) say(name, token string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.token[name] = token
}

// said returns the last token that a receiver had.
func (b *backs) said(name string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.token[name]
}

// count returns how many points of a metric a receiver has.
func (b *backs) count(name, metric string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.took {
		if p.by == name && p.Metric == metric {
			n++
		}
	}
	return n
}

// grpc serves a receiver over gRPC until the end of the test, with TLS if there is a configuration.
func (b *backs) grpc(t *testing.T, name string, config *tls.Config) (address string, hangs *atomic.Pointer[chan struct{}]) {
	t.Helper()
	hangs = new(atomic.Pointer[chan struct{}])
	r := b.at(name, hangs)
	r.TLS = config
	running, err := receiver.Start(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = running.Stop() })
	return running.Address, hangs
}

// TestReloadMovesTheExport: the endpoint, the protocol, the headers and the authorities of the export hold from the next
// request on. A request that hangs ends where it is, no other is under way meanwhile, no point is lost and none comes
// twice, and totals go on.
func TestReloadMovesTheExport(t *testing.T) {
	b := &backs{token: make(map[string]string)}
	plain, hangs := b.grpc(t, "plain", nil)
	handler := b.at("http", new(atomic.Pointer[chan struct{}])).Handler()
	overHTTP := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.say("http", r.Header.Get("Token")+" "+r.Header.Get("Content-Encoding"))
		handler.ServeHTTP(w, r)
	}))
	defer overHTTP.Close()
	authority := wstest.NewCA()
	secure, _ := b.grpc(t, "secure", &tls.Config{Certificates: []tls.Certificate{authority.Issue(wstest.Cert{})}})
	endpoint := wstest.Start(wstest.Echo)
	defer endpoint.Close()
	caFile := filepath.Join(t.TempDir(), "ca.pem")
	write := func(ca *wstest.CA) {
		if err := os.WriteFile(caFile, ca.PEM(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(wstest.NewCA()) // another one

	base := tree{
		"agent.listen": "", "otlp.interval": "1s", "otlp.timeout": "1s",
		"probes": []any{map[string]any{"name": "chat", "url": endpoint.URL, "interval": "1s"}},
	}
	load := func(more tree) config.Config { return loadTree(t, base.with(more)) }
	a, err := New(load(tree{"otlp.endpoint": "http://" + plain, "otlp.headers.token": "one"}), Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	reload := func(more tree) {
		t.Helper()
		if restart, err := a.Reload(load(more)); err != nil || len(restart) > 0 {
			t.Fatalf("restart %q, %v", restart, err)
		}
	}
	const runs = "wsprobe.runs"
	await(t, "a token", func() bool { return b.said("plain") == "one" && b.count("plain", runs) > 0 })
	reload(tree{"otlp.endpoint": "http://" + plain, "otlp.headers.token": "two"})
	await(t, "the rotated token", func() bool { return b.said("plain") == "two" })

	open := make(chan struct{})
	hangs.Store(&open)
	await(t, "a request that hangs", func() bool { return b.busy.Load() == 1 })
	reload(tree{"otlp.endpoint": overHTTP.URL, "otlp.protocol": "http/protobuf", "otlp.compression": "none", "otlp.headers.token": "three"})
	if n := b.count("http", runs); n > 0 {
		t.Error("a request overtook the one that hangs")
	}
	close(open)
	await(t, "points over HTTP", func() bool { return b.said("http") == "three " && b.count("http", runs) > 1 })

	moved := tree{"otlp.endpoint": "https://" + secure, "otlp.tls.ca_file": caFile}
	reload(moved)
	awaitReadiness(t, a, func(err error) bool { return err != nil }) // the authority is a wrong one
	write(authority)
	reload(moved)
	await(t, "points over TLS", func() bool { return b.count("secure", runs) > 1 })
	awaitReadiness(t, a, isReady)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := b.most.Load(); n != 1 {
		t.Errorf("%d requests at a time", n)
	}
	b.wholeAndOnce(t)
}

// wholeAndOnce holds that the points of all runs have arrived once, in order, and that the totals count all of them.
func (b *backs) wholeAndOnce(t *testing.T) {
	t.Helper()
	var last time.Time
	var runs, total float64
	for _, p := range b.took {
		switch p.Metric {
		case "wsprobe.connection_success":
			runs++
			if !p.Time.After(last) {
				t.Errorf("a point of %v after one of %v", p.Time, last)
			}
			last = p.Time
		case "wsprobe.runs":
			if p.Value < total {
				t.Errorf("the total fell from %v to %v", total, p.Value)
			}
			total = p.Value
		}
	}
	if runs != total || runs < 5 {
		t.Errorf("points of %v runs, the total is %v", runs, total)
	}
}

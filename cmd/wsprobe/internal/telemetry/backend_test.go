package telemetry

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/logtest"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// patience bounds every wait of these tests. It passes only if something is broken.
const patience = 2 * time.Minute

// backend is a receiver on loopback that keeps what it accepts.
type backend struct {
	receiver receiver.Receiver
	addr     string

	mu       sync.Mutex
	points   []receiver.Point
	requests int
	bytes    int // of the requests, before compression
	largest  int
	changed  chan struct{}

	http bool         // speak OTLP/HTTP in place of OTLP/gRPC
	wire atomic.Int64 // bytes read from connections
	stop func()
}

// newBackend chooses an address. Nothing listens there until start is called.
func newBackend(t testing.TB) *backend {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b := &backend{addr: l.Addr().String(), changed: make(chan struct{}, 1)}
	b.receiver.Point = func(p receiver.Point) {
		b.mu.Lock()
		b.points = append(b.points, p)
		b.mu.Unlock()
		select {
		case b.changed <- struct{}{}:
		default:
		}
	}
	b.answer(func(context.Context, int) (*receiver.PartialSuccess, error) { return nil, nil })
	return b
}

// answer makes the backend answer so. Requests are counted from 0.
func (b *backend) answer(answer func(ctx context.Context, n int) (*receiver.PartialSuccess, error)) {
	b.receiver.Answer = func(ctx context.Context, request *receiver.Request) (*receiver.PartialSuccess, error) {
		b.mu.Lock()
		n, size := b.requests, proto.Size(request)
		b.requests++
		b.bytes += size
		b.largest = max(b.largest, size)
		b.mu.Unlock()
		return answer(ctx, n)
	}
}

// start listens until the test ends or stop is called.
func (b *backend) start(t testing.TB) *backend {
	t.Helper()
	l, err := net.Listen("tcp", b.addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	serve := b.receiver.Serve
	if b.http {
		serve = b.receiver.ServeHTTPProtobuf
	}
	go func() { done <- serve(ctx, countingListener{l, &b.wire}) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("receiver: %v", err)
		}
	})
	t.Cleanup(b.stop)
	return b
}

// await waits until the points that were accepted satisfy a condition, and returns them.
func (b *backend) await(t *testing.T, what string, ok func([]receiver.Point) bool) []receiver.Point {
	t.Helper()
	timeout := time.After(patience)
	for {
		b.mu.Lock()
		points := b.points[:len(b.points):len(b.points)]
		b.mu.Unlock()
		if ok(points) {
			return points
		}
		select {
		case <-b.changed:
		case <-timeout:
			t.Fatalf("%s did not arrive", what)
		}
	}
}

// of returns the points of a metric.
func of(points []receiver.Point, m metrics.ID) []receiver.Point {
	var all []receiver.Point
	for _, p := range points {
		if p.Metric == table[m].Name {
			all = append(all, p)
		}
	}
	return all
}

// runsArrived says that this many runs have arrived.
func runsArrived(n int) func([]receiver.Point) bool {
	return func(points []receiver.Point) bool { return len(of(points, metrics.ConnectionSuccess)) >= n }
}

// total is the latest value of a counter about the agent with such attributes, or -1. What arrives last need not be
// the latest.
func total(points []receiver.Point, m metrics.ID, attributes map[string]any) float64 {
	value, at := -1.0, time.Time{}
	for _, p := range of(points, m) {
		matches := true
		for key, want := range attributes {
			matches = matches && p.Attributes[key] == want
		}
		if matches && !p.Time.Before(at) {
			value, at = p.Value, p.Time
		}
	}
	return value
}

type countingListener struct {
	net.Listener
	n *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return countingConn{conn, l.n}, nil
}

type countingConn struct {
	net.Conn
	n *atomic.Int64
}

func (c countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// logbook keeps the log and can be waited for.
type logbook struct {
	logtest.Log
	changed chan struct{}
}

func newLogbook() *logbook { return &logbook{changed: make(chan struct{}, 1)} }

func (l *logbook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *logbook) Write(line []byte) (int, error) {
	defer signal(l.changed)
	return l.Log.Write(line)
}

func (l *logbook) await(t *testing.T, text string) {
	t.Helper()
	timeout := time.After(patience)
	for !strings.Contains(l.String(), text) {
		select {
		case <-l.changed:
		case <-timeout:
			t.Fatalf("%q was not logged:\n%s", text, l)
		}
	}
}

// exporting is a Telemetry that exports to a backend as fast as a test wants it.
type exporting struct {
	*Telemetry
	bound  func(context.Context) (context.Context, context.CancelFunc) // of each request, or nil
	cancel context.CancelFunc
	done   chan error
}

// exportTo runs a Telemetry until the test ends or end is called.
func exportTo(t *testing.T, b *backend, o Options) *exporting {
	t.Helper()
	e := prepareExport(t, b, o)
	e.start(t)
	return e
}

// prepareExport makes what exportTo runs.
func prepareExport(t *testing.T, b *backend, o Options) *exporting {
	t.Helper()
	if b.http {
		o.Protocol = ProtocolHTTP
		setDefault(&o.Endpoint, "http://"+b.addr+receiver.MetricsPath)
	}
	setDefault(&o.Endpoint, "http://"+b.addr)
	setDefault(&o.Interval, 20*time.Millisecond)
	// A busy machine is no reason to lose anything, nor to send anything twice.
	setDefault(&o.StopBudget, patience)
	setDefault(&o.Timeout, patience)
	o = o.filled()
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	telemetry := newTelemetry(o)
	var err error
	if telemetry.route, err = routeTo(o); err != nil {
		t.Fatal(err)
	}
	e := &exporting{Telemetry: telemetry, done: make(chan error, 1)}
	send := func(s otlp.Signal) sender {
		send := telemetry.route.Sender(s)
		return func(ctx context.Context, request []byte) outbox.Answer {
			if e.bound != nil {
				var cancel context.CancelFunc
				ctx, cancel = e.bound(ctx)
				defer cancel()
			}
			return send(ctx, request)
		}
	}
	if err := telemetry.openBoxes(send, 0.01); err != nil { // pauses of 10 to 100 ms
		t.Fatal(err)
	}
	if o.Exposition {
		if telemetry.exposition, err = telemetry.newExposition(); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

func (e *exporting) start(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	e.cancel = cancel
	go func() { e.done <- e.Run(ctx) }()
	t.Cleanup(cancel)
}

// count returns a total of the agent.
func (c *selfCounts) count(m metrics.ID, values ...string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.totals[newCounter(m, values)]
}

// requestKind is what export requests are counted by.
type requestKind struct {
	outcome   outbox.Outcome
	errorType string
}

// requests returns how many requests of a kind the agent has counted.
func (c *selfCounts) requests(kind requestKind) int64 {
	return c.count(idAgentRequests, string(kind.outcome), kind.errorType)
}

// end stops the export and returns how long that took.
func (e *exporting) end(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	e.cancel()
	select {
	case err := <-e.done:
		if err != nil {
			t.Errorf("Run: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("Run did not return")
	}
	return time.Since(began)
}

// routeTo makes the route that openExport makes.
func routeTo(o Options) (*otlp.Route, error) {
	client, err := otlp.New(o.client())
	return otlp.NewRoute(client), err
}

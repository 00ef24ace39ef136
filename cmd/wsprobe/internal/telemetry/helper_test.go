package telemetry

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// unjudged is the status of a probe without thresholds.
const unjudged = probehealth.Unknown

// midnight is a time that needs no explanation.
var midnight = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// chat is a target with labels.
func chat() metrics.Target {
	return metrics.Target{
		Name: "chat", Interpretation: probe.RoundTripLatency, Address: "chat.example.com", Port: 443,
		Scheme: "wss", Path: "/socket", Labels: map[string]string{"team": "web"},
	}
}

// chatAttributes are what every point about chat bears.
func chatAttributes(more ...slog.Attr) []slog.Attr {
	return append([]slog.Attr{
		slog.String("wsprobe.name", "chat"),
		slog.String("wsprobe.interpretation", "round_trip_latency"),
		slog.String("server.address", "chat.example.com"),
		slog.Int("server.port", 443),
		slog.String("url.scheme", "wss"),
		slog.String("url.path", "/socket"),
		slog.String("team", "web"),
	}, more...)
}

// good is a run that measured everything: the handshake took this long and the round trip twice as long.
func good(started time.Time, handshake time.Duration) probe.Result {
	r := probe.Result{
		Started: started, Ended: started.Add(3 * handshake),
		Opened: true, Handshake: handshake, Replied: true, RoundTrip: 2 * handshake,
	}
	span := func(p probe.Phase, start, end time.Duration) {
		r.Phases[p] = probe.Span{Start: start, End: end, State: probe.SpanEnded}
	}
	span(probe.PhaseDNS, 0, handshake/4)
	span(probe.PhaseConnect, handshake/4, handshake/2)
	span(probe.PhaseTLS, handshake/2, handshake*3/4)
	span(probe.PhaseUpgrade, handshake*3/4, handshake)
	span(probe.PhaseRoundTrip, handshake, 3*handshake)
	span(probe.PhaseClose, 3*handshake, 3*handshake+time.Millisecond)
	return r
}

// refused is a run whose server answered 403.
func refused(started time.Time) probe.Result {
	r := probe.Result{
		Started: started, Ended: started.Add(5 * time.Millisecond),
		Reason: reasons.OpenFailed, ErrorType: reasons.HTTPStatus(403),
		Detail: "the server said: secret", Body: "secret",
	}
	r.Phases[probe.PhaseConnect] = probe.Span{End: time.Millisecond, State: probe.SpanEnded}
	r.Phases[probe.PhaseUpgrade] = probe.Span{
		Start: time.Millisecond, End: 5 * time.Millisecond, State: probe.SpanBroken,
	}
	return r
}

// silent is a run whose reply never came.
func silent(started time.Time) probe.Result {
	r := good(started, 4*time.Millisecond)
	r.Replied, r.RoundTrip = false, 0
	r.Reason, r.ErrorType = reasons.ReplyTimeout, reasons.ReplyTimedOut
	r.Phases[probe.PhaseRoundTrip].State = probe.SpanBroken
	return r
}

// stub is a receiver of metrics without a wire, for bubbles.
type stub struct {
	// answer is called for each request with its number, counted from 0. Nil accepts all.
	answer func(ctx context.Context, n int) outbox.Answer

	mu    sync.Mutex
	calls []call
}

// call is one request that the stub saw.
type call struct {
	at      time.Time
	values  []float64 // of the handshake latencies in it, in ms
	outcome outbox.Outcome
}

func (s *stub) send(ctx context.Context, request []byte) outbox.Answer {
	var decoded collector.ExportMetricsServiceRequest
	if err := proto.Unmarshal(request, &decoded); err != nil {
		return outbox.Answer{Outcome: outbox.Rejected, Message: err.Error()}
	}
	var values []float64
	for p := range receiver.Points(&decoded) {
		if p.Metric == table[metrics.HandshakeLatency].Name {
			values = append(values, p.Value)
		}
	}
	s.mu.Lock()
	n := len(s.calls)
	s.calls = append(s.calls, call{at: time.Now(), values: values})
	s.mu.Unlock()
	a := outbox.Answer{Outcome: outbox.Accepted}
	if s.answer != nil {
		a = s.answer(ctx, n)
	}
	s.mu.Lock()
	s.calls[n].outcome = a.Outcome
	s.mu.Unlock()
	return a
}

// delivered returns the latencies that were accepted, in order.
func (s *stub) delivered() []float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []float64
	for _, c := range s.calls {
		if c.outcome == outbox.Accepted || c.outcome == outbox.Partial {
			all = append(all, c.values...)
		}
	}
	return all
}

// find returns the points of a metric, nil if it is absent.
func find(scope otlp.Scope, m metrics.ID) []metrics.Point {
	for _, f := range scope.Families {
		if f.Name == table[m].Name {
			return f.Points
		}
	}
	return nil
}

// gauges, sums and histograms return the points of a metric of that kind.
func gauges(scope otlp.Scope, m metrics.ID) []metrics.Point { return ofKind(scope, m, metrics.Gauge) }

func sums(scope otlp.Scope, m metrics.ID) []metrics.Point {
	return ofKind(scope, m, metrics.Counter, metrics.UpDownCounter)
}

func histograms(scope otlp.Scope, m metrics.ID) []metrics.Point {
	return ofKind(scope, m, metrics.Histogram)
}

func ofKind(scope otlp.Scope, m metrics.ID, kinds ...metrics.Kind) []metrics.Point {
	if !slices.Contains(kinds, table[m].Kind) {
		return nil
	}
	return find(scope, m)
}

// observed is a probe whose runs are told to all sinks of a Telemetry, as the agent does.
type observed struct {
	*Series
	records *Recorder
	traces  *Tracer
}

func (t *Telemetry) probe(target metrics.Target) *observed {
	id := metrics.NewIdentity(target)
	return &observed{t.Probe(id), t.Recorder(id), t.Tracer(id)}
}

// replace has a probe take the place of another.
func (t *Telemetry) replace(gone *observed, target metrics.Target) *observed {
	id := metrics.NewIdentity(target)
	return &observed{t.Replace([]*Series{gone.Series}, []*metrics.Identity{id})[0], t.Recorder(id), t.Tracer(id)}
}

// Record tells of a run.
func (p *observed) Record(r probe.Result, status probehealth.Status) {
	p.tell(&metrics.Observation{Probe: p.identity, Result: r, Health: probehealth.State{Status: status}})
}

func (p *observed) tell(o *metrics.Observation) {
	p.Observe(o)
	p.records.Observe(o)
	p.traces.Observe(o)
}

// newTest makes a Telemetry that exports to a stub and comes back from a deferral without spread.
func newTest(t *testing.T, o Options, s *stub) *Telemetry {
	t.Helper()
	return newTestOf(t, o, s.send)
}

// newTestOf makes a Telemetry that exports metrics to a function, and accepts the other signals.
func newTestOf(t *testing.T, o Options, metrics sender) *Telemetry {
	t.Helper()
	o = o.filled()
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	telemetry := newTelemetry(o)
	err := telemetry.openBoxes(func(signal otlp.Signal) sender {
		if signal == otlp.Metrics {
			return metrics
		}
		return func(context.Context, []byte) outbox.Answer { return outbox.Answer{Outcome: outbox.Accepted} }
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return telemetry
}

// allRequests makes one collection.
func allRequests(telemetry *Telemetry) []otlp.Scope {
	var all []otlp.Scope
	telemetry.producer.produceAll(func(scopes ...otlp.Scope) { all = append(all, scopes[0]) })
	return all
}

// produce makes one collection, which must fit into one request.
func produce(t *testing.T, telemetry *Telemetry) otlp.Scope {
	t.Helper()
	scopes := allRequests(telemetry)
	if len(scopes) != 1 {
		t.Fatalf("%d requests, want 1", len(scopes))
	}
	return scopes[0]
}

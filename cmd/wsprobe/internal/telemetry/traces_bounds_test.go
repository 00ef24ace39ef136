package telemetry

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/tracing"
	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// longest is a run whose trace is as long as it can be.
func longest() (metrics.Target, probe.Result) {
	target := chat()
	target.Labels = make(map[string]string)
	for i := range 32 {
		target.Labels[strings.Repeat("n", 127)+string(rune('A'+i))] = strings.Repeat("v", 1024)
	}
	target.Path = "/" + strings.Repeat("p", 8000)
	r := good(midnight, time.Second)
	r.Detail, r.Peer, r.HTTPStatus = strings.Repeat("d", 1100), "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535", 101
	r.Subprotocol, r.Extensions = strings.Repeat("s", 128), strings.Repeat("e", 120)
	r.TLSVersion, r.TLSCipher, r.ALPN = 0x304, 0x1301, "http/1.1"
	r.Steps = make([]probe.Span, 32)
	for i := range r.Steps {
		r.Steps[i] = probe.Span{End: time.Second, State: probe.SpanBroken}
	}
	return target, in(probe.Trace{ID: [16]byte{1}, Run: [8]byte{1}, Upgrade: [8]byte{2}, Sampled: true}, r)
}

// TestTraceSize: what waits is counted with no less than it takes in a request.
func TestTraceSize(t *testing.T) {
	target, extreme := longest()
	plain := metrics.NewIdentity(chat())
	for name, r := range map[string]struct {
		id     *metrics.Identity
		result probe.Result
	}{
		"short": {plain, in(extreme.Trace, refused(midnight))}, "usual": {plain, in(extreme.Trace, good(midnight, time.Second))},
		"longest": {metrics.NewIdentity(target), extreme},
	} {
		b := newBackend(t)
		sizes := make(chan int, 1)
		b.receiver.AnswerTraces = func(_ context.Context, request *receiver.TraceRequest) (*receiver.TracePartialSuccess, error) {
			size := 0
			for _, scope := range request.ResourceSpans[0].ScopeSpans {
				size += proto.Size(scope)
			}
			sizes <- size
			return nil, nil
		}
		e := exportTo(t, b.start(t), Options{Traces: true})
		e.Tracer(r.id).Observe(&metrics.Observation{Probe: r.id, Result: r.result})
		if got, size := traceSize(r.id, &r.result), <-sizes; got < size {
			t.Errorf("%s: counted with %d bytes, takes %d", name, got, size)
		}
		e.end(t)
	}
}

// TestTracesAreBounded: while the receiver is away the oldest traces go, and are counted.
func TestTracesAreBounded(t *testing.T) {
	b := newBackend(t) // which nobody starts
	e := prepareExport(t, b, Options{Traces: true})
	target, extreme := longest()
	id := metrics.NewIdentity(target)
	observe := func() { e.Tracer(id).Observe(&metrics.Observation{Probe: id, Result: extreme}) }
	const runs = 3000
	for range runs {
		observe()
	}
	waiting, lost := len(e.traces.items), int(e.self.count(idAgentTracesDropped, string(outbox.DropQueueFull)))
	if waiting == 0 || lost == 0 || waiting+lost != runs {
		t.Errorf("%d wait and %d are lost, of %d", waiting, lost, runs)
	}
	if size := waiting * traceSize(id, &extreme); size > gatherBytes {
		t.Errorf("%d bytes wait", size)
	}
	if n := tracing.Count(extreme); n != 38 {
		t.Errorf("%d spans: this run should have many", n)
	}
}

// TestExemplarsAreTheLatest: one of each bucket and outcome, the latest, and each is handed over once.
func TestExemplarsAreTheLatest(t *testing.T) {
	telemetry := newTest(t, Options{}, new(stub))
	telemetry.traces = newTraces(1, nil, nil)
	s := telemetry.probe(chat())
	var last probe.Trace
	for _, handshake := range []time.Duration{4, 30, 4} {
		last = telemetry.Trace()
		s.Record(in(last, good(midnight, handshake*time.Millisecond)), probehealth.Unknown)
	}
	s.Record(in(probe.Trace{ID: [16]byte{1}}, good(midnight, 4*time.Millisecond)), probehealth.Unknown) // not exported
	h := histograms(produce(t, telemetry), metrics.HandshakeDuration)[0]
	if len(h.Exemplars) != 2 || h.Exemplars[0].Value.Float() != 4 || h.Exemplars[1].Value.Float() != 30 || h.Exemplars[0].Trace != last {
		t.Errorf("exemplars %+v, want two, that of 4 ms in %x", h.Exemplars, last.ID)
	}
	if x := sums(produce(t, telemetry), metrics.Runs)[0].Exemplars; len(x) != 0 {
		t.Errorf("exemplars %+v for the second time", x)
	}
}

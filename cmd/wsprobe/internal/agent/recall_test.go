package agent

import (
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/shape"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestRecalledEvents wants an event that is made of what the page keeps of a run to be, byte for byte, the event that
// was made of the run.
func TestRecalledEvents(t *testing.T) {
	encoder, err := event.NewEncoder(eventOptions(config.Encoding{Codec: shape.JSON}, false, telemetry.Options{ServiceVersion: "1.0.0"}))
	if err != nil {
		t.Fatal(err)
	}
	encode := alone(encoder)
	began := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	ok := probe.Result{Started: began, Ended: began.Add(12345678), Opened: true, Handshake: 3456789, Replied: true, RoundTrip: 1234567,
		TimestampSource: probe.KernelTime, Lag: 12, StartDelay: 34, Peer: "192.0.2.1:443", HTTPStatus: 101, Subprotocol: "chat",
		CertificateExpiry: began.AddDate(1, 0, 0).Truncate(time.Second)}
	ok.Phases[probe.PhaseConnect] = probe.Span{Start: 1, End: 2000, State: probe.SpanEnded}
	failed := probe.Result{Started: began, Ended: began.Add(time.Second), Reason: reasons.OpenFailed, ErrorType: reasons.HTTPStatus(503),
		HTTPStatus: 503, Body: "busy\n", Detail: "the server answered 503 Service Unavailable instead of 101", Peer: "192.0.2.1:443"}
	steps := ok
	steps.Steps = []probe.Span{{End: time.Millisecond, State: probe.SpanEnded}, {}}
	closed := ok
	closed.CloseCode, closed.CloseReason, closed.Unmatched, closed.LastReply, closed.Extensions = 1001, "bye", 2, "hello", "permessage-deflate"
	for name, r := range map[string]probe.Result{"ok": ok, "failed": failed, "with steps": steps, "closed": closed} {
		t.Run(name, func(t *testing.T) {
			id := metrics.NewIdentity(metrics.Target{Name: "a", Interpretation: probe.RoundTripLatency, URL: "wss://a.example.com/?token=x",
				Labels: map[string]string{"team": "core"}})
			entry := status.NewEntry(id)
			o := &metrics.Observation{Probe: id, Result: r, Health: health.State{Status: health.Degraded, Since: began}}
			entry.Observe(o)
			e := event.Event{ID: "x", Kind: "run", At: r.Ended, Observation: o}
			want := string(encode(&e))
			e.Observation = entry.Last()
			if got := string(encode(&e)); got != want {
				t.Errorf("recalled:\n%s\nobserved:\n%s", got, want)
			}
		})
	}
}

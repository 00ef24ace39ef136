package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/journal"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/tracing"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// knownResults are runs of which much is known, in a fixed order: those of the waterfalls, and some with more to tell.
func knownResults() (names []string, shows map[string]func() (config.Probe, probe.Result)) {
	shows = waterfalls()
	rich := func(change func(*probe.Result), steps ...step) func() (config.Probe, probe.Result) {
		return func() (config.Probe, probe.Result) {
			return chat(probe.RoundTripLatency), ran(func(r *probe.Result) {
				r.TimestampSource, r.StartDelay, r.Lag = probe.KernelTime, 1500*us, 101*ms
				r.TLSVersion, r.TLSCipher, r.ALPN = 0x0304, 0x1301, "http/1.1"
				r.Subprotocol, r.Extensions = "chat.v2", "permessage-deflate; server_no_context_takeover"
				r.CertificateExpiry = began.AddDate(0, 0, 43)
				r.Trace = probe.Trace{ID: [16]byte{0xab, 15: 1}, Run: [8]byte{0xcd, 7: 2}, Upgrade: [8]byte{0xef, 7: 3}, Sampled: true}
				change(r)
			}, steps...)
		}
	}
	shows["rich_ok"] = rich(func(r *probe.Result) { r.CloseCode, r.CloseReason = 1001, "going <away> & \u2028 back" },
		opening(step{probe.PhaseRoundTrip, 12_345 * us, probe.SpanEnded})...)
	shows["rich_failure"] = rich(func(r *probe.Result) {
		failed(reasons.ReplyMismatch, reasons.ReplyMismatched, "no match in 2 messages, <b>&</b>")(r)
		r.Peer, r.Trace.Sampled, r.TimestampSource = "[2001:db8::1]:443", false, probe.UserTime
		r.CloseCode, r.CloseByProbe, r.Body = 1002, true, "<html>"
		r.Unmatched, r.LastReply = 2, `{"op":"<pong>"}`
	}, opening(step{probe.PhaseRoundTrip, 1962 * ms, probe.SpanBroken})...)
	shows["rich_empty_reply"] = rich(func(r *probe.Result) {
		failed(reasons.ReplyMismatch, reasons.ReplyMismatched, "no match in 1 message")(r)
		r.Subprotocol, r.Extensions, r.Unmatched, r.StartDelay, r.Lag = "", "", 1, 0, 0
	}, opening(step{probe.PhaseRoundTrip, 1962 * ms, probe.SpanBroken})...)
	return slices.Sorted(maps.Keys(shows)), shows
}

// TestWhatIsKnownOfARun holds each outlet of a result to testdata/known, which go test ./cmd/wsprobe -update writes:
// lines of the log, log records, spans, the status API and once as JSON.
func TestWhatIsKnownOfARun(t *testing.T) {
	names, shows := knownResults()
	records := knownRecords(t, names, shows)
	outlets := map[string]func(config.Probe, probe.Result, string) string{
		"journal": func(p config.Probe, r probe.Result, _ string) string {
			var out bytes.Buffer
			journal.NewWatch(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})), p.Name).Observe(&metrics.Observation{Result: r})
			_, line, _ := strings.Cut(out.String(), " ")
			return line
		},
		"api": func(p config.Probe, r probe.Result, _ string) string {
			o := metrics.Observation{Result: r}
			o.Probe = metrics.NewIdentity(metrics.Target{Name: p.Name, URL: p.ShownURL(), Interpretation: p.Spec.Interpretation})
			o.Health.Status = health.Degraded
			return asJSON(t, map[string]any{"last": &o})
		},
		"once": func(p config.Probe, r probe.Result, _ string) string {
			var out bytes.Buffer
			d := newJSONDisplay(&out, true, hintFlags)
			if err := d.each(shot{probe: p, number: 3, result: r, watch: &probe.Watch{Request: []string{"GET / HTTP/1.1"}}}); err != nil {
				t.Fatal(err)
			}
			return out.String()
		},
		"spans": func(_ config.Probe, r probe.Result, _ string) string { return spansText(r) },
		"records": func(_ config.Probe, _ probe.Result, name string) string {
			return strings.Join(records[name], "")
		},
	}
	for outlet, text := range outlets {
		t.Run(outlet, func(t *testing.T) {
			var all strings.Builder
			for _, name := range names {
				p, r := shows[name]()
				fmt.Fprintf(&all, "-- %s --\n%s", name, text(p, r, name))
			}
			golden(t, "../known/"+outlet, all.String())
		})
	}
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.NewEncoder(&out).Encode(value); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// spansText prints the spans of a run with their attributes.
func spansText(r probe.Result) string {
	var out strings.Builder
	builder := tracing.NewBuilder(resource.Empty(), instrumentation.Scope{Name: "test"})
	for _, span := range builder.Spans([]metrics.Attribute{slog.String("wsprobe.name", "chat")}, r) {
		fmt.Fprintf(&out, "%s\n", span.Name())
		for _, kv := range span.Attributes() {
			fmt.Fprintf(&out, "  %s=%v %s\n", kv.Key, kv.Value.Type(), kv.Value.String())
		}
	}
	return out.String()
}

// knownRecords exports the log records of each run and returns them as text by the name of the run.
func knownRecords(t *testing.T, names []string, shows map[string]func() (config.Probe, probe.Result)) map[string][]string {
	t.Helper()
	var inbox receiver.Inbox[receiver.Record]
	back, err := receiver.Start(&receiver.Receiver{Record: inbox.Add})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = back.Stop() })
	export, err := telemetry.New(telemetry.Options{Endpoint: "http://" + back.Address, Logs: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- export.Run(ctx) }()
	want := 0
	for _, name := range names {
		_, r := shows[name]()
		id := metrics.NewIdentity(metrics.Target{Name: name})
		export.Recorder(id).Observe(&metrics.Observation{Probe: id, Result: r})
		if r.Reason != reasons.OK {
			want += 2
		}
	}
	patience, giveUp := context.WithTimeout(t.Context(), 2*time.Minute)
	defer giveUp()
	got, err := inbox.Await(patience, want, func(receiver.Record) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	all := make(map[string][]string)
	for _, r := range got {
		name := fmt.Sprint(r.Attributes["wsprobe.name"])
		text := fmt.Sprintf("%s %s %s %s\n", r.Severity, r.Event, r.Body, r.TraceID)
		for _, key := range slices.Sorted(maps.Keys(r.Attributes)) {
			text += fmt.Sprintf("  %s=%T %v\n", key, r.Attributes[key], r.Attributes[key])
		}
		all[name] = append(all[name], text)
	}
	return all
}

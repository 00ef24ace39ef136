package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// span is one span of a trace.
type span struct {
	ptrace.Span
	resource map[string]any
}

// text returns an attribute of the span, "" if it is absent.
func (s span) text(key string) string {
	v, ok := s.Attributes().Get(key)
	if !ok {
		return ""
	}
	return v.AsString()
}

// spans returns the spans that the Collector has written so far, by trace.
func (c *collector) spans(t *testing.T) map[string][]span {
	t.Helper()
	traces := make(map[string][]span)
	for line := range written(t, c.traces) {
		request, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(line)
		if err != nil {
			t.Fatalf("the Collector's file: %v\n%s", err, line)
		}
		for _, rs := range request.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, s := range ss.Spans().All() {
					id := s.TraceID().String()
					traces[id] = append(traces[id], span{s, rs.Resource().Attributes().AsRaw()})
				}
			}
		}
	}
	return traces
}

// records returns the log records that the Collector has written so far.
func (c *collector) records(t *testing.T) []plog.LogRecord {
	t.Helper()
	var all []plog.LogRecord
	for line := range written(t, c.logs) {
		request, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(line)
		if err != nil {
			t.Fatalf("the Collector's file: %v\n%s", err, line)
		}
		for _, rl := range request.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, r := range sl.LogRecords().All() {
					all = append(all, r)
				}
			}
		}
	}
	return all
}

// tree takes a trace apart: the run is its root, the parts are the children by name.
func tree(t *testing.T, trace []span) (run span, parts map[string]span) {
	t.Helper()
	parts = make(map[string]span)
	for _, s := range trace {
		if s.ParentSpanID().IsEmpty() {
			run = s
			continue
		}
		parts[s.Name()] = s
	}
	if run.resource == nil || len(parts) != len(trace)-1 {
		t.Fatalf("%d spans with the parts %v", len(trace), parts)
	}
	for name, s := range parts {
		if s.ParentSpanID() != run.SpanID() || s.StartTimestamp() < run.StartTimestamp() || s.EndTimestamp() > run.EndTimestamp() ||
			s.EndTimestamp() < s.StartTimestamp() {
			t.Errorf("%s is not within its run", name)
		}
	}
	return run, parts
}

// TestTraces: each run is a trace in the Collector, whole, with the times of the metrics; the exemplars of the metrics and
// the log records lead to them.
func TestTraces(t *testing.T) {
	nats, authority := startNATSWithTLS(t)
	c := newCollector(t)
	c.start(t)
	config := newSettings(t, c)
	config.OTLP["traces"], config.OTLP["logs"] = true, true
	good := roundTrip("good", nats.WebsocketURL()+"/nats?token=swordfish")
	good["tls"], good["labels"] = map[string]any{"ca_file": authority}, map[string]string{"team": "messaging"}
	config.Probes = append(config.Probes, good, map[string]any{"name": "closed", "url": "ws://" + closedPort(t) + "/"})
	agent := startAgent(t, config)
	for _, probe := range []string{"good", "closed"} {
		lab.Eventually(t, 30*time.Second, "two traces of "+probe, func() (bool, string) {
			agent.Running(t)
			n := 0
			for _, trace := range c.spans(t) {
				run, _ := tree(t, trace)
				if run.Name() == "probe "+probe {
					n++
				}
			}
			return n >= 2, fmt.Sprint(n)
		})
	}
	stopAgent(t, agent)

	got, traces, starts := c.received(t), c.spans(t), make(map[string]int)
	for _, trace := range traces {
		run, parts := tree(t, trace)
		starts[fmt.Sprintf("%s at %d", run.text("wsprobe.name"), run.StartTimestamp())]++
		checkRun(t, run, parts, port(t, nats.WebsocketURL()))
		if where := run.resource["wsprobe.location"]; where != "e2e" || run.resource["service.name"] != "wsprobe" {
			t.Errorf("resource %v", run.resource)
		}
	}
	for _, probe := range []string{"good", "closed"} {
		for _, p := range got.of("wsprobe.connection_success", probe) {
			if at := fmt.Sprintf("%s at %d", probe, p.start.UnixNano()); starts[at] != 1 {
				t.Errorf("%d traces of the run of %s", starts[at], at)
			}
		}
	}
	checkLeads(t, c, got, traces)
}

// checkRun looks at one trace.
func checkRun(t *testing.T, run span, parts map[string]span, natsPort int64) {
	t.Helper()
	names := make([]string, 0, len(parts))
	for name := range parts {
		names = append(names, name)
	}
	slices.Sort(names)
	text := fmt.Sprint(run.Attributes().AsRaw(), run.Status().Message())
	if run.Name() == "probe closed" {
		if !slices.Equal(names, []string{"connect"}) || run.text("error.type") != "connection_refused" ||
			run.Status().Code() != ptrace.StatusCodeError || parts["connect"].Status().Code() != ptrace.StatusCodeError {
			t.Errorf("closed: parts %v, %s", names, text)
		}
		return
	}
	if !slices.Equal(names, []string{"close", "connect", "round_trip", "tls", "upgrade"}) || run.Status().Code() != ptrace.StatusCodeUnset ||
		run.Kind() != ptrace.SpanKindClient {
		t.Errorf("good: parts %v, %s, %v", names, run.Kind(), run.Status().Code())
	}
	url := fmt.Sprintf("wss://127.0.0.1:%d/nats", natsPort)
	for key, want := range map[string]string{
		"url.full": url, "server.address": "127.0.0.1", "server.port": fmt.Sprint(natsPort), "url.scheme": "wss", "url.path": "/nats",
		"network.peer.address": "127.0.0.1", "network.protocol.name": "websocket", "wsprobe.reason": "ok", "team": "messaging",
	} {
		if run.text(key) != want {
			t.Errorf("good: %s is %q, want %q", key, run.text(key), want)
		}
	}
	upgrade, secured := parts["upgrade"], parts["tls"]
	if upgrade.Kind() != ptrace.SpanKindClient || upgrade.text("http.response.status_code") != "101" || upgrade.text("url.full") != url ||
		secured.text("tls.protocol.version") != "1.3" || !strings.HasPrefix(secured.text("tls.cipher"), "TLS_") {
		t.Errorf("good: upgrade %v, tls %v", upgrade.Attributes().AsRaw(), secured.Attributes().AsRaw())
	}
	if strings.Contains(text, "swordfish") {
		t.Errorf("a secret in %s", text)
	}
}

// checkLeads wants every exemplar, and every log record of a run, to lead to a trace that is there.
func checkLeads(t *testing.T, c *collector, got received, traces map[string][]span) {
	t.Helper()
	exemplars := make(map[string]int)
	for _, p := range got.points {
		for _, id := range p.traces {
			if traces[id] == nil {
				t.Errorf("%v leads to no trace", p)
			}
			exemplars[p.metric]++
		}
	}
	for _, metric := range []string{"wsprobe.handshake.duration", "wsprobe.round_trip.duration", "wsprobe.runs"} {
		if exemplars[metric] == 0 {
			t.Errorf("%s has no exemplar", metric)
		}
	}
	failures := 0
	for _, r := range c.records(t) {
		if traces[r.TraceID().String()] == nil {
			t.Errorf("the record %q leads to no trace", r.Body().AsString())
		}
		if r.EventName() == "wsprobe.run.failed" {
			failures++
		}
	}
	if failures < 2 {
		t.Errorf("%d records of failed runs", failures)
	}
}

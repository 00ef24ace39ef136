package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

const heldTracesFile = `
agent: {listen: ""}
otlp: {endpoint: "http://%[1]s", interval: 1s, traces: true, logs: true, trace_ratio: 0}
probes:
  - {name: kept, url: "%[2]skept", interval: 1s, session: {reconnect: {min: 100ms, max: 100ms}}}
`

// TestTraceOfASessionArrives: the built agent exports a session that was cut as one trace, which the server was told of
// at the open, and whose log record leads there.
func TestTraceOfASessionArrives(t *testing.T) {
	told := make(chan seen, 1000)
	endpoints := wstest.Start(func(c *wstest.Conn) {
		told <- seen{"kept", c.Request().Header.Get("Traceparent")}
		c.Accept()
		c.Send(wstest.Text("hello"))
		c.Pause(200 * time.Millisecond)
		c.FIN()
	})
	t.Cleanup(endpoints.Close)
	spans, records := make(chan receiver.Span, 10_000), make(chan receiver.Record, 10_000)
	address := listenFor(t, "grpc", &receiver.Receiver{Span: func(s receiver.Span) { spans <- s }, Record: func(r receiver.Record) { records <- r }})
	file := filepath.Join(t.TempDir(), "wsprobe.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, heldTracesFile, address, endpoints.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	startAgent(t, file)
	root := func(all []receiver.Span) int {
		return slices.IndexFunc(all, func(s receiver.Span) bool { return s.Name == "session kept" })
	}
	all := collect(t, spans, func(all []receiver.Span) bool { return root(all) >= 0 })
	span := all[root(all)]
	headers := collect(t, told, func(all []seen) bool { return len(all) > 0 })
	if !slices.ContainsFunc(headers, func(h seen) bool { return strings.Contains(h.traceparent, span.TraceID) }) {
		t.Errorf("the server was told of %v, not of %s", headers, span.TraceID)
	}
	var names []string
	for _, e := range span.Events {
		names = append(names, e.Name)
	}
	if want := []string{"wsprobe.session.opened", "wsprobe.session.message.first", "wsprobe.session.ended"}; !slices.Equal(names, want) {
		t.Errorf("events %q, want %q", names, want)
	}
	if a := span.Attributes; a["wsprobe.session.end"] != "fin" || a["wsprobe.session.verdict"] != "replaced" || a["error.type"] != "unexpected_eof" || !span.Failed {
		t.Errorf("attributes %v", a)
	}
	collect(t, records, func(all []receiver.Record) bool {
		return slices.ContainsFunc(all, func(r receiver.Record) bool {
			return r.Event == "wsprobe.session.ended" && r.TraceID == span.TraceID && r.SpanID == span.SpanID
		})
	})
}

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// tracesFile is a configuration with traces. The endpoints repeat what they are told.
const tracesFile = `
agent: {listen: "", location: attic}
otlp: {endpoint: "http://%[1]s", protocol: %[2]s, interval: 1s, traces: true, trace_ratio: %[3]s, headers: {x-key: swordfish}}
defaults: {interval: 1s}
probes:
  - {name: good, url: "%[4]sgood?token=hunter2", labels: {team: blue}, interpretation: round_trip_latency, send_message: hunter2}
  - {name: shut, url: "%[4]sshut?token=hunter2", headers: {Authorization: Bearer swordfish}}
  - {name: own, url: "%[4]sown", headers: {traceparent: 00-11111111111111111111111111111111-2222222222222222-01}}
`

// seen is what an endpoint was told about a trace.
type seen struct{ endpoint, traceparent string }

// TestTracesArrive: the built agent exports the traces of runs over either protocol: of all that fail, and of the share of
// the others that is asked for. The server sees the trace that is exported, and no secret leaves with it.
func TestTracesArrive(t *testing.T) {
	for _, c := range []struct{ protocol, ratio string }{{"grpc", "0"}, {"grpc", "1"}, {"http/protobuf", "0"}, {"http/protobuf", "1"}} {
		t.Run(c.protocol+" "+c.ratio, func(t *testing.T) {
			t.Parallel()
			told := make(chan seen, 1000)
			endpoints := wstest.Start(tellTraces(told))
			t.Cleanup(endpoints.Close)
			spans := make(chan receiver.Span, 10_000)
			address := listenFor(t, c.protocol, &receiver.Receiver{Span: func(s receiver.Span) { spans <- s }})
			file := filepath.Join(t.TempDir(), "wsprobe.yaml")
			if err := os.WriteFile(file, fmt.Appendf(nil, tracesFile, address, c.protocol, c.ratio, endpoints.URL), 0o600); err != nil {
				t.Fatal(err)
			}
			agent, log := startAgent(t, file)
			headers := collect(t, told, func(all []seen) bool {
				return len(toldTo(all, "good")) >= 2 && len(toldTo(all, "shut")) >= 2 && len(toldTo(all, "own")) >= 2
			})
			got := collect(t, spans, func(all []receiver.Span) bool { return len(upgrades(all, "/shut")) >= 2 })
			if c.ratio == "1" {
				got = append(got, collect(t, spans, func(all []receiver.Span) bool { return len(upgrades(append(got, all...), "/good")) >= 1 })...)
			}
			if err := agent.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := agent.Wait(); err != nil {
				t.Errorf("the agent ends with %v:\n%s", err, log)
			}
			for len(told) > 0 {
				headers = append(headers, <-told)
			}
			checkTraces(t, c.ratio == "1", headers, got)
		})
	}
}

// tellTraces are endpoints that tell what traceparent they got.
func tellTraces(told chan<- seen) wstest.Script {
	tell := func(c *wstest.Conn, endpoint string) {
		told <- seen{endpoint, strings.Join(c.Request().Header.Values("Traceparent"), "|")}
	}
	return wstest.ByPath(map[string]wstest.Script{
		"/good": func(c *wstest.Conn) { tell(c, "good"); wstest.Echo(c) },
		"/own":  func(c *wstest.Conn) { tell(c, "own"); wstest.Echo(c) },
		"/shut": func(c *wstest.Conn) {
			tell(c, "shut")
			c.Refuse(403, c.Request().URL.RawQuery+c.Request().Header.Get("Authorization"))
		},
	})
}

// listenFor lets a receiver listen until the test ends, and returns its address.
func listenFor(t *testing.T, protocol string, r *receiver.Receiver) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve := r.Serve
	if protocol != "grpc" {
		serve = r.ServeHTTPProtobuf
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("receiver: %v", err)
		}
	})
	return l.Addr().String()
}

// collect receives until what came is enough.
func collect[T any](t *testing.T, from <-chan T, enough func([]T) bool) (all []T) {
	t.Helper()
	for late := time.After(patience); !enough(all); {
		select {
		case one := <-from:
			all = append(all, one)
		case <-late:
			t.Fatalf("not enough among %d: %+v", len(all), all)
		}
	}
	return all
}

func toldTo(all []seen, endpoint string) []seen {
	return slices.DeleteFunc(slices.Clone(all), func(s seen) bool { return s.endpoint != endpoint })
}

// upgrades returns the spans of the upgrade requests to a path.
func upgrades(spans []receiver.Span, path string) []receiver.Span {
	return slices.DeleteFunc(slices.Clone(spans), func(s receiver.Span) bool {
		url, _ := s.Attributes["url.full"].(string)
		return s.Name != "upgrade" || !strings.HasSuffix(url, path)
	})
}

var traceparent = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$`)

// checkTraces compares what the endpoints were told with what the back end got.
func checkTraces(t *testing.T, sampled bool, headers []seen, spans []receiver.Span) {
	t.Helper()
	flags := "-00"
	if sampled {
		flags = "-01"
	}
	told := make(map[string]string) // endpoint by traceparent
	for _, s := range headers {
		told[s.traceparent] = s.endpoint
		own := s.traceparent == "00-11111111111111111111111111111111-2222222222222222-01"
		if own != (s.endpoint == "own") || !own && (!traceparent.MatchString(s.traceparent) || !strings.HasSuffix(s.traceparent, flags)) {
			t.Errorf("%s was told %q", s.endpoint, s.traceparent)
		}
	}
	for _, path := range []string{"/good", "/shut"} {
		exported := upgrades(spans, path)
		if (len(exported) > 0) != (sampled || path == "/shut") {
			t.Errorf("%d traces of %s", len(exported), path)
		}
		for _, s := range exported {
			if as := "00-" + s.TraceID + "-" + s.SpanID + flags; told[as] != strings.Trim(path, "/") {
				t.Errorf("the trace of %s is %s, the endpoints were told %v", path, as, told)
			}
		}
	}
	for _, s := range spans {
		if text := fmt.Sprint(s); strings.Contains(text, "hunter2") || strings.Contains(text, "swordfish") {
			t.Errorf("a secret in %s", text)
		}
		if s.Resource["wsprobe.location"] != "attic" || s.Name == "probe shut" && (!s.Failed || s.Attributes["error.type"] != "http_403") {
			t.Errorf("span %+v", s)
		}
	}
}

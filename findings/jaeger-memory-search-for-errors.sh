#!/usr/bin/env bash
# Jaeger 2 (module github.com/jaegertracing/jaeger v1.76.0, cmd/jaeger, storage in memory): a search for the tag
# error=true through /api/traces finds no span that failed. It finds those whose status is Ok, as a search for
# error=false does. The answer for a failed span nevertheless shows the tag error with the value true. The storage
# compares the tag as a boolean, and a search gives it as text. A search by an attribute of the span works.
#
# Input: three spans over OTLP/HTTP with the status Error, Ok and none; each has an attribute "outcome".
#
# Seen:
#   all: failed ok unset
#   error=true: ok
#   error=false: ok
#   outcome=failed: failed, shown with error=true
#
# Needs Go and a module proxy; the build takes minutes. Exits with 1 when the behaviour is another one.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat >go.mod <<'EOF'
module finding

go 1.26.8

tool github.com/jaegertracing/jaeger/cmd/jaeger

require github.com/jaegertracing/jaeger v1.76.0
EOF

cat >config.yaml <<'EOF'
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces: {receivers: [otlp], exporters: [jaeger_storage_exporter]}
  telemetry:
    metrics: {level: none}
extensions:
  jaeger_query:
    storage: {traces: memory}
    http: {endpoint: "${env:QUERY}"}
    grpc: {endpoint: "127.0.0.1:0"}
  jaeger_storage: {backends: {memory: {memory: {max_traces: 100}}}}
receivers:
  otlp: {protocols: {http: {endpoint: "${env:RECEIVE}"}}}
exporters:
  jaeger_storage_exporter: {trace_storage: memory}
EOF

cat >main.go <<'EOF'
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func freeAddr() string {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	return l.Addr().String()
}

// request has a trace of one span for each outcome.
func request(at time.Time) string {
	var spans []string
	for i, s := range []struct {
		outcome string
		code    int
	}{{"unset", 0}, {"ok", 1}, {"failed", 2}} {
		spans = append(spans, fmt.Sprintf(`{"traceId": "%032x", "spanId": "%016x", "name": "s", "kind": 1, "startTimeUnixNano": "%d",
			"endTimeUnixNano": "%d", "status": {"code": %d}, "attributes": [{"key": "outcome", "value": {"stringValue": %q}}]}`,
			i+1, i+1, at.UnixNano(), at.UnixNano()+1e6, s.code, s.outcome))
	}
	return `{"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "finding"}}]},
		"scopeSpans": [{"spans": [` + strings.Join(spans, ",") + `]}]}]}`
}

// find returns the outcomes of the spans that a search finds, and the tag error of the last of them.
func find(api, tags string) (outcomes []string, shown string) {
	resp := must(http.Get(api + "/api/traces?" + url.Values{"service": {"finding"}, "limit": {"10"}, "tags": {tags}}.Encode()))
	defer resp.Body.Close()
	var answer struct {
		Data []struct {
			Spans []struct {
				Tags []struct {
					Key   string
					Value any
				}
			}
		}
	}
	if err := json.Unmarshal(must(io.ReadAll(resp.Body)), &answer); err != nil {
		panic(err)
	}
	for _, trace := range answer.Data {
		for _, tag := range trace.Spans[0].Tags {
			switch tag.Key {
			case "outcome":
				outcomes = append(outcomes, tag.Value.(string))
			case "error":
				shown = fmt.Sprint(tag.Value)
			}
		}
	}
	slices.Sort(outcomes)
	return outcomes, shown
}

func main() {
	query, receive := freeAddr(), freeAddr()
	jaeger := exec.Command("./jaeger", "--config", "config.yaml")
	jaeger.Env = append(os.Environ(), "QUERY="+query, "RECEIVE="+receive, "OTEL_TRACES_SAMPLER=always_off")
	if err := jaeger.Start(); err != nil {
		panic(err)
	}
	defer func() { _ = jaeger.Process.Kill() }()
	api := "http://" + query
	for range 300 {
		resp, err := http.Post("http://"+receive+"/v1/traces", "application/json", strings.NewReader(request(time.Now().Add(-time.Minute))))
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				break
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	for range 300 {
		resp, err := http.Get(api + "/api/services")
		if err == nil {
			resp.Body.Close()
			if found, _ := find(api, "{}"); len(found) == 3 {
				break
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	all, _ := find(api, "{}")
	fmt.Println("all:", strings.Join(all, " "))
	for _, value := range []string{"true", "false"} {
		found, _ := find(api, fmt.Sprintf(`{"error": %q}`, value))
		fmt.Printf("error=%s: %s\n", value, strings.Join(found, " "))
	}
	found, shown := find(api, `{"outcome": "failed"}`)
	fmt.Printf("outcome=failed: %s, shown with error=%s\n", strings.Join(found, " "), shown)
}
EOF

go mod tidy >/dev/null 2>&1
go build -o jaeger github.com/jaegertracing/jaeger/cmd/jaeger
got=$(go run . 2>/dev/null)
want='all: failed ok unset
error=true: ok
error=false: ok
outcome=failed: failed, shown with error=true'
printf '%s\n' "$got"
[ "$got" = "$want" ]

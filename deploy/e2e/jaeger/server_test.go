package jaeger

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// program is Jaeger, built from the module in go.mod by the first test that needs it.
var program = sync.OnceValues(func() (string, error) {
	return lab.Build(".", "github.com/jaegertracing/jaeger/cmd/jaeger")
})

// server is a running Jaeger.
type server struct {
	grpc, http string // where it receives, host:port
	query      string // URL of its API
}

func startServer(t *testing.T) server {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	config, err := filepath.Abs("config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, query := server{grpc: lab.FreeAddr(t), http: lab.FreeAddr(t)}, lab.FreeAddr(t)
	s.query = "http://" + query
	process := lab.StartWith(t, []string{"JAEGER_GRPC=" + s.grpc, "JAEGER_HTTP=" + s.http, "JAEGER_QUERY=" + query,
		"JAEGER_QUERY_GRPC=" + lab.FreeAddr(t), "OTEL_TRACES_SAMPLER=always_off", // none of its own to 127.0.0.1:4317
	}, path, "--config", config)
	lab.Eventually(t, time.Minute, "Jaeger to answer", func() (bool, string) {
		process.Running(t)
		for _, address := range []string{s.query + "/api/services", "http://" + s.http + "/"} {
			resp, err := http.Get(address)
			if err != nil {
				return false, err.Error()
			}
			_ = resp.Body.Close()
		}
		return true, ""
	})
	return s
}

// span is one span as the API of Jaeger's page returns it.
type span struct {
	TraceID, SpanID, OperationName string
	References                     []struct{ RefType, SpanID string }
	StartTime, Duration            int64 // in µs
	Tags                           []tag
	ProcessID                      string
}

type tag struct {
	Key   string
	Value any
}

// tag returns the value of an attribute as text, "" if it is absent.
func (s span) tag(key string) string {
	for _, t := range s.Tags {
		if t.Key == key {
			return fmt.Sprint(t.Value)
		}
	}
	return ""
}

// trace is what belongs together.
type trace struct {
	TraceID   string
	Spans     []span
	Processes map[string]struct {
		ServiceName string
		Tags        []tag
	}
}

// root returns the span without a parent.
func (tr trace) root() span {
	for _, s := range tr.Spans {
		if len(s.References) == 0 {
			return s
		}
	}
	return span{}
}

// find returns the traces that a search finds by the service and by attributes.
func (s server) find(t *testing.T, attributes map[string]string) []trace {
	t.Helper()
	tags, err := json.Marshal(attributes)
	if err != nil {
		t.Fatal(err)
	}
	query := url.Values{"service": {"wsprobe"}, "limit": {"1000"}, "lookback": {"1h"}, "tags": {string(tags)}}
	resp, err := http.Get(s.query + "/api/traces?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v %s", resp.Status, err, body)
	}
	var answer struct{ Data []trace }
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Data
}

package loki

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(lab.RunTests(m))
}

// program is Loki, built from the module in go.mod by the first test that needs it.
var program = sync.OnceValues(func() (string, error) { return lab.Build(".", "github.com/grafana/loki/v3/cmd/loki") })

// startServer runs Loki until the test ends, and returns its URL.
func startServer(t *testing.T) string {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	config, err := filepath.Abs("config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	port := func() (addr, port string) {
		addr = lab.FreeAddr(t)
		_, port, _ = net.SplitHostPort(addr)
		return addr, port
	}
	addr, httpPort := port()
	_, grpcPort := port()
	process := lab.StartWith(t, []string{"LOKI_HTTP_PORT=" + httpPort, "LOKI_GRPC_PORT=" + grpcPort, "LOKI_DATA=" + t.TempDir()},
		path, "-config.file="+config, "-config.expand-env=true")
	lab.Eventually(t, 2*time.Minute, "Loki to be ready", func() (bool, string) {
		process.Running(t)
		resp, err := http.Get("http://" + addr + "/ready")
		if err != nil {
			return false, err.Error()
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK, resp.Status
	})
	return "http://" + addr
}

// records returns those that a query finds, by the name of the probe.
func records(t *testing.T, server, query string) map[string][]map[string]string {
	t.Helper()
	resp, err := http.Get(server + "/loki/api/v1/query_range?" + url.Values{"query": {query}, "limit": {"5000"}}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v %s", query, resp.Status, err, body)
	}
	var answer struct {
		Data struct {
			Result []struct {
				Stream map[string]string
				Values []json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	found := map[string][]map[string]string{}
	for _, r := range answer.Data.Result {
		for range r.Values {
			name := r.Stream["wsprobe_name"]
			found[name] = append(found[name], r.Stream)
		}
	}
	return found
}

// TestEveryFailureHasARecord wants Loki to find one record for each run that failed, with its reason and its trace, and
// none for the others.
func TestEveryFailureHasARecord(t *testing.T) {
	server, e := startServer(t), lab.NewEndpoint(t)
	e.SetDown("down", true)
	agent := lab.StartAgent(t, lab.Settings{
		"agent": map[string]any{"listen": "", "location": "lab"},
		"otlp": map[string]any{"endpoint": server + "/otlp", "protocol": "http/protobuf", "interval": "1s",
			"logs": true, "traces": true},
		"defaults": map[string]any{"interval": "1s", "timeout_ms": 800},
		"probes":   []map[string]any{e.RoundTrip("good", lab.Echo), e.RoundTrip("down", lab.Echo)},
	})
	const query = `{service_name="wsprobe"} |= "run failed"`
	lab.Eventually(t, 2*time.Minute, "8 records", func() (bool, string) {
		agent.Running(t)
		n := len(records(t, server, query)["down"])
		return n >= 8, fmt.Sprint(n)
	})
	ended := lab.EndedBefore(time.Now().Add(-lab.InFlight))
	agent.Stop(t, lab.StopLimit)
	found := records(t, server, query)
	counts := map[string]int{"down": len(found["down"])}
	e.CheckStored(t, "records", counts, func(v lab.Visit) bool { return false }) // none twice
	must := 0
	for _, v := range e.Visits()["down"] {
		if ended(v) {
			must++
		}
	}
	if counts["down"] < must || len(found["good"]) > 0 {
		t.Errorf("%d records of %d runs that failed, %d of runs that did not", counts["down"], must, len(found["good"]))
	}
	for _, r := range found["down"] {
		if r["wsprobe_reason"] != "ws_open_failed" || r["error_type"] != "http_503" || r["wsprobe_location"] != "lab" ||
			r["detected_level"] != "warn" || strings.Trim(r["trace_id"], "0") == "" {
			t.Errorf("a record has the attributes %v", r)
		}
	}
}

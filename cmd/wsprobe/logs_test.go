package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// logsFile is a configuration with log records. The endpoints repeat what they are told.
const logsFile = `
agent: {listen: "", location: attic}
otlp: {endpoint: "http://%[1]s", protocol: %[2]s, interval: 1s, logs: true, headers: {x-key: swordfish}}
defaults: {interval: 1s}
probes:
  - {name: moody, url: "%[3]smoody?token=hunter2", labels: {team: blue}, thresholds: {healthy: "< 30000"}}
  - {name: leaky, url: "%[3]sleaky?token=hunter2", headers: {Authorization: Bearer swordfish}}
  - {name: good, url: "%[3]sgood"}
`

// TestLogRecordsArrive: with otlp.logs the built agent exports each failed run and each change of state, over either
// protocol, and no secret with it.
func TestLogRecordsArrive(t *testing.T) {
	for _, protocol := range []string{"grpc", "http/protobuf"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			endpoints := wstest.Start(wstest.ByPath(map[string]wstest.Script{
				"/moody": moody(2), "/good": wstest.Echo,
				"/leaky": func(c *wstest.Conn) { c.Refuse(403, told(c), "X-Told: "+told(c)) },
			}))
			t.Cleanup(endpoints.Close)
			records := make(chan receiver.Record, 1000)
			address := takeRecords(t, protocol, records)
			file := filepath.Join(t.TempDir(), "wsprobe.yaml")
			if err := os.WriteFile(file, fmt.Appendf(nil, logsFile, address, protocol, endpoints.URL), 0o600); err != nil {
				t.Fatal(err)
			}
			agent, log := startAgent(t, file)
			got := awaitRecovery(t, records)
			if err := agent.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := agent.Wait(); err != nil {
				t.Errorf("the agent ends with %v:\n%s", err, log)
			}
			checkLogRecords(t, got)
		})
	}
}

// takeRecords is a back end that hands log records over.
func takeRecords(t *testing.T, protocol string, records chan<- receiver.Record) (address string) {
	t.Helper()
	return listenFor(t, protocol, &receiver.Receiver{Record: func(r receiver.Record) { records <- r }})
}

// awaitRecovery returns the records up to that of a recovery.
func awaitRecovery(t *testing.T, records <-chan receiver.Record) []receiver.Record {
	t.Helper()
	var got []receiver.Record
	for late := time.After(patience); ; {
		select {
		case r := <-records:
			if got = append(got, r); r.Attributes["wsprobe.outcome"] == "ok" {
				return got
			}
		case <-late:
			t.Fatalf("no recovery among %d records", len(got))
		}
	}
}

// checkLogRecords wants two failures of moody between its changes of state, those of leaky, and nothing of good.
func checkLogRecords(t *testing.T, got []receiver.Record) {
	t.Helper()
	var course []string
	for _, r := range got {
		text := fmt.Sprint(r)
		if strings.Contains(text, "hunter2") || strings.Contains(text, "swordfish") {
			t.Errorf("a secret in %s", text)
		}
		if r.Resource["wsprobe.location"] != "attic" || r.Attributes["wsprobe.name"] == "good" {
			t.Errorf("resource %v, attributes %v", r.Resource, r.Attributes)
		}
		if r.Attributes["wsprobe.name"] != "moody" {
			continue
		}
		course = append(course, r.Event)
		if r.Attributes["team"] != "blue" || r.Attributes["server.address"] != "127.0.0.1" {
			t.Errorf("attributes %v", r.Attributes)
		}
		if r.Event == "wsprobe.run.failed" && (r.Attributes["error.type"] != "http_503" || r.Attributes["http.response.status_code"] != int64(503)) {
			t.Errorf("attributes %v", r.Attributes)
		}
	}
	want := []string{
		"wsprobe.outcome.changed", "wsprobe.run.failed", "wsprobe.health.changed", "wsprobe.run.failed", "wsprobe.outcome.changed",
	}
	if !slices.Equal(course, want) {
		t.Errorf("events %q, want %q", course, want)
	}
}

package agent

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/logtest"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestDiscoveredProbesArrive: the points of a discovered target bear its labels. Its series end with the target, and those
// of a target that stays go on.
func TestDiscoveredProbesArrive(t *testing.T) {
	endpoint := wstest.Start(wstest.Echo)
	defer endpoint.Close()
	var got receiver.Inbox[receiver.Point]
	back, err := receiver.Start(&receiver.Receiver{Point: got.Add})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = back.Stop() }()
	file := filepath.Join(t.TempDir(), "targets.json")
	write := func(paths ...string) {
		t.Helper()
		var groups []any
		for _, path := range paths {
			groups = append(groups, map[string]any{"targets": []string{strings.TrimSuffix(endpoint.URL, "/")}, "labels": map[string]string{"path": path}})
		}
		text, err := json.Marshal(groups)
		if err == nil {
			err = os.WriteFile(file+".next", text, 0o600)
		}
		if err == nil {
			err = os.Rename(file+".next", file)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write("kept", "gone")
	cfg := loadFile(t, "agent: {listen: \"127.0.0.1:0\"}\notlp: {endpoint: \"$OTLP\", interval: 1s, end_markers: true}\n"+
		"modules: [{name: m, interval: 1s, timeout_ms: 1000, interpretation: round_trip_latency, send_message: hi}]\n"+
		"discover: [{name: d, module: m, url: \"{{target.address}}/{{target.label.path}}\", probe_name: \"{{target.label.path}}\", files: [\"$FILE\"], refresh: 1s}]\n",
		map[string]string{"OTLP": "http://" + back.Address, "FILE": file})
	var log logtest.Log
	a, err := New(cfg, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	for _, name := range []string{"kept", "gone"} {
		awaitPoints(t, &got, 2, "wsprobe.connection_success", name)
	}
	if rows := rowsOf(t, a); !slices.Equal(rows, []string{"gone", "kept"}) && !slices.Equal(rows, []string{"kept", "gone"}) {
		t.Errorf("rows %q", rows)
	}
	write("kept", "new")
	awaitPoints(t, &got, 2, "wsprobe.connection_success", "new")
	before := len(got.Where(receiver.Of("wsprobe.connection_success", "kept")))
	awaitPoints(t, &got, before+3, "wsprobe.connection_success", "kept")
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	checkKept(t, got.Where(func(p receiver.Point) bool { return p.Attributes["wsprobe.name"] == "kept" }))
	checkGone(t, got.Where(func(p receiver.Point) bool { return p.Attributes["wsprobe.name"] == "gone" }))
	found := got.Where(func(p receiver.Point) bool { return p.Metric == "wsprobe.discovery.targets" })
	if n := len(found); n == 0 || found[n-1].Value != 2 || found[n-1].Attributes["wsprobe.discovery.name"] != "d" {
		t.Errorf("points of the source: %v", found)
	}
	for _, p := range got.Where(receiver.Of("wsprobe.success", "kept")) {
		if p.Attributes["path"] != "kept" {
			t.Errorf("labels %v", p.Attributes)
		}
	}
}

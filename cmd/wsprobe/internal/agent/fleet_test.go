package agent

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/logtest"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestApply: an unchanged probe goes on as if nothing had happened, a changed one begins anew, and of one that is gone
// nothing is left: no row, no line, and no point after the end of its series.
func TestApply(t *testing.T) {
	endpoint := wstest.Start(wstest.ByPath(map[string]wstest.Script{"/echo": wstest.Echo, "/refused": wstest.Refuse(403, "no\n")}))
	defer endpoint.Close()
	var got receiver.Inbox[receiver.Point]
	back, err := receiver.Start(&receiver.Receiver{Point: got.Add})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = back.Stop() }()
	vars := map[string]string{"OTLP": "http://" + back.Address, "URL": endpoint.URL}
	const head = "agent: {listen: \"127.0.0.1:0\"}\notlp: {endpoint: \"$OTLP\", interval: 1s, end_markers: true}\nprobes:\n"
	const kept = "  - {name: kept, url: \"${URL}echo\", interval: 1s, interpretation: round_trip_latency, send_message: hi}\n"
	first := loadFile(t, head+kept+"  - {name: changed, url: \"${URL}echo\", interval: 1s}\n  - {name: gone, url: \"${URL}refused\", interval: 1s}\n", vars)
	then := loadFile(t, head+"  - {name: new, url: \"${URL}echo\", interval: 1s}\n  - {name: changed, url: \"${URL}refused\", interval: 1s}\n"+kept, vars)

	var log logtest.Log
	a, err := New(first, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	defer explain(t, a, &log)
	for _, name := range []string{"kept", "changed", "gone"} {
		awaitPoints(t, &got, 2, "wsprobe.connection_success", name)
	}
	if rows := rowsOf(t, a); !slices.Equal(rows, []string{"kept", "changed", "gone"}) {
		t.Errorf("rows %q", rows)
	}
	if err := a.Apply(then.Probes); err != nil {
		t.Fatal(err)
	}
	lines := strings.Count(log.String(), "probe=gone")
	if rows := rowsOf(t, a); !slices.Equal(rows, []string{"new", "changed", "kept"}) {
		t.Errorf("rows %q", rows)
	}
	before := len(got.Where(receiver.Of("wsprobe.connection_success", "kept")))
	awaitPoints(t, &got, 2, "wsprobe.connection_success", "new")
	awaitPoints(t, &got, before+3, "wsprobe.connection_success", "kept")
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := strings.Count(log.String(), "probe=gone"); n != lines {
		t.Errorf("%d lines about a probe that is gone", n-lines)
	}
	checkKept(t, got.Where(func(p receiver.Point) bool { return p.Attributes["wsprobe.name"] == "kept" }))
	checkGone(t, got.Where(func(p receiver.Point) bool { return p.Attributes["wsprobe.name"] == "gone" }))
}

// checkKept wants sums that go on, and count each run once.
func checkKept(t *testing.T, points []receiver.Point) {
	t.Helper()
	total := 0.0
	starts, runs := make(map[time.Time]bool), make(map[time.Time]bool)
	for _, p := range points {
		switch p.Metric {
		case "wsprobe.runs":
			starts[p.Start], total = true, max(total, p.Value)
		case "wsprobe.success":
			runs[p.Start] = true
		}
	}
	if len(starts) != 1 || int(total) != len(runs) {
		t.Errorf("sums of %d starts; they count %v of %d runs", len(starts), total, len(runs))
	}
}

// seriesOf is the series of a point.
func seriesOf(p receiver.Point) string {
	attributes, _ := json.Marshal(p.Attributes)
	return p.Metric + string(attributes)
}

// checkGone wants every series to end, and nothing after it.
func checkGone(t *testing.T, points []receiver.Point) {
	t.Helper()
	last := make(map[string]receiver.Point)
	for _, p := range points {
		if before, there := last[seriesOf(p)]; there && before.NoValue {
			t.Errorf("%s has a point after its end", seriesOf(p))
		}
		last[seriesOf(p)] = p
	}
	for series, p := range last {
		if !p.NoValue {
			t.Errorf("%s does not end", series)
		}
	}
	if len(last) < 5 {
		t.Errorf("%d series", len(last))
	}
}

// rowsOf returns the names of the probes that the API shows.
func rowsOf(t *testing.T, a *Agent) []string {
	t.Helper()
	resp, err := http.Get("http://" + a.ListenAddress() + "/api/v1/probes")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	var answer struct{ Probes []struct{ Name string } }
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range answer.Probes {
		names = append(names, p.Name)
	}
	return names
}

// TestApplyIsAllOrNothing: one probe that cannot be made, and everything stays as it was.
func TestApplyIsAllOrNothing(t *testing.T) {
	cfg := loadFile(t, "agent: {listen: \"\"}\nprobes: [{name: a, url: \"ws://127.0.0.1:1/\"}]", nil)
	a, err := New(cfg, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	next := loadFile(t, "probes: [{name: b, url: \"ws://127.0.0.1:1/\"}, {name: c, url: \"ws://127.0.0.1:1/\"}]", nil).Probes
	next[1].Spec.URL = "http://127.0.0.1/?token=hunter2"
	if err := a.Apply(next); err == nil || !strings.Contains(err.Error(), `probe "c": `) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
	next[1] = next[0]
	if err := a.Apply(next); err == nil || !strings.Contains(err.Error(), `probe "b": the name is taken`) {
		t.Errorf("got %v", err)
	}
	if jobs := a.scheduler.Jobs; len(jobs) != 1 || jobs[0].Name != "a" {
		t.Errorf("jobs %v", jobs)
	}
}

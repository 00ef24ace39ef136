package telemetry

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// TestEverySignalWaitsInTheSpool has two agents, one after the other. The first has no receiver, and nothing of it is
// lost.
func TestEverySignalWaitsInTheSpool(t *testing.T) {
	overBoth(t, func(t *testing.T, b *backend) {
		dir := t.TempDir()
		records, spans := keepRecords(b), keepSpans(b)
		o := Options{SpoolDir: dir, Logs: true, Traces: true}
		first := exportTo(t, b, o)
		s := first.probe(chat())
		for i := range 3 {
			s.Record(in(first.Trace(), refused(midnight.Add(time.Duration(i)*time.Minute))), unjudged)
		}
		first.end(t)
		for _, folder := range []string{"", "logs", "traces"} {
			if len(batchFiles(t, filepath.Join(dir, folder))) == 0 {
				t.Errorf("nothing waits in the folder %q", folder)
			}
		}
		b.start(t)
		second := exportTo(t, b, o)
		b.await(t, "the runs", runsArrived(3))
		records.await(t, 4) // one of them says that the probe fails
		spans.await(t, 9)
		second.end(t)
		b.stop()
		if len(records.All()) != 4 || len(spans.All()) != 9 || len(of(b.points, metrics.ConnectionSuccess)) != 3 {
			t.Errorf("%d records, %d spans, %d runs arrived", len(records.All()), len(spans.All()), len(of(b.points, metrics.ConnectionSuccess)))
		}
		for _, folder := range []string{"", "logs", "traces"} {
			if left := batchFiles(t, filepath.Join(dir, folder)); len(left) > 0 {
				t.Errorf("left %v", left)
			}
		}
	})
}

// TestSpoolOfBefore has batches that wsprobe wrote before logs and traces had folders. Another test cannot make such
// files any more, so they are kept as they were.
func TestSpoolOfBefore(t *testing.T) {
	const kept = "testdata/spool"
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(kept)); err != nil {
			t.Fatal(err)
		}
		tp := &tape{}
		r := taped(t, Options{SpoolDir: dir, Logs: true, Traces: true}, tp)
		r.until(time.Second) // in the bubble it is 2000: the age of the files is 0
		requests := tp.points(t)
		if len(requests) != 2 || len(requests[0]) != 40 || len(requests[1]) != 42 {
			t.Errorf("%d requests", len(requests))
		}
		for _, p := range slices.Concat(requests...) {
			if p.Resource["service.instance.id"] != "golden" {
				t.Fatalf("a point of %v", p.Resource)
			}
		}
		if n := len(of(slices.Concat(requests...), metrics.ConnectionSuccess)); n != 2 {
			t.Errorf("%d runs arrived, want 2", n)
		}
		r.stop(t)
		for _, p := range batchFiles(t, dir) {
			if filepath.Base(p) == "1795849859059852303-000001-6735bf72.40.batch" {
				t.Errorf("left %s", p)
			}
		}
	})
}

// TestMetricsKeepHalf holds how the bound of bytes is divided.
func TestMetricsKeepHalf(t *testing.T) {
	for name, c := range map[string]struct {
		options       Options
		metrics, rest int64
	}{
		"metrics alone": {Options{}, 1000, 0},
		"and logs":      {Options{Logs: true}, 750, 250},
		"and traces":    {Options{Traces: true}, 750, 250},
		"all":           {Options{Logs: true, Traces: true}, 500, 500},
	} {
		rest := int64(0)
		if c.options.Logs {
			rest += c.options.share(otlp.Logs, 1000)
		}
		if c.options.Traces {
			rest += c.options.share(otlp.Traces, 1000)
		}
		if got := c.options.share(otlp.Metrics, 1000); got != c.metrics || rest != c.rest {
			t.Errorf("%s: %d for metrics, %d for the rest", name, got, rest)
		}
	}
}

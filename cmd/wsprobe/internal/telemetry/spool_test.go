package telemetry

import (
	"path/filepath"
	"testing"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// batchFiles returns the names of the batches in a directory.
func batchFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.batch"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestSpoolIsForEveryProtocol has two agents, one after the other, that speak different protocols. What the first one
// left keeps its resource.
func TestSpoolIsForEveryProtocol(t *testing.T) {
	for name, thenHTTP := range map[string]bool{"grpc, then http": true, "http, then grpc": false} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			away := newBackend(t)
			away.http = !thenHTTP
			log := newLogbook()
			first := exportTo(t, away, Options{SpoolDir: dir, Logger: log.logger(), Attributes: map[string]string{"service.instance.id": "first"}})
			record(first.probe(chat()), 10)
			log.await(t, "export deferred")
			first.end(t)
			if len(batchFiles(t, dir)) == 0 {
				t.Fatal("nothing is on disk")
			}

			b := newBackend(t)
			b.http = thenHTTP
			b.start(t)
			second := exportTo(t, b, Options{SpoolDir: dir, Attributes: map[string]string{"service.instance.id": "second"}})
			b.await(t, "the runs of the first", runsArrived(10))
			second.end(t)
			b.stop()
			checkRuns(t, b.points, "chat", 10)
			for _, p := range of(b.points, metrics.ConnectionSuccess) {
				if p.Resource["service.instance.id"] != "first" {
					t.Fatalf("a run of the first came from %v", p.Resource)
				}
			}
			if files := batchFiles(t, dir); len(files) != 0 {
				t.Errorf("left %v", files)
			}
		})
	}
}

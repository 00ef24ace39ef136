package e2e

import (
	"bufio"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// pipedCollector is a Collector with the default limits that passes each request on to a ledger. A file would be too
// large: it writes to a pipe, so the ledger holds it up rather than lose a request.
const pipedCollector = `
receivers:
  otlp: {protocols: {grpc: {endpoint: %q}}}
exporters:
  file: {path: %q, format: proto, flush_interval: 100ms}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [file]}
`

// piped is such a Collector and the ledger behind it.
type piped struct {
	*ledger
	endpoint string
	process  *lab.Process
	pipe     *os.File
	read     sync.WaitGroup
}

func startPiped(t *testing.T, y *ledger) *piped {
	t.Helper()
	path, addr := filepath.Join(t.TempDir(), "pipe"), lab.FreeAddr(t)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(path, os.O_RDWR, 0) // to read and write, because it waits for no writer then
	if err != nil {
		t.Fatal(err)
	}
	p := &piped{ledger: y, endpoint: "http://" + addr, pipe: pipe}
	p.read.Go(func() { p.follow(t) })
	t.Cleanup(func() {
		pipe.Close()
		p.read.Wait()
	})
	p.process = lab.Start(t, built(t, collectorBinary), "--config", fileWith(t, "collector.yaml", pipedCollector, addr, path))
	listening(t, p.process, addr)
	return p
}

// follow reads requests with their lengths until one is empty, or the pipe is closed.
func (p *piped) follow(t *testing.T) {
	in := bufio.NewReaderSize(p.pipe, 1<<20)
	for {
		var size uint32
		if binary.Read(in, binary.BigEndian, &size) != nil || size == 0 {
			return
		}
		message := make([]byte, size)
		if _, err := io.ReadFull(in, message); err != nil {
			return
		}
		metrics, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(message)
		if err != nil {
			t.Errorf("the Collector's pipe: %v", err)
			return
		}
		p.add(metrics, len(message))
	}
}

// stop ends the Collector, and returns when the ledger has everything of it.
func (p *piped) stop(t *testing.T) {
	t.Helper()
	p.process.Stop(t, lab.StopLimit)
	if _, err := p.pipe.Write(make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	p.read.Wait()
}

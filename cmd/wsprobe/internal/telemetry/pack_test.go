package telemetry

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/spool"
)

// FuzzUnpack: whatever stands in a packed batch, unpacking it takes little memory.
func FuzzUnpack(f *testing.F) {
	good, err := compress([]byte("content"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add([]byte{})
	f.Add([]byte("no gzip"))
	f.Fuzz(func(t *testing.T, packed []byte) {
		if raw, err := unpack(packed); err == nil && len(raw) > maxUnpacked {
			t.Errorf("%d bytes became %d", len(packed), len(raw))
		}
	})
}

// TestBombIsNotUnpacked puts a gigabyte of zeros into the spool, in a file that is right otherwise.
func TestBombIsNotUnpacked(t *testing.T) {
	dir := &spool.Dir{Path: t.TempDir(), Patience: patience}
	if err := dir.Open(); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Put(time.Now(), 7, bomb(t)); err != nil {
		t.Fatal(err)
	}
	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
	b := newBackend(t).start(t)
	log := newLogbook()
	before := heapAllocated()
	e := exportTo(t, b, Options{SpoolDir: dir.Path, Logger: log.logger()})
	b.await(t, "the account of the damage", func(points []receiver.Point) bool {
		return total(points, idAgentDropped, map[string]any{"wsprobe.drop.cause": "damaged"}) == 7
	})
	if used := heapAllocated() - before; used > 256<<20 {
		t.Errorf("%d MiB were allocated", used>>20)
	}
	e.end(t)
	b.stop()
	if !strings.Contains(log.String(), "it has more than") || len(batchFiles(t, dir.Path)) != 0 {
		t.Errorf("left %v, logged:\n%s", batchFiles(t, dir.Path), log)
	}
}

// bomb is a gigabyte of zeros, compressed: a gzip file may consist of several (RFC 1952 2.2).
func bomb(t *testing.T) []byte {
	t.Helper()
	packed, err := compress(make([]byte, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Repeat(packed, 1<<10)
}

// heapAllocated is how much was ever allocated, in bytes.
func heapAllocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

package outbox

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/logtest"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/spool"
)

// FuzzUnpack: whatever stands in a packed batch, unpacking it takes little memory.
func FuzzUnpack(f *testing.F) {
	good, err := Pack([]byte("content"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add([]byte{})
	f.Add([]byte("no gzip"))
	f.Fuzz(func(t *testing.T, packed []byte) {
		if request, err := unpack(packed); err == nil && len(request) > maxRequest {
			t.Errorf("%d bytes became %d", len(packed), len(request))
		}
	})
}

// TestBombIsNotUnpacked puts a gigabyte of zeros into the spool, in a file that is right otherwise.
func TestBombIsNotUnpacked(t *testing.T) {
	dir := &spool.Dir{Path: t.TempDir(), Patience: time.Minute}
	if err := dir.Open(); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Put(time.Now(), 7, bomb(t)); err != nil {
		t.Fatal(err)
	}
	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		log := new(logtest.Log)
		before := heapAllocated()
		r := start(t, time.Hour, Options{Dir: dir.Path, Log: logger(log)}, new(stub))
		r.until(time.Second)
		if used := heapAllocated() - before; used > 256<<20 {
			t.Errorf("%d MiB were allocated", used>>20)
		}
		r.stop(t)
		if lost := r.counts.dropped[DropDamaged]; lost != 7 {
			t.Errorf("%d items were counted as damaged, want 7", lost)
		}
		if !strings.Contains(log.String(), "it has more than") || len(batchFiles(t, dir.Path)) != 0 {
			t.Errorf("left %v, logged:\n%s", batchFiles(t, dir.Path), log)
		}
	})
}

// bomb is a gigabyte of zeros, compressed: a gzip file may consist of several (RFC 1952 2.2).
func bomb(t *testing.T) []byte {
	t.Helper()
	packed, err := Pack(make([]byte, 1<<20))
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

package outbox

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/logtest"
)

// slowLog keeps whoever writes to it for some time.
type slowLog struct {
	*logtest.Log
	takes time.Duration
}

func (l slowLog) Write(line []byte) (int, error) {
	time.Sleep(l.takes)
	return l.Log.Write(line)
}

// TestBatchesThatAreFoundLate has a search for batches that takes 5 s, because it has something to tell. The start does
// not wait for it, and what it finds is delivered once it is over.
func TestBatchesThatAreFoundLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := start(t, 10*time.Second, Options{Dir: dir}, &stub{answer: away(time.Hour)})
		r.record()
		r.until(10 * time.Second)
		r.stop(t)
		if err := os.WriteFile(filepath.Join(dir, "note"), nil, 0o600); err != nil {
			t.Fatal(err)
		}

		began, s := time.Now(), new(stub)
		log := slog.New(slog.NewTextHandler(slowLog{new(logtest.Log), 5 * time.Second}, nil))
		r = start(t, 2*time.Second, Options{Dir: dir, Log: log}, s)
		r.count = 1
		r.record() // which is newer, so it waits
		if took := r.began.Sub(began); took != 500*time.Millisecond {
			t.Errorf("the start took %v, want %v", took, 500*time.Millisecond)
		}
		r.until(4 * time.Second)
		if got := s.delivered(); got != nil || !r.queue.disk.Dir.Scanning() {
			t.Errorf("delivered %v before the search was over", got)
		}
		r.until(5*time.Second + 2*searchPause)
		if got := s.delivered(); !slices.Equal(got, []byte{1, 2}) {
			t.Errorf("delivered %v after the search", got)
		}
		r.stop(t)
		if len(batchFiles(t, dir)) != 0 {
			t.Errorf("left %v", batchFiles(t, dir))
		}
	})
}

// TestUnrecognizedFilesAreToldInALineOfEachKind has many damaged files and many foreign ones, with names that would
// forge lines.
func TestUnrecognizedFilesAreToldInALineOfEachKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, book := t.TempDir(), new(logtest.Log)
		for i := range 50 {
			for _, name := range []string{"%02d\nlevel=ERROR\x1b.batch", "%02d\u202e.txt"} {
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf(name, i)), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		r := start(t, 10*time.Second, Options{Dir: dir, Log: logger(book)}, new(stub))
		r.until(time.Second)
		if r.counts.unrecognized != 100 || r.counts.dropped[DropDamaged] != 50 {
			t.Errorf("%d files and %d points were counted", r.counts.unrecognized, r.counts.dropped[DropDamaged])
		}
		lines := strings.Split(strings.TrimSpace(book.String()), "\n")
		if len(lines) != 3 || !strings.Contains(lines[0], "no batches\" files=50") || !strings.Contains(lines[1], "left alone\" files=50") ||
			!strings.Contains(lines[2], "data points dropped: damaged\" points=50") || !strings.Contains(lines[0], "02\\") || strings.Contains(lines[0], "03\\") {
			t.Errorf("logged:\n%s", book)
		}
		if strings.ContainsAny(book.String(), "\x1b\u202e") {
			t.Errorf("logged raw: %q", book)
		}
		r.stop(t)
	})
}

package agent

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/scheduler"
)

// TestSkipsAreTold: of each cause one line at once, then one a minute with the number of all others, and none is lost.
// A skip after a quiet minute is told at once.
func TestSkipsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		skips := newSkipLog(slog.New(slog.NewTextHandler(&log, nil)))
		told := func(want ...string) {
			t.Helper()
			synctest.Wait()
			skips.mu.Lock() // under which all is told
			lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
			log.Reset()
			skips.mu.Unlock()
			if len(want) == 0 {
				want = []string{""}
			}
			if len(lines) != len(want) {
				t.Fatalf("told\n%s\nwant %d lines", strings.Join(lines, "\n"), len(want))
			}
			for i, line := range lines {
				if !strings.Contains(line, want[i]) {
					t.Errorf("told %s, want %s", line, want[i])
				}
			}
		}
		warns := func(cause scheduler.Skip, probes, runs int, last string) string {
			return fmt.Sprintf("level=WARN msg=\"runs skipped\" cause=%s probes=%d runs=%d last=%s hint=%q", cause, probes, runs, last, status.SkipHint(cause))
		}
		skips.skipped("chat", scheduler.SkipOverlap, 1)
		told(warns(scheduler.SkipOverlap, 1, 1, "chat"))
		skips.skipped("market", scheduler.SkipMissed, 7)
		told(warns(scheduler.SkipMissed, 1, 7, "market"))
		for range 3 {
			skips.skipped("chat", scheduler.SkipOverlap, 1)
			skips.skipped("orders", scheduler.SkipOverlap, 1)
		}
		told()
		time.Sleep(skipPause)
		told(warns(scheduler.SkipOverlap, 2, 6, "orders"))
		skips.skipped("market", scheduler.SkipMissed, 1)
		told(warns(scheduler.SkipMissed, 1, 1, "market"))
		skips.skipped("chat", scheduler.SkipOverlap, 1)
		told()
		time.Sleep(skipPause)
		told(warns(scheduler.SkipOverlap, 1, 1, "chat"))
		time.Sleep(skipPause)
		skips.skipped("chat", scheduler.SkipOverlap, 1)
		told(warns(scheduler.SkipOverlap, 1, 1, "chat"))
		skips.skipped("prices", scheduler.SkipOverlap, 1)
		skips.stop()
		told(warns(scheduler.SkipOverlap, 1, 1, "prices"))
		time.Sleep(time.Hour)
		told()
	})
}

// TestSkipHints: each cause has an advice.
func TestSkipHints(t *testing.T) {
	for _, cause := range scheduler.Skips() {
		if status.SkipHint(cause) == "" {
			t.Errorf("%s has no hint", cause)
		}
	}
}

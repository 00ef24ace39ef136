package agent

import (
	"log/slog"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/scheduler"
)

// skipPause is how long the log is silent about a cause of skipped runs after a line: a cause mostly concerns hundreds
// of probes at once.
const skipPause = time.Minute

// skipLog warns of runs that did not take place: at once of the first one by each cause, then in one line a minute that
// counts all others.
type skipLog struct {
	log  *slog.Logger
	mu   sync.Mutex
	sums map[scheduler.Skip]*skipSum
}

// skipSum is what the log has not told of a cause yet.
type skipSum struct {
	runs   int
	probes map[string]struct{}
	last   string      // probe
	pause  *time.Timer // until it ends, nothing is told; nil for none
}

func newSkipLog(log *slog.Logger) *skipLog {
	return &skipLog{log: log, sums: make(map[scheduler.Skip]*skipSum)}
}

// skipped notes runs of a probe that did not take place.
func (s *skipLog) skipped(name string, cause scheduler.Skip, runs int) {
	s.log.Debug("run skipped", "probe", name, "cause", string(cause), "runs", runs)
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := s.sums[cause]
	if sum == nil {
		sum = &skipSum{probes: make(map[string]struct{})}
		s.sums[cause] = sum
	}
	sum.runs, sum.last = sum.runs+runs, name
	sum.probes[name] = struct{}{}
	if sum.pause == nil {
		s.tell(cause, sum)
		sum.pause = time.AfterFunc(skipPause, func() { s.resume(cause, sum) })
	}
}

// resume tells of what was skipped during a pause, and begins the next one. After a pause without a skip, the next skip
// is told at once.
func (s *skipLog) resume(cause scheduler.Skip, sum *skipSum) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sum.runs == 0 || sum.pause == nil {
		sum.pause = nil
		return
	}
	s.tell(cause, sum)
	sum.pause.Reset(skipPause)
}

// stop tells what is left to tell. Nothing is skipped any more.
func (s *skipLog) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, cause := range scheduler.Skips() {
		sum := s.sums[cause]
		if sum == nil {
			continue
		}
		if sum.pause != nil {
			sum.pause.Stop()
			sum.pause = nil
		}
		if sum.runs > 0 {
			s.tell(cause, sum)
		}
	}
}

// tell writes the line, and begins to count anew.
func (s *skipLog) tell(cause scheduler.Skip, sum *skipSum) {
	s.log.Warn("runs skipped", "cause", string(cause), "probes", len(sum.probes), "runs", sum.runs, "last", sum.last,
		"hint", status.SkipHint(cause))
	sum.runs = 0
	clear(sum.probes)
}

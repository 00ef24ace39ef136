package main

import (
	"log/slog"
	"time"

	"github.com/wsprobe/wsprobe/scheduler"
)

// starving is after how many skipped runs in a row a person should know, and starvingPause how long it is silent about
// other probes then: what keeps one from its runs mostly keeps hundreds.
const (
	starving      = 3
	starvingPause = time.Minute
)

// skipLog logs runs that did not take place, loudly when probes do not come to run at all. It is for one goroutine, as
// the scheduler's observer is.
type skipLog struct {
	log    *slog.Logger
	probes int       // that starve and have not been told
	quiet  time.Time // until then
}

func (s *skipLog) skipped(name string, cause scheduler.Skip, inARow int64) {
	if cause != scheduler.SkipMaxConcurrent || inARow != starving {
		s.log.Debug("run skipped", "probe", name, "cause", string(cause), "skipped", inARow)
		return
	}
	s.probes++
	if now := time.Now(); now.After(s.quiet) {
		s.log.Warn("probes do not come to run: raise agent.max_concurrent, or look for what keeps the places",
			"probes", s.probes, "last", name, "skipped", inARow)
		s.probes, s.quiet = 0, now.Add(starvingPause)
	}
}

package main

import (
	"log/slog"

	"github.com/wsprobe/wsprobe/scheduler"
)

// starving is after how many skipped runs in a row a person should know.
const starving = 3

// tellSkip logs a run that did not take place, loudly when a probe does not come to run at all.
func tellSkip(log *slog.Logger, name string, cause scheduler.Skip, inARow int64) {
	if cause == scheduler.SkipMaxConcurrent && inARow == starving {
		log.Warn("probe does not come to run: raise agent.max_concurrent, or look for what keeps the places",
			"probe", name, "skipped", inARow)
		return
	}
	log.Debug("run skipped", "probe", name, "cause", string(cause), "skipped", inARow)
}

package main

import (
	"log/slog"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
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

// failureFacts are what is known of a failed run, as attributes of a log record.
func failureFacts(p config.Probe, r probe.Result) []any {
	facts := []any{"probe", p.Name, "reason", r.Reason.String(), "error_type", string(r.ErrorType), "detail", r.Detail}
	if r.CloseCode != 0 {
		facts = append(facts, "close_code", r.CloseCode)
	}
	if r.Overloaded() {
		facts = append(facts, "local_overload", true)
	}
	if r.CloseByProbe {
		facts = append(facts, "close_sent_by", "probe")
	}
	if r.HTTPStatus != 0 {
		facts = append(facts, "http_status", r.HTTPStatus)
	}
	return facts
}

// newsOf returns a sink for one probe that logs what is new: a failure that was not there before, another
// reason, a recovery. A probe that has failed for a day is one line, not one for each run.
func newsOf(log *slog.Logger) sink {
	var last reasons.Code
	var lastType reasons.ErrorType
	return func(p config.Probe, r probe.Result) {
		changed := r.Reason != last || r.ErrorType != lastType
		recovered := r.Reason == reasons.OK && changed
		last, lastType = r.Reason, r.ErrorType
		switch {
		case recovered:
			log.Info("probe recovered", "probe", p.Name)
		case changed:
			log.Warn("probe fails", failureFacts(p, r)...)
		default:
			log.Debug("probe ran", "probe", p.Name, "reason", r.Reason.String(), "error_type", string(r.ErrorType))
		}
	}
}

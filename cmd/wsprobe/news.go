package main

import (
	"log/slog"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

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
			log.Warn("probe fails", "probe", p.Name, "reason", r.Reason.String(), "error_type", string(r.ErrorType),
				"detail", r.Detail, "close_code", r.CloseCode, "http_status", r.HTTPStatus)
		default:
			log.Debug("probe ran", "probe", p.Name, "reason", r.Reason.String(), "error_type", string(r.ErrorType))
		}
	}
}

package metrics_test

import (
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestLastIsWhole: the last run has every number of the run, whatever that was like.
func TestLastIsWhole(t *testing.T) {
	for _, reason := range append(reasons.Codes(), reasons.OK) {
		for i, change := range []func(r *probe.Result){
			func(*probe.Result) {},
			func(r *probe.Result) { *r = probe.Result{Started: noon, Ended: noon} },
			func(r *probe.Result) { r.Started = noon.Add(-100 * 365 * 24 * time.Hour).Add(7) },
			func(r *probe.Result) { r.Ended = r.Started.Add(-time.Second) },
			func(r *probe.Result) { r.Handshake, r.RoundTrip = probe.MaxTimeout, 1 },
			func(r *probe.Result) { r.CertificateExpiry = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) },
			func(r *probe.Result) { r.CertificateExpiry = r.Ended.Add(-time.Hour) },
			func(r *probe.Result) {
				for phase := range r.Phases[1:] {
					r.Phases[phase] = probe.Span{Start: time.Duration(phase), End: probe.MaxTimeout, State: probe.SpanState(phase%2 + 1)}
				}
			},
		} {
			for _, status := range []health.Status{health.Unknown, health.Healthy, health.NoData} {
				series, r := metrics.NewSeries(chat(), metrics.Keep{Last: true}), good()
				r.Reason = reason
				change(r)
				run := series.Record(r, status)
				run.Started, run.Ended = run.Started.UTC(), run.Ended.UTC()
				if last, there := series.Last(); !there || last != run {
					t.Errorf("%v, change %d: %+v, want %+v", reason, i, last, run)
				}
			}
		}
	}
}

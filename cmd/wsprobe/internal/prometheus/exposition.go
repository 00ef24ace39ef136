package prometheus

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/common/expfmt"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// answer is what a run came to.
type answer struct {
	asked    *asked
	location string
	result   probe.Result
	watch    *probe.Watch
	took     time.Duration
}

// write answers with the metrics, in the format that the client prefers, or with a page for people.
func (a *answer) write(to *Answers, w http.ResponseWriter, r *http.Request) {
	if !a.asked.debug {
		open := to.Open(w, r)
		a.encode(open.Encoder)
		_ = open.Close() // the client has gone
		return
	}
	var text bytes.Buffer
	encoder := NewEncoder(&text, expfmt.FmtText)
	a.encode(encoder)
	_ = encoder.Close() // a buffer takes everything
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprint(w, a.page(text.String())) // the client has gone
}

// written is a family with its points.
type written struct {
	Family
	points []labeled
}

// labeled is a value with its labels.
type labeled struct {
	value      float64
	attributes []metrics.Attribute
}

// encode writes the metrics of the run, sorted by name.
func (a *answer) encode(to *Encoder) {
	var all []written
	for _, m := range table {
		family := written{Family: Family{Name: m.Name, Help: m.Help + ".", Type: Gauge}}
		for _, p := range m.points(a) {
			one := labeled{value: p.value}
			for i, name := range m.Labels {
				one.attributes = append(one.attributes, metrics.Text(name, p.labels[i]))
			}
			family.points = append(family.points, one)
		}
		all = append(all, family)
	}
	all = append(all, a.own()...)
	slices.SortFunc(all, func(x, y written) int { return cmp.Compare(x.Name, y.Name) })
	for _, family := range all {
		to.Begin(family.Family)
		for _, p := range family.points {
			to.Labels.Set(p.attributes)
			to.Number(p.value, nil)
		}
	}
}

// own are wsprobe's own metrics, by the names and with the labels that /metrics has.
func (a *answer) own() []written {
	id, sets := a.asked.Identity, &metrics.Sets{Label: Label}
	if a.location != "" {
		sets.Common = []metrics.Attribute{metrics.Text("wsprobe.location", a.location)}
	}
	var status health.Status
	if a.asked.Rules.Given() {
		status = a.asked.Rules.Judge(id.Target().Interpretation.Value(a.result))
	}
	rows := metrics.Table()
	all := make([]written, len(rows))
	for m := range rows {
		all[m].Family = FamilyOf(&rows[m])
	}
	run := metrics.NewSeries(id, metrics.Keep{}).Record(&a.result, status)
	run.Points(sets, id, run.Ended, func(m metrics.ID, p metrics.Point) {
		all[m].points = append(all[m].points, labeled{p.Value.Float(), p.Attributes.Attributes})
	})
	if a.result.Reason != reasons.OK {
		failure := metrics.Variant{Reason: a.result.Reason.String(), ErrorType: string(a.result.ErrorType)}
		all = append(all, written{Family{FailureInfo, "1, with the reason of a run that failed and what broke.", Gauge},
			[]labeled{{1, sets.Of(id, failure).Attributes}}})
	}
	return all
}

// FailureInfo is the metric that says why a run failed, which has no place in /metrics: it is of one run.
const FailureInfo = "wsprobe_failure_info"

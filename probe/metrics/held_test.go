package metrics_test

import (
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
)

// TestLostAndLate: a number below the first one of its connection is in disorder, but was never counted as lost, so that
// lost less late is what never came.
func TestLostAndLate(t *testing.T) {
	series := metrics.NewSeries(chat(), metrics.Keep{})
	for _, m := range []session.Message{{Lost: 3}, {Disordered: true, Late: true}, {Disordered: true}} {
		m.Wanted = true
		series.Note(&session.Event{Kind: session.Received, Message: m}, false)
	}
	got := map[metrics.ID]float64{}
	series.Totals().Points(&metrics.Sets{}, chat(), time.Time{}, time.Time{}, func(id metrics.ID, p metrics.Point) { got[id] = p.Value.Float() })
	for id, want := range map[metrics.ID]float64{metrics.SessionMessageLost: 3, metrics.SessionMessageLate: 1, metrics.SessionMessageDisordered: 2} {
		if got[id] != want {
			t.Errorf("%s: %v, want %v", metrics.Table()[id].Name, got[id], want)
		}
	}
}

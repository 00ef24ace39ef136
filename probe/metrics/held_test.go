package metrics_test

import (
	"maps"
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

// TestEnds: the ends of sessions are counted by their ways, in every form of histograms alike, because back ends do not
// agree on how to ask for the count of a histogram.
func TestEnds(t *testing.T) {
	for _, forms := range []metrics.Forms{{}, {Exponential: true, MaxScale: metrics.MaxScale}, {Exponential: true, Explicit: true}} {
		series := metrics.NewSeries(chat(), metrics.Keep{Forms: forms})
		for _, end := range []session.End{{Cause: session.ByFIN, Code: 1006}, {Cause: session.ByClose, Code: 1001}, {Cause: session.ByFIN, Code: 1006}} {
			end.Lifetime = time.Minute
			series.Note(&session.Event{Kind: session.Ended, End: &end}, false)
		}
		ends, lifetimes := map[string]float64{}, map[string]float64{}
		series.Totals().Points(&metrics.Sets{}, chat(), time.Time{}, time.Time{}, func(id metrics.ID, p metrics.Point) {
			cause, _ := p.Attributes.Value(metrics.KeySessionEnd)
			code, _ := p.Attributes.Value(metrics.KeyCloseCode)
			way := cause.String() + " " + code.String()
			switch id {
			case metrics.SessionEnds:
				ends[way] = p.Value.Float()
			case metrics.SessionDuration:
				lifetimes[way] = float64(p.Distribution.Count)
			}
		})
		want := map[string]float64{"fin 1006": 2, "close 1001": 1}
		if !maps.Equal(ends, want) || !maps.Equal(lifetimes, want) {
			t.Errorf("%+v: %v ends, %v lifetimes, want %v", forms, ends, lifetimes, want)
		}
	}
}

package prometheus

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// samples calls f with every stored sample of a metric; staleness markers are none.
func (b *backend) samples(t *testing.T, metric string, f func(series labels.Labels, at time.Time, v float64)) {
	t.Helper()
	b.each(t, metric, func(series labels.Labels, _ chunkenc.ValueType, it chunkenc.Iterator) {
		if at, v := it.At(); !value.IsStaleNaN(v) {
			f(series, time.UnixMilli(at), v)
		}
	})
}

// histograms returns the newest count of observations of each series of native histograms, by the labels.
func (b *backend) histograms(t *testing.T, metric string) map[string]float64 {
	t.Helper()
	counts := map[string]float64{}
	b.each(t, metric, func(series labels.Labels, kind chunkenc.ValueType, it chunkenc.Iterator) {
		if kind != chunkenc.ValHistogram && kind != chunkenc.ValFloatHistogram {
			t.Fatalf("%v: a sample is no native histogram", series)
		}
		if _, h := it.AtFloatHistogram(nil); !value.IsStaleNaN(h.Sum) {
			counts[series.String()] = h.Count
		}
	})
	return counts
}

// each calls f at every stored sample of a metric.
func (b *backend) each(t *testing.T, metric string, f func(labels.Labels, chunkenc.ValueType, chunkenc.Iterator)) {
	t.Helper()
	querier, err := b.db.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	defer querier.Close()
	set := querier.Select(t.Context(), false, nil, labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, metric))
	for set.Next() {
		series := set.At()
		it := series.Iterator(nil)
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			f(series.Labels(), kind, it)
		}
		if err := it.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
}

// stored counts the samples of a metric by the name of the probe.
func (b *backend) stored(t *testing.T, metric string) map[string]int {
	t.Helper()
	counts := map[string]int{}
	b.samples(t, metric, func(series labels.Labels, _ time.Time, _ float64) { counts[series.Get("wsprobe_name")]++ })
	return counts
}

// query evaluates an expression now, as a dashboard or an alert does.
func (b *backend) query(t *testing.T, expr string) promql.Vector {
	t.Helper()
	query, err := b.engine.NewInstantQuery(t.Context(), b.db, nil, expr, time.Now())
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	defer query.Close()
	vector, err := query.Exec(t.Context()).Vector()
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	return append(promql.Vector(nil), vector...)
}

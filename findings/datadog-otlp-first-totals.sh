#!/usr/bin/env bash
# Datadog's mapping of OTLP metrics (module github.com/DataDog/datadog-agent/pkg/opentelemetry-mapping-go/otlp/metrics
# v0.85.2, part of the Agent and of the Collector's datadog exporter): a request brings several new series of a
# cumulative counter, all of which began after the exporter. The first value counts only for the series whose point
# stands first in the metric. The other series lose it, so the order of points within a request decides which counts
# arrive. A cumulative histogram always loses its first point. A user saw the counter before
# (DataDog/opentelemetry-mapping-go#277).
#
# Input: two requests a second apart. Each has a monotonic cumulative sum with points of series a, b and c, and a
# cumulative histogram with the same series. The totals are 5 in the first request and 7 in the second.
#
# Seen:
#   counter a: 7, b: 2, c: 2
#   histogram a: 2, b: 2, c: 2
#
# Needs Go and a module proxy. Exits with 1 when the behaviour is another one.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat >go.mod <<'EOF'
module finding

go 1.26.8

require (
	github.com/DataDog/datadog-agent/pkg/opentelemetry-mapping-go/otlp/attributes v0.85.2
	github.com/DataDog/datadog-agent/pkg/opentelemetry-mapping-go/otlp/metrics v0.85.2
	github.com/DataDog/datadog-agent/pkg/util/quantile v0.85.2
	go.opentelemetry.io/collector/component/componenttest v0.165.0
	go.opentelemetry.io/collector/pdata v1.71.0
)
EOF

cat >main.go <<'EOF'
package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/DataDog/datadog-agent/pkg/opentelemetry-mapping-go/otlp/attributes"
	"github.com/DataDog/datadog-agent/pkg/opentelemetry-mapping-go/otlp/metrics"
	"github.com/DataDog/datadog-agent/pkg/util/quantile"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// consumer adds up what the mapping counts, by metric and series.
type consumer map[string]float64

func (c consumer) ConsumeTimeSeries(_ context.Context, d *metrics.Dimensions, _ metrics.DataType, _ uint64, _ int64, v float64) {
	c[d.Name()+" "+strings.Join(d.Tags(), " ")] += v
}

func (c consumer) ConsumeSketch(_ context.Context, d *metrics.Dimensions, _ uint64, _ int64, s *quantile.Sketch) {
	c[d.Name()+" "+strings.Join(d.Tags(), " ")] += float64(s.Basic.Cnt)
}

func (c consumer) ConsumeExplicitBoundHistogram(context.Context, *metrics.Dimensions, pmetric.HistogramDataPointSlice) {
}

func (c consumer) ConsumeExponentialHistogram(context.Context, *metrics.Dimensions, pmetric.ExponentialHistogramDataPointSlice) {
}

// request has the total of each series of a counter and of a histogram.
func request(start, at time.Time, total int) pmetric.Metrics {
	m := pmetric.NewMetrics()
	all := m.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	counter, histogram := all.AppendEmpty(), all.AppendEmpty()
	counter.SetName("counter")
	sum := counter.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	histogram.SetName("histogram")
	h := histogram.SetEmptyHistogram()
	h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	for _, series := range []string{"a", "b", "c"} {
		n, d := sum.DataPoints().AppendEmpty(), h.DataPoints().AppendEmpty()
		n.Attributes().PutStr("series", series)
		n.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
		n.SetTimestamp(pcommon.NewTimestampFromTime(at))
		n.SetIntValue(int64(total))
		d.Attributes().PutStr("series", series)
		d.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
		d.SetTimestamp(pcommon.NewTimestampFromTime(at))
		d.SetCount(uint64(total))
		d.SetSum(float64(total))
		d.ExplicitBounds().FromRaw([]float64{10})
		d.BucketCounts().FromRaw([]uint64{uint64(total), 0})
	}
	return m
}

func main() {
	telemetry := componenttest.NewNopTelemetrySettings()
	translator := must(metrics.NewDefaultTranslator(telemetry, must(attributes.NewTranslator(telemetry))))
	got := consumer{}
	start := time.Now() // after that of the process, which the mapping compares it with
	for i, total := range []int{5, 7} {
		must(translator.MapMetrics(context.Background(), request(start, start.Add(time.Duration(i+1)*time.Second), total), got, nil))
	}
	for _, metric := range []string{"counter", "histogram"} {
		fmt.Printf("%s a: %v, b: %v, c: %v\n", metric, got[metric+" series:a"], got[metric+" series:b"], got[metric+" series:c"])
	}
}
EOF

go mod tidy >/dev/null 2>&1
got=$(go run .)
want='counter a: 7, b: 2, c: 2
histogram a: 2, b: 2, c: 2'
printf '%s\n' "$got"
[ "$got" = "$want" ]

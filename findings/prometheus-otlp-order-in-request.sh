#!/usr/bin/env bash
# Prometheus 3.16.0 (module v0.316.0), OTLP receiver, default storage: it answers 200 to a request, and drops most of
# its samples without a word in the answer, if the points of a series do not stand in the order of time. OTLP asks for
# no order. The first point of the request is stored. Of two points in one millisecond the first is stored, too, and
# the other dropped.
#
# Input: requests with one gauge. Three points of a series at 10, 20 and 30 s, in this order and in the reverse; two
# points that are 100 microseconds apart.
#
# Seen:
#   ascending: 200 ""; stored 1 2 3
#   descending: 200 ""; stored 3
#   within a millisecond: 200 ""; stored 1
#
# Needs Go and a module proxy; the build takes minutes. Exits with 1 when the behaviour is another one.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat >go.mod <<'EOF'
module finding

go 1.26.8

require (
	github.com/prometheus/prometheus v0.316.0
	go.opentelemetry.io/collector/pdata v1.69.0
)
EOF

cat >main.go <<'EOF'
package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// point is a value with its time after the beginning.
type point struct {
	value float64
	at    time.Duration
}

// request has one gauge with the points of one series.
func request(begin time.Time, points []point) []byte {
	m := pmetric.NewMetrics()
	gauge := m.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	gauge.SetName("g")
	series := gauge.SetEmptyGauge().DataPoints()
	for _, p := range points {
		one := series.AppendEmpty()
		one.SetTimestamp(pcommon.NewTimestampFromTime(begin.Add(p.at)))
		one.SetDoubleValue(p.value)
	}
	return must(pmetricotlp.NewExportRequestFromMetrics(m).MarshalProto())
}

// stored returns the values that are in the storage.
func stored(db *tsdb.DB) string {
	querier := must(db.Querier(math.MinInt64, math.MaxInt64))
	defer querier.Close()
	var values []string
	set := querier.Select(context.Background(), false, nil, labels.MustNewMatcher(labels.MatchEqual, "__name__", "g"))
	for set.Next() {
		for it := set.At().Iterator(nil); it.Next() != chunkenc.ValNone; {
			_, v := it.At()
			values = append(values, fmt.Sprint(v))
		}
	}
	return strings.Join(values, " ")
}

func send(points ...point) string {
	logger := slog.New(slog.DiscardHandler)
	cfg := must(config.Load("", logger))
	db := must(tsdb.Open(must(os.MkdirTemp(".", "data")), logger, nil, tsdb.DefaultOptions(), nil))
	defer db.Close()
	handler := remote.NewOTLPWriteHandler(logger, nil, db, func() config.Config { return *cfg },
		remote.OTLPOptions{LookbackDelta: 5 * time.Minute})
	body := request(time.Now().Add(-time.Minute).Truncate(time.Second), points)
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/x-protobuf")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return fmt.Sprintf("%d %q; stored %s", w.Code, w.Body.String(), stored(db))
}

func main() {
	fmt.Println("ascending:", send(point{1, 10 * time.Second}, point{2, 20 * time.Second}, point{3, 30 * time.Second}))
	fmt.Println("descending:", send(point{3, 30 * time.Second}, point{2, 20 * time.Second}, point{1, 10 * time.Second}))
	fmt.Println("within a millisecond:", send(point{1, 10 * time.Second}, point{2, 10*time.Second + 100*time.Microsecond}))
}
EOF

go mod tidy >/dev/null 2>&1
got=$(go run .)
want='ascending: 200 ""; stored 1 2 3
descending: 200 ""; stored 3
within a millisecond: 200 ""; stored 1'
printf '%s\n' "$got"
[ "$got" = "$want" ]

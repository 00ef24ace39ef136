#!/usr/bin/env bash
# Prometheus 3.16.0 (module v0.316.0), OTLP receiver, default storage: a request is refused whole, with status 400
# "out of order sample", although each of its samples is newer than the last one of its series. The receiver itself
# adds target_info at the earliest and the latest time of a request, so a request that begins before the end of the
# one before is out of order by target_info alone. A resource without further attributes has no target_info, and the
# same requests get 200.
#
# Input: two requests of one resource. The first has series a at 10 s and b at 20 s, the second a at 15 s and b at 25
# s.
#
# Seen:
#   with host.name: 200 400 out of order sample; stored a: 1, b: 1
#   without host.name: 200 200; stored a: 2, b: 2
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

// request has one gauge with a point of each series.
func request(hostName bool, a, b time.Time) []byte {
	m := pmetric.NewMetrics()
	resource := m.ResourceMetrics().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "finding")
	resource.Resource().Attributes().PutStr("service.instance.id", "1")
	if hostName {
		resource.Resource().Attributes().PutStr("host.name", "host")
	}
	gauge := resource.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	gauge.SetName("g")
	points := gauge.SetEmptyGauge().DataPoints()
	for series, at := range map[string]time.Time{"a": a, "b": b} {
		p := points.AppendEmpty()
		p.Attributes().PutStr("series", series)
		p.SetTimestamp(pcommon.NewTimestampFromTime(at))
		p.SetDoubleValue(1)
	}
	return must(pmetricotlp.NewExportRequestFromMetrics(m).MarshalProto())
}

// stored counts the samples of a series.
func stored(db *tsdb.DB, series string) (n int) {
	querier := must(db.Querier(math.MinInt64, math.MaxInt64))
	defer querier.Close()
	set := querier.Select(context.Background(), false, nil,
		labels.MustNewMatcher(labels.MatchEqual, "__name__", "g"), labels.MustNewMatcher(labels.MatchEqual, "series", series))
	for set.Next() {
		for it := set.At().Iterator(nil); it.Next() != chunkenc.ValNone; {
			n++
		}
	}
	return n
}

func send(hostName bool) string {
	logger := slog.New(slog.DiscardHandler)
	cfg := must(config.Load("", logger))
	dir := must(os.MkdirTemp(".", "data"))
	db := must(tsdb.Open(dir, logger, nil, tsdb.DefaultOptions(), nil))
	defer db.Close()
	handler := remote.NewOTLPWriteHandler(logger, nil, db, func() config.Config { return *cfg },
		remote.OTLPOptions{LookbackDelta: 5 * time.Minute})
	begin := time.Now().Add(-time.Minute)
	at := func(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }
	var answers []string
	for _, body := range [][]byte{request(hostName, at(10), at(20)), request(hostName, at(15), at(25))} {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/x-protobuf")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		first, _, _ := strings.Cut(w.Body.String(), "\n")
		answers = append(answers, strings.TrimSpace(fmt.Sprint(w.Code, " ", first)))
	}
	return fmt.Sprintf("%s; stored a: %d, b: %d", strings.Join(answers, " "), stored(db, "a"), stored(db, "b"))
}

func main() {
	fmt.Println("with host.name:", send(true))
	fmt.Println("without host.name:", send(false))
}
EOF

go mod tidy >/dev/null 2>&1
got=$(go run .)
want='with host.name: 200 400 out of order sample; stored a: 1, b: 1
without host.name: 200 200; stored a: 2, b: 2'
printf '%s\n' "$got"
[ "$got" = "$want" ]

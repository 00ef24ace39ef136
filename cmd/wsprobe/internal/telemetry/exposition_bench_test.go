package telemetry

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
)

// BenchmarkScrape asks about many probes. Memory is that of the process above its rest before the scrape.
func BenchmarkScrape(b *testing.B) {
	for _, many := range []int{10_000, 100_000} {
		telemetry, err := New(Options{Exposition: true, Location: "lab", Scraped: ScrapedNative})
		if err != nil {
			b.Fatal(err)
		}
		for i := range many {
			target := chat()
			target.Name = fmt.Sprint("probe ", i)
			series := telemetry.probe(target)
			for run := range 60 { // an hour of a usual endpoint: most latencies are alike, and a few are longer
				latency := time.Duration(20e6 * (1 + 0.2*math.Sin(float64(i+run)) + float64(run/59)))
				series.Record(good(midnight.Add(time.Duration(run)*time.Minute), latency), unjudged)
			}
		}
		for _, way := range []struct{ name, accept, encoding string }{
			{"text", "", ""}, {"gzip", "application/openmetrics-text; version=1.0.0", "gzip"},
			{"native", acceptProtobuf, ""}, {"native gzip", acceptProtobuf, "gzip"},
		} {
			b.Run(fmt.Sprint(many, "/", way.name), func(b *testing.B) {
				r := httptest.NewRequest("GET", "/metrics", nil)
				r.Header.Set("Accept", way.accept)
				r.Header.Set("Accept-Encoding", way.encoding)
				debug.FreeOSMemory()
				before := readUsage()
				w := &weighed{rest: before.memory}
				b.ReportAllocs()
				for b.Loop() {
					w.bytes = 0
					telemetry.MetricsHandler().ServeHTTP(w, r)
				}
				after := readUsage()
				b.ReportMetric(probe.Millis(after.user+after.system-before.user-before.system)/float64(b.N), "cpu-ms/op")
				b.ReportMetric(float64(w.bytes), "bytes")
				b.ReportMetric(float64(w.peak)/(1<<20), "MiB-above-rest")
			})
		}
		if err := telemetry.close(); err != nil {
			b.Fatal(err)
		}
	}
}

// weighed takes an answer, and looks at the memory of the process meanwhile.
type weighed struct {
	rest, peak    int64
	bytes, writes int
}

func (w *weighed) Header() http.Header { return make(http.Header) }
func (w *weighed) WriteHeader(int)     {}

func (w *weighed) Write(p []byte) (int, error) {
	if w.writes%64 == 0 {
		w.peak = max(w.peak, readUsage().memory-w.rest)
	}
	w.writes++
	w.bytes += len(p)
	return len(p), nil
}

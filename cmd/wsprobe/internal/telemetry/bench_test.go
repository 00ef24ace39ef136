package telemetry

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe"
)

// BenchmarkRecord is what a run costs its probe: nothing may be allocated.
func BenchmarkRecord(b *testing.B) {
	telemetry := newTelemetry(Options{}.filled(), wire{})
	series := telemetry.Probe(chat())
	result := good(time.Now(), 4*time.Millisecond)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%DefaultPendingRuns == DefaultPendingRuns-1 {
			b.StopTimer()
			telemetry.pending.take(func(*run) {}, func(*run) {})
			b.StartTimer()
		}
		series.Record(result, unjudged)
	}
}

const benchProbes = 10_000

// probes registers many probes and returns a function that records one run of each.
func probes(telemetry *Telemetry) func() {
	var all []*Series
	for i := range benchProbes {
		target := chat()
		target.Name = fmt.Sprint("probe ", i)
		all = append(all, telemetry.Probe(target))
	}
	result := good(time.Now(), 4*time.Millisecond)
	result.Replied = false // a handshake probe: no send, no reply
	result.Phases[probe.PhaseRoundTrip] = probe.Span{}
	return func() {
		for _, s := range all {
			s.Record(result, unjudged)
		}
	}
}

// reportHeap reports what is live after a collection of garbage.
func reportHeap(b *testing.B, before uint64) {
	b.ReportMetric(float64(heap()-before)/benchProbes, "live-B/probe")
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkProduce is a collection of one run of each of 10,000 probes.
func BenchmarkProduce(b *testing.B) {
	before := heap()
	telemetry := newTelemetry(Options{}.filled(), wire{})
	record := probes(telemetry)
	record()
	allRequests(telemetry)
	b.ReportAllocs()
	points := 0
	for b.Loop() {
		b.StopTimer()
		record()
		b.StartTimer()
		scopes := allRequests(telemetry)
		points = 0
		for _, scope := range scopes {
			points += countPoints(scope)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(points), "points")
	reportHeap(b, before)
	runtime.KeepAlive(telemetry)
}

// BenchmarkPack is what an outage costs in addition: 10,000 probes' batches encoded and compressed.
func BenchmarkPack(b *testing.B) {
	telemetry := newTelemetry(Options{}.filled(), wire{})
	record := probes(telemetry)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		record()
		telemetry.queue.batches, telemetry.queue.used = nil, limits{}
		telemetry.producer.produceAll(func(scopes ...metricdata.ScopeMetrics) { telemetry.queue.add(telemetry.batch(scopes...)) })
		b.StartTimer()
		telemetry.queue.settle(time.Now(), pack)
	}
	b.ReportMetric(float64(telemetry.queue.used.memory), "packed-B")
}

// BenchmarkExport is a whole cycle of 10,000 probes, from the results to the answer of a receiver on
// loopback. The receiver's own work, about as much as the sender's, is in it.
func BenchmarkExport(b *testing.B) {
	for _, compression := range []Compression{CompressionGzip, CompressionNone} {
		b.Run(string(compression), func(b *testing.B) {
			back := newBackend(b)
			back.receiver.Point = nil
			back.answer(func(context.Context, int) (*receiver.PartialSuccess, error) { return nil, nil })
			back.start(b)
			o := Options{Endpoint: "http://" + back.addr, Compression: compression}.filled()
			w, err := newWire(o)
			if err != nil {
				b.Fatal(err)
			}
			defer w.close()
			telemetry := newTelemetry(o, w)
			record := probes(telemetry)
			b.ReportAllocs()
			for b.Loop() {
				record()
				telemetry.producer.produceAll(func(scopes ...metricdata.ScopeMetrics) { telemetry.queue.add(telemetry.batch(scopes...)) })
				if pause := telemetry.delivery.deliver(b.Context(), false); pause > 0 {
					b.Fatal(telemetry.Health())
				}
			}
			b.StopTimer()
			b.ReportMetric(float64(back.wire.Load())/float64(b.N), "wire-B/op")
			b.ReportMetric(float64(telemetry.agent.sent)/float64(b.N), "points/op")
		})
	}
}

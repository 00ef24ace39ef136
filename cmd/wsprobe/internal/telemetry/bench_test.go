package telemetry

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// BenchmarkRecord is what a run costs its probe: nothing may be allocated.
func BenchmarkRecord(b *testing.B) {
	telemetry := newTelemetry(Options{}.filled())
	series := telemetry.probe(chat())
	result := good(time.Now(), 4*time.Millisecond)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%DefaultPendingRuns == DefaultPendingRuns-1 {
			b.StopTimer()
			telemetry.pending.take(func(*noted) {}, func(*noted) {})
			b.StartTimer()
		}
		series.Record(result, unjudged)
	}
}

const benchProbes = 10_000

// probes registers many probes and returns a function that records one run of each.
func probes(telemetry *Telemetry) func() {
	var all []*observed
	for i := range benchProbes {
		target := chat()
		target.Name = fmt.Sprint("probe ", i)
		all = append(all, telemetry.probe(target))
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
	telemetry := newTelemetry(Options{}.filled())
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

// BenchmarkMemory is what a probe keeps for export and scrapes that has run a hundred times, with a collection after
// each run, in each form of the export.
func BenchmarkMemory(b *testing.B) {
	for _, temporality := range []Temporality{TemporalityCumulative, TemporalityDelta} {
		for name, exponential := range map[string]bool{"explicit": false, "exponential": true} {
			b.Run(string(temporality)+"/"+name, func(b *testing.B) {
				for b.Loop() {
					before := heap()
					telemetry := newTelemetry(Options{Temporality: temporality, Exponential: exponential, MaxScale: metrics.MaxScale, Exposition: true}.filled())
					var all []*observed
					for i := range benchProbes {
						target := chat()
						target.Name = fmt.Sprint("probe ", i)
						all = append(all, telemetry.probe(target))
					}
					for run := range 100 {
						for i, s := range all {
							length := time.Duration(float64(5*time.Millisecond) * math.Exp(rand.NormFloat64()/3))
							s.Record(good(midnight.Add(time.Duration(run*benchProbes+i)*time.Millisecond), length), unjudged)
							if i%DefaultPendingRuns == DefaultPendingRuns-1 {
								telemetry.producer.produce(func(...otlp.Scope) {})
							}
						}
						telemetry.producer.produceAll(func(...otlp.Scope) {})
					}
					reportHeap(b, before)
					runtime.KeepAlive(telemetry)
				}
			})
		}
	}
}

// BenchmarkEncode is the encoding of 10,000 probes' batches.
func BenchmarkEncode(b *testing.B) {
	telemetry := newTelemetry(Options{}.filled())
	record := probes(telemetry)
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		b.StopTimer()
		record()
		var batches []outbox.Batch
		telemetry.producer.produceAll(func(scopes ...otlp.Scope) { batches = append(batches, telemetry.batch(scopes...)) })
		size = 0
		b.StartTimer()
		for _, batch := range batches {
			request, err := batch.Encode()
			if err != nil {
				b.Fatal(err)
			}
			size += len(request)
		}
	}
	b.ReportMetric(float64(size), "encoded-B")
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
			telemetry, err := New(Options{Endpoint: "http://" + back.addr, Compression: compression})
			if err != nil {
				b.Fatal(err)
			}
			last, done := make(chan struct{}), make(chan struct{})
			go func() { defer close(done); telemetry.metrics.Run(b.Context(), last) }()
			record := probes(telemetry)
			b.ReportAllocs()
			for b.Loop() {
				record()
				telemetry.producer.produceAll(func(scopes ...otlp.Scope) { telemetry.metrics.Add(telemetry.batch(scopes...)) })
				for telemetry.backlog().Batches > 0 {
					runtime.Gosched()
				}
			}
			close(last)
			<-done
			if err := telemetry.close(); err != nil {
				b.Error(err)
			}
			b.StopTimer()
			b.ReportMetric(float64(back.wire.Load())/float64(b.N), "wire-B/op")
			b.ReportMetric(float64(telemetry.self.count(idAgentSent))/float64(b.N), "points/op")
		})
	}
}

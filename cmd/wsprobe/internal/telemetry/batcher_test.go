package telemetry

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

func TestRequestsAreBoundedInPoints(t *testing.T) {
	var requests []otlp.Scope
	b := &batcher{request: func(scopes ...otlp.Scope) { requests = append(requests, scopes...) }}
	const n = 2*maxRequestPoints + 1
	for i := range n {
		b.gauge(metrics.HandshakeLatency, metrics.Set{}, midnight, midnight, float64(i))
	}
	b.finish()
	next := 0.0
	for i, scope := range requests {
		points := gauges(scope, metrics.HandshakeLatency)
		if want := min(maxRequestPoints, n-i*maxRequestPoints); len(points) != want || countPoints(scope) != want {
			t.Errorf("request %d has %d points, counted as %d, want %d", i, len(points), countPoints(scope), want)
		}
		for _, p := range points {
			if p.Value.Float() != next {
				t.Fatalf("got point %v, want %v", p.Value, next)
			}
			next++
		}
	}
	if next != n {
		t.Errorf("%v points, want %d", next, n)
	}
}

// TestRequestsAreBoundedInBytes encodes the requests of probes with the longest labels there can be and
// compares their true size with the bound.
func TestRequestsAreBoundedInBytes(t *testing.T) {
	labels := map[string]string{}
	for i := range 32 {
		labels[fmt.Sprintf("%s%02d", strings.Repeat("k", 62), i)] = strings.Repeat("v", 1024)
	}
	for name, o := range map[string]Options{
		"small resource": {},
		"large resource": {Attributes: map[string]string{"note": strings.Repeat("n", 512<<10)}},
	} {
		t.Run(name, func(t *testing.T) {
			telemetry := newTelemetry(o.filled())
			for i := range 15 {
				target := chat()
				target.Name, target.Labels = fmt.Sprint("probe ", i), labels
				telemetry.probe(target).Record(good(midnight, time.Millisecond), unjudged)
			}
			scopes := allRequests(telemetry)
			for i, scope := range scopes {
				raw, err := otlp.Points(telemetry.resource, scope)
				if err != nil {
					t.Fatal(err)
				}
				size := len(raw)
				if size > maxRequestBytes {
					t.Errorf("request %d has %d bytes, more than %d", i, size, maxRequestBytes)
				}
				// A bound that is far too careful would make ten requests of one.
				if i < len(scopes)-1 && size < maxRequestBytes*8/10 {
					t.Errorf("request %d has only %d bytes", i, size)
				}
			}
		})
	}
}

// TestSizeOfSmallPoints does the same where the numbers are the larger part of a point.
func TestSizeOfSmallPoints(t *testing.T) {
	telemetry := newTelemetry(Options{}.filled())
	for i := range 150 {
		target := metrics.Target{Name: fmt.Sprint(i)}
		telemetry.probe(target).Record(good(time.Now(), time.Duration(i+1)*time.Millisecond), unjudged)
	}
	var requests []otlp.Scope
	b := telemetry.producer.batcher(func(scopes ...otlp.Scope) { requests = append(requests, scopes...) })
	telemetry.pending.take(func(*noted) {}, func(r *noted) { r.Points(&b.sets, r.series.identity, r.at, b.add) })
	for _, s := range telemetry.producer.all() {
		s.counts.Collect().Points(&b.sets, s.identity, midnight, midnight, b.add)
	}
	estimate := b.header + b.bytes
	b.finish()
	for _, scope := range requests {
		raw, err := otlp.Points(telemetry.resource, scope)
		if err != nil {
			t.Fatal(err)
		}
		if size := len(raw); size > estimate || size < estimate/2 {
			t.Errorf("%d bytes, estimated at %d", size, estimate)
		}
	}
}

package tracing

import (
	"encoding/binary"
	"math/rand/v2"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/wsprobe/wsprobe/probe"
)

// Sampler decides which runs are traced. Its methods may be called by several goroutines.
type Sampler struct{ ratio sdktrace.Sampler }

// NewSampler returns a Sampler that samples this share of all runs, from 0 to 1. It decides by the trace id as every
// TraceIDRatioBased sampler does, so that a collector with the same ratio comes to the same decision.
func NewSampler(ratio float64) *Sampler { return &Sampler{sdktrace.TraceIDRatioBased(ratio)} }

// Draw returns the trace of a run that is about to start.
func (s *Sampler) Draw() probe.Trace {
	var t probe.Trace
	binary.BigEndian.PutUint64(t.ID[:8], rand.Uint64())
	binary.BigEndian.PutUint64(t.ID[8:], rand.Uint64())
	t.Run, t.Upgrade = spanID(), spanID()
	decision := s.ratio.ShouldSample(sdktrace.SamplingParameters{TraceID: trace.TraceID(t.ID)})
	t.Sampled = decision.Decision == sdktrace.RecordAndSample
	return t
}

// spanID draws an id. Zero would be none.
func spanID() (id trace.SpanID) {
	for !id.IsValid() {
		binary.BigEndian.PutUint64(id[:], rand.Uint64())
	}
	return id
}

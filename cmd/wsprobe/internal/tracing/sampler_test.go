package tracing_test

import (
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/tracing"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestSampledShare: the ratio is the share of traces that are sampled, by their ids as OpenTelemetry's own sampler has it.
func TestSampledShare(t *testing.T) {
	const draws = 20_000
	for ratio, bounds := range map[float64][2]int{0: {0, 0}, 0.25: {draws/4 - 400, draws/4 + 400}, 1: {draws, draws}} {
		s, standard := tracing.NewSampler(ratio), sdktrace.TraceIDRatioBased(ratio)
		drawn, sampled := make(map[[16]byte]bool), 0
		for range draws {
			trace := s.Draw()
			if trace.Run == [8]byte{} || trace.Upgrade == [8]byte{} || trace.Run == trace.Upgrade || drawn[trace.ID] {
				t.Fatalf("drawn %+v", trace)
			}
			drawn[trace.ID] = true
			decision := standard.ShouldSample(sdktrace.SamplingParameters{TraceID: trace.ID}).Decision
			if trace.Sampled != (decision == sdktrace.RecordAndSample) {
				t.Fatalf("%x: sampled %v, the standard sampler says %v", trace.ID, trace.Sampled, decision)
			}
			if trace.Sampled {
				sampled++
			}
		}
		if sampled < bounds[0] || sampled > bounds[1] {
			t.Errorf("ratio %v: %d of %d are sampled", ratio, sampled, draws)
		}
	}
}

// TestWhatIsKept: of what is in a trace, the sampled and the failed.
func TestWhatIsKept(t *testing.T) {
	for name, c := range map[string]struct {
		trace  probe.Trace
		reason reasons.Code
		want   bool
	}{
		"no_trace":        {probe.Trace{}, reasons.OpenFailed, false},
		"sampled_success": {trace(true), reasons.OK, true},
		"success":         {trace(false), reasons.OK, false},
		"sampled_failure": {trace(true), reasons.ReplyTimeout, true},
		"failure":         {trace(false), reasons.ReplyTimeout, true},
	} {
		if got := (probe.Result{Trace: c.trace, Reason: c.reason}).Traced(); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

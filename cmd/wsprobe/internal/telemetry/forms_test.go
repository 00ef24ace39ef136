package telemetry

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// TestExponentialHistograms: every histogram of the export has exponential buckets, those of the agent and the ends of
// series, too, while the page has the explicit ones that it always has.
func TestExponentialHistograms(t *testing.T) {
	for name, o := range map[string]Options{
		"export alone":       {Exponential: true, MaxScale: 3, EndMarkers: true},
		"export beside page": {Exponential: true, MaxScale: 3, EndMarkers: true, Exposition: true},
	} {
		t.Run(name, func(t *testing.T) {
			telemetry := newTest(t, o, new(stub))
			series := telemetry.probe(chat())
			for _, ms := range []time.Duration{3, 4, 5} {
				series.Record(good(time.Now(), ms*time.Millisecond), unjudged)
			}
			telemetry.ObserveStart(2 * time.Millisecond)
			all := pointsOf(t, telemetry, allRequests(telemetry))
			telemetry.Replace([]*Series{series.Series}, nil)
			all = append(all, pointsOf(t, telemetry, allRequests(telemetry))...)
			told := make(map[string]int)
			var ends int
			for _, p := range all {
				if p.Kind == "histogram" {
					t.Errorf("%+v", p)
				}
				if p.Kind != "exponential histogram" {
					continue
				}
				if p.NoValue {
					ends++
					continue
				}
				told[p.Metric]++
				if !p.Cumulative || p.Scale != 3 || len(p.Bounds) > 0 {
					t.Errorf("%+v", p)
				}
				// 2^(12/8) = 2.83 < 3 <= 3.08 = 2^(13/8); 4 = 2^(16/8); 4.76 = 2^(18/8) < 5 <= 5.19
				if want := []uint64{1, 0, 0, 1, 0, 0, 1}; p.Metric == "wsprobe.handshake.duration" &&
					(p.Offset != 12 || !slices.Equal(p.Buckets, want) || p.Count != 3 || p.Value != 12) {
					t.Errorf("%+v, want %v", p, want)
				}
			}
			for _, m := range []string{"wsprobe.handshake.duration", "wsprobe.round_trip.duration", "wsprobe.agent.run.start_delay"} {
				if told[m] == 0 {
					t.Errorf("%s is missing in %v", m, told)
				}
			}
			if ends != 2 {
				t.Errorf("%d histograms end, want 2", ends)
			}
		})
	}
}

// pointsOf returns the points of requests as a receiver reads them.
func pointsOf(t *testing.T, telemetry *Telemetry, requests []otlp.Scope) (all []receiver.Point) {
	t.Helper()
	for _, scope := range requests {
		raw, err := otlp.Points(telemetry.resource, scope)
		if err != nil {
			t.Fatal(err)
		}
		var request collector.ExportMetricsServiceRequest
		if err := proto.Unmarshal(raw, &request); err != nil {
			t.Fatal(err)
		}
		all = slices.AppendSeq(all, receiver.Points(&request))
	}
	return all
}

// TestFormsThatAreKept: a form that nobody reads is not kept. An export of deltas reads no totals.
func TestFormsThatAreKept(t *testing.T) {
	for _, c := range []struct {
		options               Options
		explicit, exponential bool
	}{
		{Options{}, true, false},
		{Options{Exposition: true}, true, false},
		{Options{Exponential: true}, false, true},
		{Options{Exponential: true, Exposition: true}, true, true},
		{Options{Exponential: true, Exposition: true, Protocol: ProtocolNone}, true, false},
		{Options{Temporality: TemporalityDelta}, false, false},
		{Options{Temporality: TemporalityDelta, Exponential: true}, false, false},
		{Options{Temporality: TemporalityDelta, Exponential: true, Exposition: true}, true, false},
		{Options{Temporality: TemporalityDelta, Exponential: true, Exposition: true, Scraped: ScrapedNative}, true, true},
		{Options{Temporality: TemporalityDelta, Exposition: true, Protocol: ProtocolNone}, true, false},
	} {
		telemetry := newTestOf(t, c.options, func(context.Context, []byte) outbox.Answer { return outbox.Answer{} })
		series := telemetry.probe(chat())
		series.Record(good(midnight, time.Millisecond), unjudged)
		d := series.counts.Totals().Handshake
		if (len(d.Counts) > 0) != c.explicit || (d.Exponential != nil) != c.exponential {
			t.Errorf("%+v: %+v", c.options, d)
		}
	}
}

// TestScalesAreChecked: a scale that no back end knows is an error, not another scale.
func TestScalesAreChecked(t *testing.T) {
	for _, scale := range []int{metrics.MinScale - 1, metrics.MaxScale + 1} {
		if _, err := New(Options{Exponential: true, MaxScale: scale}); err == nil {
			t.Errorf("scale %d was accepted", scale)
		}
	}
}

// TestFormOfNoExport: the form that an export would have changes nothing for scrapes of an agent without one.
func TestFormOfNoExport(t *testing.T) {
	telemetry, err := New(Options{Protocol: ProtocolNone, Exponential: true, MaxScale: metrics.MaxScale, Exposition: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = telemetry.close() })
	telemetry.ObserveStart(time.Millisecond)
	telemetry.probe(chat()).Record(good(midnight, time.Millisecond), unjudged)
	w := httptest.NewRecorder()
	telemetry.MetricsHandler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, name := range []string{"wsprobe_agent_run_start_delay_milliseconds", "wsprobe_handshake_duration_milliseconds"} {
		if !strings.Contains(w.Body.String(), name+"_bucket{") {
			t.Errorf("no buckets of %s", name)
		}
	}
}

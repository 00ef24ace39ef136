package telemetry

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/reasons"
)

// point is a gauge's point in a form that can be compared.
type point struct {
	attributes  string
	start, time time.Time
	value       float64
}

func points(data []metricdata.DataPoint[float64]) []point {
	var all []point
	for _, p := range data {
		all = append(all, point{encode(p.Attributes), p.StartTime, p.Time, p.Value})
	}
	return all
}

func encode(set attribute.Set) string { return set.Encoded(attribute.DefaultEncoder()) }

func set(kvs ...attribute.KeyValue) string { return encode(attribute.NewSet(kvs...)) }

func TestEachRunIsOnePointOfItsOwnTime(t *testing.T) {
	telemetry := newTest(t, Options{}, new(stub))
	series := telemetry.Probe(chat())
	later := midnight.Add(time.Minute)
	series.Record(good(midnight, 4*time.Millisecond), unjudged)
	series.Record(good(later, 8*time.Millisecond), unjudged)
	scope := produce(t, telemetry)

	ends := []time.Time{midnight.Add(12 * time.Millisecond), later.Add(24 * time.Millisecond)}
	for _, c := range []struct {
		metric metricID
		extra  []attribute.KeyValue
		values []float64
	}{
		{idHandshakeLatency, nil, []float64{4, 8}},
		{idRoundTripLatency, nil, []float64{8, 16}},
		{idConnectionSuccess, []attribute.KeyValue{attribute.String("wsprobe.reason", "ok")}, []float64{1, 1}},
	} {
		attributes := set(chatAttributes(c.extra...)...)
		want := []point{{attributes, midnight, ends[0], c.values[0]}, {attributes, later, ends[1], c.values[1]}}
		if got := points(gauges(scope, c.metric)); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", table[c.metric].Name, got, want)
		}
	}
}

func TestEachPhaseThatEndedIsOnePoint(t *testing.T) {
	telemetry := newTest(t, Options{}, new(stub))
	telemetry.Probe(chat()).Record(good(midnight, 4*time.Millisecond), unjudged)
	end := midnight.Add(12 * time.Millisecond)
	var want []point
	for _, phase := range []struct {
		name  string
		value float64
	}{{"dns", 1}, {"connect", 1}, {"tls", 1}, {"upgrade", 1}, {"round_trip", 8}, {"close", 1}} {
		attributes := set(chatAttributes(attribute.String("wsprobe.phase", phase.name))...)
		want = append(want, point{attributes, midnight, end, phase.value})
	}
	if got := points(gauges(produce(t, telemetry), idPhaseDuration)); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestTimeLeftOfCertificates: whatever a run came to, the certificate that it saw ends at a time, past or very far
// perhaps.
func TestTimeLeftOfCertificates(t *testing.T) {
	result := refused(midnight)
	const day = 24 * 3600.0
	for name, c := range map[string]struct {
		expiry time.Time
		want   []float64
	}{
		"none":    {},
		"to come": {result.Ended.Add(90*time.Second + 500*time.Millisecond), []float64{90.5}},
		"over":    {result.Ended.Add(-36 * time.Hour), []float64{-1.5 * day}},
		"never":   {result.Ended.AddDate(400, 0, 0), []float64{146_097 * day}}, // the Gregorian calendar repeats itself
	} {
		telemetry := newTest(t, Options{}, new(stub))
		result.CertificateExpiry = c.expiry
		telemetry.Probe(chat()).Record(result, unjudged)
		var want []point
		for _, value := range c.want {
			want = append(want, point{set(chatAttributes()...), midnight, result.Ended, value})
		}
		if got := points(gauges(produce(t, telemetry), idTLSTimeLeft)); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

// TestStatuses: each judged run is a point with the number of its status, and one that is not judged is none.
func TestStatuses(t *testing.T) {
	telemetry := newTest(t, Options{}, new(stub))
	series := telemetry.Probe(chat())
	var want []point
	for i, s := range []probehealth.Status{probehealth.Unknown, probehealth.Healthy, probehealth.Degraded, probehealth.Unhealthy, probehealth.NoData} {
		r := refused(midnight.Add(time.Duration(i) * time.Minute))
		series.Record(r, s)
		if i > 0 {
			want = append(want, point{set(chatAttributes()...), r.Started, r.Ended, float64(i - 1)})
		}
	}
	if got := points(gauges(produce(t, telemetry), idStatus)); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWhatWasNotMeasuredIsAbsent(t *testing.T) {
	for _, c := range []struct {
		name     string
		result   probe.Result
		points   map[metricID]int
		success  float64
		reason   string
		failure  string
		measured string // phases
	}{
		{"never opened", refused(midnight), map[metricID]int{}, 0, "ws_open_failed", "http_403", "connect"},
		{"no reply", silent(midnight), map[metricID]int{idHandshakeLatency: 1, idHandshakeDuration: 1},
			1, "ws_reply_timeout", "reply_timeout", "dns connect tls upgrade close"},
	} {
		t.Run(c.name, func(t *testing.T) {
			telemetry := newTest(t, Options{}, new(stub))
			telemetry.Probe(chat()).Record(c.result, unjudged)
			scope := produce(t, telemetry)
			for _, m := range []metricID{idHandshakeLatency, idRoundTripLatency, idHandshakeDuration, idRoundTripDuration} {
				if got := len(gauges(scope, m)) + len(histograms(scope, m)); got != c.points[m] {
					t.Errorf("%s: %d points, want %d", table[m].Name, got, c.points[m])
				}
				if c.points[m] == 0 && find(scope, m) != nil {
					t.Errorf("%s is there without a point", table[m].Name)
				}
			}
			reason := attribute.String("wsprobe.reason", c.reason)
			want := []point{{set(chatAttributes(reason)...), midnight, c.result.Ended, c.success}}
			if got := points(gauges(scope, idConnectionSuccess)); !slices.Equal(got, want) {
				t.Errorf("connection_success: got %v, want %v", got, want)
			}
			totals := sums(scope, idRuns)
			attributes := set(chatAttributes(reason, attribute.String("error.type", c.failure))...)
			if len(totals) != 1 || totals[0].Value != 1 || encode(totals[0].Attributes) != attributes {
				t.Errorf("runs: got %v", totals)
			}
			var phases []string
			for _, p := range gauges(scope, idPhaseDuration) {
				phase, _ := p.Attributes.Value("wsprobe.phase")
				phases = append(phases, phase.AsString())
			}
			if got := strings.Join(phases, " "); got != c.measured {
				t.Errorf("phases: got %q, want %q", got, c.measured)
			}
		})
	}
}

func TestNothingIsSaidTwice(t *testing.T) {
	telemetry := newTest(t, Options{}, new(stub))
	telemetry.Probe(chat()).Record(good(midnight, time.Millisecond), unjudged)
	produce(t, telemetry)
	scope := produce(t, telemetry)
	for _, m := range []metricID{idHandshakeLatency, idRoundTripLatency, idConnectionSuccess, idPhaseDuration} {
		if find(scope, m) != nil {
			t.Errorf("%s came again", table[m].Name)
		}
	}
	if totals := sums(scope, idRuns); len(totals) != 1 || totals[0].Value != 1 {
		t.Errorf("runs: got %v, want the total again", totals)
	}
}

func TestTotalsCountFromTheStart(t *testing.T) {
	before := time.Now()
	telemetry := newTest(t, Options{}, new(stub))
	after := time.Now()
	series := telemetry.Probe(chat())
	for i := range 5 {
		series.Record(good(midnight, time.Duration(i+1)*time.Millisecond), unjudged) // 1 to 5 ms
		series.Record(refused(midnight), unjudged)
	}
	series.Record(silent(midnight), unjudged) // 4 ms
	produce(t, telemetry)
	series.Record(good(midnight, 40*time.Second), unjudged) // longer than every bound
	scope := produce(t, telemetry)

	counts := map[string]int64{}
	for _, p := range sums(scope, idRuns) {
		reason, _ := p.Attributes.Value("wsprobe.reason")
		failure, _ := p.Attributes.Value("error.type")
		counts[reason.AsString()+"/"+failure.AsString()] = p.Value
		if p.StartTime.Before(before) || p.StartTime.After(after) || p.Time.Before(after) {
			t.Errorf("runs: from %v to %v", p.StartTime, p.Time)
		}
		if failure.AsString() == "" && p.Attributes.HasValue("error.type") {
			t.Error("a run without a failure has an error.type")
		}
	}
	if counts["ok/"] != 6 || counts["ws_open_failed/http_403"] != 5 || counts["ws_reply_timeout/reply_timeout"] != 1 || len(counts) != 3 {
		t.Errorf("runs: got %v", counts)
	}
	durations := histograms(scope, idHandshakeDuration)
	if len(durations) != 1 {
		t.Fatalf("handshake.duration: got %v", durations)
	}
	h := durations[0]
	// 1 ms in the first bucket, which includes its bound; 2 in the second; 3, 4, 5 and 4 in the third.
	buckets := make([]uint64, len(latencyBounds)+1)
	buckets[0], buckets[1], buckets[2], buckets[len(latencyBounds)] = 1, 1, 4, 1
	if h.Count != 7 || h.Sum != 1+2+3+4+5+4+40000 || !slices.Equal(h.BucketCounts, buckets) || !slices.Equal(h.Bounds, latencyBounds) {
		t.Errorf("handshake.duration: got %+v, want %v", h, buckets)
	}
	if h.StartTime.Before(before) || h.StartTime.After(after) || h.Time.Before(after) {
		t.Errorf("handshake.duration: from %v to %v", h.StartTime, h.Time)
	}
}

func TestBoundsAreInOrder(t *testing.T) {
	for _, bounds := range [][]float64{latencyBounds, delayBounds} {
		if !slices.IsSorted(bounds) || len(slices.Compact(slices.Clone(bounds))) != len(bounds) {
			t.Errorf("not in order: %v", bounds)
		}
		if last := bounds[len(bounds)-1]; last != probe.Millis(probe.MaxTimeout) {
			t.Errorf("the last bound is %v, not the longest timeout", last)
		}
	}
	for i := 1; i < len(latencyBounds); i++ {
		if ratio := latencyBounds[i] / latencyBounds[i-1]; ratio > 2.5 {
			t.Errorf("%v and %v are too far apart", latencyBounds[i-1], latencyBounds[i])
		}
	}
}

func TestLabelsDoNotReplaceAttributes(t *testing.T) {
	telemetry := newTest(t, Options{}, new(stub))
	target := chat()
	target.Path = ""
	target.Labels = map[string]string{
		"wsprobe.name": "other", "server.port": "1", "error.type": "x", "wsprobe.reason": "x", "wsprobe.phase": "x",
		"Team": "web", "broken": "a\xffb",
	}
	telemetry.Probe(target).Record(good(midnight, time.Millisecond), unjudged)
	want := set(
		attribute.String("wsprobe.name", "chat"), attribute.String("wsprobe.interpretation", "round_trip_latency"),
		attribute.String("server.address", "chat.example.com"), attribute.Int("server.port", 443),
		attribute.String("url.scheme", "wss"), attribute.String("url.path", "/"),
		attribute.String("Team", "web"), attribute.String("broken", "a\uFFFDb"),
	)
	got := gauges(produce(t, telemetry), idHandshakeLatency)
	if len(got) != 1 || encode(got[0].Attributes) != want {
		t.Errorf("got %v, want %v", encode(got[0].Attributes), want)
	}
}

func TestRecordFromManyGoroutines(t *testing.T) {
	const probes, runs = 8, 200
	telemetry := newTest(t, Options{}, new(stub))
	var recording sync.WaitGroup
	for range probes {
		series := telemetry.Probe(chat())
		recording.Go(func() {
			for i := range runs {
				series.Record(good(midnight.Add(time.Duration(i)*time.Second), time.Millisecond), unjudged)
			}
		})
	}
	done := make(chan struct{})
	go func() { recording.Wait(); close(done) }()
	points, totals := 0, int64(0)
	for finished := false; !finished; {
		select {
		case <-done:
			finished = true
		default:
		}
		scopes := allRequests(telemetry)
		totals = 0
		for _, scope := range scopes {
			points += len(gauges(scope, idConnectionSuccess))
			for _, total := range sums(scope, idRuns) {
				totals += total.Value
			}
		}
	}
	if points != probes*runs || totals != probes*runs {
		t.Errorf("%d points and a total of %d, want %d", points, totals, probes*runs)
	}
}

func TestOutcomesOfAProbeAreFew(t *testing.T) {
	series := newTest(t, Options{}, new(stub)).Probe(chat())
	for _, kind := range reasons.Kinds() {
		for _, code := range kind.Codes {
			series.Record(probe.Result{Reason: code, ErrorType: kind.Type}, unjudged)
			series.Record(probe.Result{Reason: code, ErrorType: kind.Type}, unjudged)
		}
	}
	outcomes, _, _ := series.totals()
	for _, o := range outcomes {
		if o.n != 2 {
			t.Errorf("%s/%s: %d, want 2", o.reason, o.errorType, o.n)
		}
	}
}

package telemetry

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// point is a gauge's point in a form that can be compared.
type point struct {
	attributes  string
	start, time time.Time
	value       float64
}

func points(data []metrics.Point) []point {
	var all []point
	for _, p := range data {
		all = append(all, point{encode(p.Attributes), p.Start, p.Time, p.Value.Float()})
	}
	return all
}

func encode(set metrics.Set) string {
	all := make([]string, len(set.Attributes))
	for i, a := range set.Attributes {
		all[i] = a.String()
	}
	return strings.Join(all, ",")
}

func set(kvs ...slog.Attr) string { return encode(new(metrics.Sets).Alone(kvs...)) }

func TestEachRunIsOnePointOfItsOwnTime(t *testing.T) {
	telemetry := newTest(t, Options{}, new(stub))
	series := telemetry.probe(chat())
	later := midnight.Add(time.Minute)
	series.Record(good(midnight, 4*time.Millisecond), unjudged)
	series.Record(good(later, 8*time.Millisecond), unjudged)
	scope := produce(t, telemetry)

	ends := []time.Time{midnight.Add(12 * time.Millisecond), later.Add(24 * time.Millisecond)}
	for _, c := range []struct {
		metric metrics.ID
		extra  []slog.Attr
		values []float64
	}{
		{metrics.HandshakeLatency, nil, []float64{4, 8}},
		{metrics.RoundTripLatency, nil, []float64{8, 16}},
		{metrics.ConnectionSuccess, []slog.Attr{slog.String("wsprobe.reason", "ok")}, []float64{1, 1}},
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
	telemetry.probe(chat()).Record(good(midnight, 4*time.Millisecond), unjudged)
	end := midnight.Add(12 * time.Millisecond)
	var want []point
	for _, phase := range []struct {
		name  string
		value float64
	}{{"dns", 1}, {"connect", 1}, {"tls", 1}, {"upgrade", 1}, {"round_trip", 8}, {"close", 1}} {
		attributes := set(chatAttributes(slog.String("wsprobe.phase", phase.name))...)
		want = append(want, point{attributes, midnight, end, phase.value})
	}
	if got := points(gauges(produce(t, telemetry), metrics.PhaseDuration)); !slices.Equal(got, want) {
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
		telemetry.probe(chat()).Record(result, unjudged)
		var want []point
		for _, value := range c.want {
			want = append(want, point{set(chatAttributes()...), midnight, result.Ended, value})
		}
		if got := points(gauges(produce(t, telemetry), metrics.TLSTimeLeft)); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

// TestStatuses: each judged run is a point with the number of its status, and one that is not judged is none.
func TestStatuses(t *testing.T) {
	telemetry := newTest(t, Options{}, new(stub))
	series := telemetry.probe(chat())
	var want []point
	for i, s := range []probehealth.Status{probehealth.Unknown, probehealth.Healthy, probehealth.Degraded, probehealth.Unhealthy, probehealth.NoData} {
		r := refused(midnight.Add(time.Duration(i) * time.Minute))
		series.Record(r, s)
		if i > 0 {
			want = append(want, point{set(chatAttributes()...), r.Started, r.Ended, float64(i - 1)})
		}
	}
	if got := points(gauges(produce(t, telemetry), metrics.Status)); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWhatWasNotMeasuredIsAbsent(t *testing.T) {
	for _, c := range []struct {
		name     string
		result   probe.Result
		points   map[metrics.ID]int
		success  float64
		reason   string
		failure  string
		measured string // phases
	}{
		{"never opened", refused(midnight), map[metrics.ID]int{}, 0, "ws_open_failed", "http_403", "connect"},
		{"no reply", silent(midnight), map[metrics.ID]int{metrics.HandshakeLatency: 1, metrics.HandshakeDuration: 1},
			1, "ws_reply_timeout", "reply_timeout", "dns connect tls upgrade close"},
	} {
		t.Run(c.name, func(t *testing.T) {
			telemetry := newTest(t, Options{}, new(stub))
			telemetry.probe(chat()).Record(c.result, unjudged)
			scope := produce(t, telemetry)
			for _, m := range []metrics.ID{metrics.HandshakeLatency, metrics.RoundTripLatency, metrics.HandshakeDuration, metrics.RoundTripDuration} {
				if got := len(gauges(scope, m)) + len(histograms(scope, m)); got != c.points[m] {
					t.Errorf("%s: %d points, want %d", table[m].Name, got, c.points[m])
				}
				if c.points[m] == 0 && find(scope, m) != nil {
					t.Errorf("%s is there without a point", table[m].Name)
				}
			}
			reason := slog.String("wsprobe.reason", c.reason)
			want := []point{{set(chatAttributes(reason)...), midnight, c.result.Ended, c.success}}
			if got := points(gauges(scope, metrics.ConnectionSuccess)); !slices.Equal(got, want) {
				t.Errorf("connection_success: got %v, want %v", got, want)
			}
			totals := sums(scope, metrics.Runs)
			attributes := set(chatAttributes(reason, slog.String("error.type", c.failure))...)
			if len(totals) != 1 || totals[0].Value.Float() != 1 || encode(totals[0].Attributes) != attributes {
				t.Errorf("runs: got %v", totals)
			}
			var phases []string
			for _, p := range gauges(scope, metrics.PhaseDuration) {
				phase, _ := p.Attributes.Value("wsprobe.phase")
				phases = append(phases, phase.String())
			}
			if got := strings.Join(phases, " "); got != c.measured {
				t.Errorf("phases: got %q, want %q", got, c.measured)
			}
		})
	}
}

func TestNothingIsSaidTwice(t *testing.T) {
	telemetry := newTest(t, Options{}, new(stub))
	telemetry.probe(chat()).Record(good(midnight, time.Millisecond), unjudged)
	produce(t, telemetry)
	scope := produce(t, telemetry)
	for _, m := range []metrics.ID{metrics.HandshakeLatency, metrics.RoundTripLatency, metrics.ConnectionSuccess, metrics.PhaseDuration} {
		if find(scope, m) != nil {
			t.Errorf("%s came again", table[m].Name)
		}
	}
	if totals := sums(scope, metrics.Runs); len(totals) != 1 || totals[0].Value.Float() != 1 {
		t.Errorf("runs: got %v, want the total again", totals)
	}
}

func TestTotalsCountFromTheStart(t *testing.T) {
	before := time.Now()
	telemetry := newTest(t, Options{}, new(stub))
	after := time.Now()
	series := telemetry.probe(chat())
	for i := range 5 {
		series.Record(good(midnight, time.Duration(i+1)*time.Millisecond), unjudged) // 1 to 5 ms
		series.Record(refused(midnight), unjudged)
	}
	series.Record(silent(midnight), unjudged) // 4 ms
	produce(t, telemetry)
	series.Record(good(midnight, 40*time.Second), unjudged) // longer than every bound
	scope := produce(t, telemetry)

	counts := map[string]int64{}
	for _, p := range sums(scope, metrics.Runs) {
		reason, _ := p.Attributes.Value("wsprobe.reason")
		failure, failed := p.Attributes.Value("error.type")
		key := reason.String()
		if failed {
			key += "/" + failure.String()
		}
		counts[key] = int64(p.Value.Float())
		if p.Start.Before(before) || p.Start.After(after) || p.Time.Before(after) {
			t.Errorf("runs: from %v to %v", p.Start, p.Time)
		}
		if failure.String() == "" && failed {
			t.Error("a run without a failure has an error.type")
		}
	}
	if counts["ok"] != 6 || counts["ws_open_failed/http_403"] != 5 || counts["ws_reply_timeout/reply_timeout"] != 1 || len(counts) != 3 {
		t.Errorf("runs: got %v", counts)
	}
	durations := histograms(scope, metrics.HandshakeDuration)
	if len(durations) != 1 {
		t.Fatalf("handshake.duration: got %v", durations)
	}
	h := durations[0].Distribution
	// 1 ms in the first bucket, which includes its bound; 2 in the second; 3, 4, 5 and 4 in the third.
	buckets := make([]uint64, len(h.Bounds)+1)
	buckets[0], buckets[1], buckets[2], buckets[len(h.Bounds)] = 1, 1, 4, 1
	if h.Count != 7 || h.Sum != 1+2+3+4+5+4+40000 || !slices.Equal(h.Counts, buckets) {
		t.Errorf("handshake.duration: got %+v, want %v", h, buckets)
	}
	if durations[0].Start.Before(before) || durations[0].Start.After(after) || durations[0].Time.Before(after) {
		t.Errorf("handshake.duration: from %v to %v", durations[0].Start, durations[0].Time)
	}
}

func TestBoundsAreInOrder(t *testing.T) {
	if !slices.IsSorted(delayBounds) || len(slices.Compact(slices.Clone(delayBounds))) != len(delayBounds) {
		t.Errorf("not in order: %v", delayBounds)
	}
	if last := delayBounds[len(delayBounds)-1]; last != probe.Millis(probe.MaxTimeout) {
		t.Errorf("the last bound is %v, not the longest timeout", last)
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
	telemetry.probe(target).Record(good(midnight, time.Millisecond), unjudged)
	want := set(
		slog.String("wsprobe.name", "chat"), slog.String("wsprobe.interpretation", "round_trip_latency"),
		slog.String("server.address", "chat.example.com"), slog.Int("server.port", 443),
		slog.String("url.scheme", "wss"), slog.String("url.path", "/"),
		slog.String("Team", "web"), slog.String("broken", "a\uFFFDb"),
	)
	got := gauges(produce(t, telemetry), metrics.HandshakeLatency)
	if len(got) != 1 || encode(got[0].Attributes) != want {
		t.Errorf("got %v, want %v", encode(got[0].Attributes), want)
	}
}

func TestRecordFromManyGoroutines(t *testing.T) {
	const probes, runs = 8, 200
	telemetry := newTest(t, Options{}, new(stub))
	var recording sync.WaitGroup
	for range probes {
		series := telemetry.probe(chat())
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
		for _, scope := range allRequests(telemetry) {
			points += len(gauges(scope, metrics.ConnectionSuccess))
		}
	}
	telemetry.producer.worth.anew.Store(true)
	for _, scope := range allRequests(telemetry) {
		for _, total := range sums(scope, metrics.Runs) {
			totals += int64(total.Value.Float())
		}
	}
	if points != probes*runs || totals != probes*runs {
		t.Errorf("%d points and a total of %d, want %d", points, totals, probes*runs)
	}
}

func TestOutcomesOfAProbeAreFew(t *testing.T) {
	series := newTest(t, Options{}, new(stub)).probe(chat())
	for _, kind := range reasons.Kinds() {
		for _, code := range kind.Codes {
			series.Record(probe.Result{Reason: code, ErrorType: kind.Type}, unjudged)
			series.Record(probe.Result{Reason: code, ErrorType: kind.Type}, unjudged)
		}
	}
	for _, o := range series.counts.Totals().Outcomes {
		if o.Runs != 2 {
			t.Errorf("%s/%s: %d, want 2", o.Reason, o.ErrorType, o.Runs)
		}
	}
}

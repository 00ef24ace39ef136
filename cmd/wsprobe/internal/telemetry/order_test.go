package telemetry

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// tape keeps the bytes of the requests that were accepted.
type tape struct {
	answer func(n int) outbox.Answer // nil accepts all

	mu       sync.Mutex
	requests [][]byte
	sent     int
}

func (tp *tape) send(_ context.Context, request []byte) outbox.Answer {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	a := outbox.Answer{Outcome: outbox.Accepted}
	if tp.answer != nil {
		a = tp.answer(tp.sent)
	}
	if tp.sent++; a.Outcome == outbox.Accepted {
		tp.requests = append(tp.requests, request)
	}
	return a
}

// points returns the points of each request.
func (tp *tape) points(t *testing.T) [][]receiver.Point {
	t.Helper()
	tp.mu.Lock()
	defer tp.mu.Unlock()
	var all [][]receiver.Point
	for _, raw := range tp.requests {
		var request collector.ExportMetricsServiceRequest
		if err := proto.Unmarshal(raw, &request); err != nil {
			t.Fatal(err)
		}
		all = append(all, slices.Collect(receiver.Points(&request)))
	}
	return all
}

// checkOrder wants no request to begin before the newest millisecond of the one before, and the points of a series to
// be in order and a millisecond apart, as a back end sees them that cuts times to milliseconds.
func checkOrder(t *testing.T, requests [][]receiver.Point) {
	t.Helper()
	newest, series := int64(0), map[string]int64{}
	for n, points := range requests {
		first, last := points[0].Time.UnixMilli(), int64(0)
		for _, p := range points {
			at := p.Time.UnixMilli()
			first, last = min(first, at), max(last, at)
			key := fmt.Sprint(p.Metric, p.Attributes)
			if before, there := series[key]; there && at <= before {
				t.Errorf("request %d: %s has a point at %d after one at %d", n, key, at, before)
			}
			series[key] = at
		}
		if first < newest {
			t.Errorf("request %d begins at %d, the one before goes to %d", n, first, newest)
		}
		newest = max(newest, last)
	}
}

// taped is a Telemetry that exports to a tape, in a bubble.
func taped(t *testing.T, o Options, tp *tape) *running {
	t.Helper()
	telemetry := newTestOf(t, o, tp.send)
	r := &running{Telemetry: telemetry, began: time.Now(), done: make(chan error, 1)}
	r.start(t)
	return r
}

// churn has probes run for a while: some quick, some that time out and are refused at once, some whose close handshake
// takes its 500 ms. It returns the number of runs.
func (r *running) churn(probes int, interval, long time.Duration) int {
	var running sync.WaitGroup
	var mu sync.Mutex
	runs := 0
	for i := range probes {
		target := chat()
		target.Name, target.Interval = fmt.Sprint("probe ", i), interval
		series, random := r.probe(target), rand.New(rand.NewPCG(uint64(i), 0))
		running.Go(func() {
			time.Sleep(time.Duration(random.Int64N(int64(interval))))
			for until := r.began.Add(long); time.Now().Before(until); {
				took := time.Duration(1 + random.Int64N(int64(interval/4)))
				time.Sleep(took)
				result := good(time.Now().Add(-took), took/3)
				result.Ended = time.Now()
				if random.IntN(4) == 0 {
					result = refused(result.Started)
					result.Ended = time.Now()
				}
				series.Fix(result.Ended)
				closing := time.Duration(0)
				if i%3 == 0 {
					closing = 500 * time.Millisecond
				}
				time.Sleep(closing)
				series.Record(result, unjudged)
				mu.Lock()
				runs++
				mu.Unlock()
				time.Sleep(max(0, interval-took-closing))
			}
		})
	}
	running.Wait()
	return runs
}

// TestRequestsAreInOrderOfTime is the rule of the package, over the bytes that leave: no request begins before the
// newest point of the one before, whatever the size of the collections, the close handshakes and the receiver.
func TestRequestsAreInOrderOfTime(t *testing.T) {
	deferred := func(from, to int) func(int) outbox.Answer {
		return func(n int) outbox.Answer {
			if n >= from && n < to {
				return outbox.Answer{Outcome: outbox.Deferred, ErrorType: "UNAVAILABLE"}
			}
			return outbox.Answer{Outcome: outbox.Accepted}
		}
	}
	for name, c := range map[string]struct {
		probes int
		answer func(int) outbox.Answer
	}{
		"few probes":             {20, nil},
		"several requests each":  {250, nil},
		"after an outage":        {250, deferred(6, 14)},
		"outage from the start":  {60, deferred(0, 5)},
		"every other is refused": {60, func(n int) outbox.Answer { return deferred(n|1, n|1+1)(n) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tp := &tape{answer: c.answer}
				r := taped(t, Options{Interval: 10 * time.Second, FirstAfter: time.Second, EndMarkers: true}, tp)
				runs := r.churn(c.probes, 5*time.Second, 40*time.Second)
				time.Sleep(time.Minute) // for what waits
				r.stop(t)
				requests := tp.points(t)
				checkOrder(t, requests)
				stored := 0
				for _, p := range slices.Concat(requests...) {
					if p.Metric == table[metrics.Success].Name {
						stored++
					}
				}
				if stored != runs {
					t.Errorf("%d of %d runs arrived", stored, runs)
				}
			})
		})
	}
}

// TestRestartKeepsTheOrder has a backlog of a process before in the spool.
func TestRestartKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		o := Options{Interval: 10 * time.Second, SpoolDir: dir, EndMarkers: true}
		away := &tape{answer: func(int) outbox.Answer { return outbox.Answer{Outcome: outbox.Deferred, ErrorType: "UNAVAILABLE"} }}
		r := taped(t, o, away)
		runs := r.churn(150, 5*time.Second, 30*time.Second)
		r.stop(t)
		back := &tape{}
		r = taped(t, o, back)
		runs += r.churn(150, 5*time.Second, 30*time.Second)
		r.stop(t)
		requests := back.points(t)
		checkOrder(t, requests)
		stored := 0
		for _, p := range slices.Concat(requests...) {
			if p.Metric == table[metrics.Success].Name {
				stored++
			}
		}
		if stored != runs {
			t.Errorf("%d of %d runs arrived", stored, runs)
		}
	})
}

// TestRunsOfAProbeAreAMillisecondApart: a run that timed out, and one that was refused right after it.
func TestRunsOfAProbeAreAMillisecondApart(t *testing.T) {
	telemetry := newTest(t, Options{}, new(stub))
	series := telemetry.probe(chat())
	for i := range 3 {
		result := refused(midnight)
		result.Ended = midnight.Add(time.Duration(i) * 100 * time.Microsecond)
		series.Record(result, unjudged)
	}
	var at []time.Duration
	for _, p := range gauges(produce(t, telemetry), metrics.Success) {
		at = append(at, p.Time.Sub(midnight))
	}
	if want := []time.Duration{0, time.Millisecond, 2 * time.Millisecond}; !slices.Equal(at, want) {
		t.Errorf("points at %v, want %v", at, want)
	}
}

// TestCloseHandshakeHoldsTheExport: no export says anything of a time after the end of a run that is still closing.
func TestCloseHandshakeHoldsTheExport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := &tape{}
		r := taped(t, Options{Interval: 10 * time.Second}, tp)
		slow, quick := r.probe(chat()), r.probe(metrics.Target{Name: "quick"})
		r.until(9900 * time.Millisecond)
		ended := time.Now()
		slow.Fix(ended)
		r.until(9950 * time.Millisecond)
		quick.Record(good(time.Now().Add(-3*time.Millisecond), time.Millisecond), unjudged)
		r.until(10400 * time.Millisecond)
		for _, p := range slices.Concat(tp.points(t)...) {
			if p.Time.After(ended) {
				t.Errorf("%s at %v, %v after the run that is closing", p.Metric, p.Time, p.Time.Sub(ended))
			}
		}
		slow.Record(probe.Result{Started: ended.Add(-time.Second), Ended: ended}, unjudged)
		slow.Fix(time.Now())
		slow.Abandon()
		r.until(21 * time.Second)
		r.stop(t)
		checkOrder(t, tp.points(t))
		if n := len(of(slices.Concat(tp.points(t)...), metrics.Success)); n != 2 {
			t.Errorf("%d runs arrived, want 2", n)
		}
	})
}

func TestTimelineWithAClockThatIsSetBack(t *testing.T) {
	var times timeline
	if at := times.next(midnight); at != midnight {
		t.Errorf("the first totals are at %v", at)
	}
	for name, c := range map[string]struct{ back, want time.Duration }{
		"a little": {300 * time.Millisecond, 0}, "much": {time.Hour, time.Hour},
	} {
		changed := times.observe(midnight.Add(-c.back))
		if got := times.behind(); got != c.want || changed != (c.want > 0) {
			t.Errorf("set back %s: behind by %v (changed: %v), want %v", name, got, changed, c.want)
		}
		times = timeline{}
		times.note(midnight)
	}
	if at := times.fit(midnight.Add(-300 * time.Millisecond)); at != midnight {
		t.Errorf("a run a little too early is at %v", at)
	}
	early := midnight.Add(-time.Hour)
	if at := times.fit(early); at != early {
		t.Errorf("a run of a clock that was set back is at %v, want its own time", at)
	}
	times.observe(early)
	if at := times.next(early); at != early {
		t.Errorf("totals of a clock that was set back are at %v, want its own time", at)
	}
	if at := times.next(early); at != early.Add(tick) {
		t.Errorf("the next totals are at %v, want a millisecond later", at)
	}
	if !times.observe(midnight.Add(time.Second)) || times.behind() != 0 {
		t.Error("a clock that has caught up is still behind")
	}
}

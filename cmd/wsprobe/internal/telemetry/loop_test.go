package telemetry

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
)

// running is a Telemetry that runs in a bubble.
type running struct {
	*Telemetry
	series *observed
	began  time.Time
	count  int
	cancel context.CancelFunc
	done   chan error
}

func start(t *testing.T, o Options, s *stub) *running {
	t.Helper()
	r := prepare(t, o, s)
	r.start(t)
	return r
}

// prepare makes a Telemetry that does not run yet.
func prepare(t *testing.T, o Options, s *stub) *running {
	t.Helper()
	telemetry := newTest(t, o, s)
	return &running{Telemetry: telemetry, series: telemetry.probe(chat()), began: time.Now(), done: make(chan error, 1)}
}

func (r *running) start(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r.cancel = cancel
	go func() { r.done <- r.Run(ctx) }()
}

// record notes a run, whose handshake takes 1 ms more than that of the one before: 1 ms, 2 ms ...
func (r *running) record() {
	r.count++
	r.series.Record(good(time.Now(), time.Duration(r.count)*time.Millisecond), unjudged)
}

// until sleeps until a time after the start and lets everything settle.
func (r *running) until(d time.Duration) {
	time.Sleep(time.Until(r.began.Add(d)))
	synctest.Wait()
}

// stop stops Run and returns how long that takes.
func (r *running) stop(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	r.cancel()
	if err := <-r.done; err != nil {
		t.Errorf("Run: %v", err)
	}
	return time.Since(began)
}

// times returns when the stub was called, after the start.
func (r *running) times(s *stub) []time.Duration {
	var all []time.Duration
	for _, c := range s.calls {
		all = append(all, c.at.Sub(r.began))
	}
	return all
}

func seconds(n ...float64) []time.Duration {
	var all []time.Duration
	for _, s := range n {
		all = append(all, time.Duration(s*float64(time.Second)))
	}
	return all
}

func TestCollectsEveryInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(stub)
		r := start(t, Options{Interval: 7 * time.Second}, s)
		if h := r.ExportState(); h != (ExportState{OK: true}) {
			t.Errorf("health before the first export: %+v", h)
		}
		for i := range 3 {
			r.until(time.Duration(i)*7*time.Second + time.Second)
			r.record()
		}
		r.until(22 * time.Second)
		r.record()
		if took := r.stop(t); took != 0 {
			t.Errorf("the stop took %v", took)
		}
		if got, want := r.times(s), seconds(7, 14, 21, 22); !slices.Equal(got, want) {
			t.Errorf("exports at %v, want %v", got, want)
		}
		for i, c := range s.calls {
			if !slices.Equal(c.values, []float64{float64(i + 1)}) {
				t.Errorf("export %d has %v", i, c.values)
			}
		}
		if h := r.ExportState(); h != (ExportState{OK: true, Since: r.began.Add(7 * time.Second)}) {
			t.Errorf("state: %+v", h)
		}
	})
}

func TestCollectionsGoOnWhileAReceiverHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stub{answer: func(_ context.Context, n int) outbox.Answer {
			if n == 0 {
				time.Sleep(25 * time.Second)
			}
			return outbox.Answer{Outcome: outbox.Accepted}
		}}
		r := start(t, Options{Interval: 10 * time.Second}, s)
		for i := range 3 {
			r.record()
			r.until(time.Duration(i+1) * 10 * time.Second)
		}
		if n := len(r.pending.runs); n != 0 {
			t.Errorf("%d runs wait for a collection", n)
		}
		if waiting := r.backlog(); waiting.Batches != 3 || waiting.Age != 20*time.Second {
			t.Errorf("the backlog: %+v", waiting)
		}
		r.until(36 * time.Second)
		r.stop(t)
		if got, want := r.times(s), seconds(10, 35, 35, 36); !slices.Equal(got, want) {
			t.Errorf("exports at %v, want %v", got, want)
		}
		if got := s.delivered(); !slices.Equal(got, []float64{1, 2, 3}) {
			t.Errorf("delivered %v", got)
		}
	})
}

// away defers every request until a time after the start.
func away(until time.Duration) func(context.Context, int) outbox.Answer {
	back := time.Now().Add(until)
	return func(context.Context, int) outbox.Answer {
		if time.Now().Before(back) {
			return outbox.Answer{Outcome: outbox.Deferred, ErrorType: "UNAVAILABLE", Message: "connection refused"}
		}
		return outbox.Answer{Outcome: outbox.Accepted}
	}
}

func TestReceiverThatComesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stub{answer: away(31 * time.Second)}
		r := start(t, Options{Interval: 10 * time.Second}, s)
		for i := range 4 {
			r.until(time.Duration(i) * 10 * time.Second)
			r.record()
		}
		failing := ExportState{Since: r.began.Add(10 * time.Second), Detail: "UNAVAILABLE: connection refused"}
		r.until(34 * time.Second)
		if h := r.ExportState(); h != failing {
			t.Errorf("state: %+v, want %+v", h, failing)
		}
		r.until(41 * time.Second)
		if h, want := r.ExportState(), (ExportState{OK: true, Since: r.began.Add(35 * time.Second)}); h != want {
			t.Errorf("state: %+v, want %+v", h, want)
		}
		r.stop(t)
		// At 10 s the first try, then after 1, 2, 4, 8 and 10 s; at 35 s all that waits.
		if got, want := r.times(s), seconds(10, 11, 13, 17, 25, 35, 35, 35, 40, 41); !slices.Equal(got, want) {
			t.Errorf("exports at %v, want %v", got, want)
		}
		if got := s.delivered(); !slices.Equal(got, []float64{1, 2, 3, 4}) {
			t.Errorf("delivered %v, want all in order", got)
		}
	})
}

func TestManyRunsAreCollectedAheadOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(stub)
		r := start(t, Options{Interval: time.Hour, PendingRuns: 20}, s)
		for range 100 {
			r.record()
			time.Sleep(time.Second)
		}
		r.stop(t)
		// Each time the eleventh comes.
		if got, want := r.times(s), seconds(10, 21, 32, 43, 54, 65, 76, 87, 98, 100); !slices.Equal(got, want) {
			t.Errorf("exports at %v, want %v", got, want)
		}
		if n := len(s.delivered()); n != 100 {
			t.Errorf("%d runs delivered, want 100", n)
		}
	})
}

// TestFirstRunIsExportedSoon: whoever waits for the first one need not wait for the interval.
func TestFirstRunIsExportedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(stub)
		r := start(t, Options{Interval: time.Minute, FirstAfter: time.Second}, s)
		for range 3 {
			r.until(time.Duration(r.count+1) * 10 * time.Second)
			r.record()
		}
		r.until(61 * time.Second)
		if got, want := r.times(s), seconds(11, 60); !slices.Equal(got, want) {
			t.Errorf("exports at %v, want %v", got, want)
		}
		r.stop(t)
	})
}

// TestFewRequestsAreInMemory has many more points than a request holds, and a receiver that takes a moment for each:
// a collection goes on no faster.
func TestFewRequestsAreInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r *running
		most := 0
		s := &stub{answer: func(context.Context, int) outbox.Answer {
			time.Sleep(10 * time.Millisecond)
			most = max(most, r.backlog().Batches)
			return outbox.Answer{Outcome: outbox.Accepted}
		}}
		r = prepare(t, Options{Interval: time.Minute}, s)
		for range 3 * maxRequestPoints {
			r.probe(chat()).Record(good(time.Now(), time.Millisecond), unjudged)
		}
		r.start(t)
		r.until(2 * time.Minute)
		r.stop(t)
		if n := len(s.delivered()); n != 3*maxRequestPoints || most != 2 || len(s.calls) < 9 {
			t.Errorf("%d runs in %d requests, at most %d in memory, want 2", n, len(s.calls), most)
		}
	})
}

func TestDropsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLogbook()
		o := Options{Interval: time.Second, PendingRuns: 1, QueueBytes: 4 << 10, Logger: log.logger()}
		r := prepare(t, o, &stub{answer: away(time.Hour)})
		r.record()
		r.record()
		r.start(t)
		r.until(3 * time.Second)
		r.stop(t)
		for _, want := range []string{
			`msg="data points dropped: pending_full" points=10`,
			`msg="data points dropped: queue_full"`,
			`msg="stopped with data points undelivered"`,
		} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("%s was not logged:\n%s", want, log)
			}
		}
	})
}

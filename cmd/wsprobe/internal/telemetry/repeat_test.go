package telemetry

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// totalsOf returns when the runs of a probe were counted in what was exported, after the start.
func (tp *tape) totalsOf(t *testing.T, r *running, name string) []time.Duration {
	t.Helper()
	var at []time.Duration
	for _, p := range of(slices.Concat(tp.points(t)...), metrics.Runs) {
		if p.Attributes["wsprobe.name"] == name {
			at = append(at, p.Time.Sub(r.began).Truncate(time.Second))
		}
	}
	return at
}

// named registers a probe.
func (r *running) named(name string) *observed {
	target := chat()
	target.Name = name
	return r.probe(target)
}

// run records a run that ends now.
func (p *observed) run() {
	p.Record(good(time.Now().Add(-3*time.Millisecond), time.Millisecond), unjudged)
}

// TestTotalsWithoutChange: a total that changed is exported by the next collection, one that did not a minute after it
// was exported last, and the last collection has only those that changed.
func TestTotalsWithoutChange(t *testing.T) {
	for _, c := range []struct {
		interval time.Duration
		want     []time.Duration
	}{
		{10 * time.Second, seconds(10, 20, 40, 100, 160)}, // the first one of all is repeated first,
		{25 * time.Second, seconds(25, 50, 100, 150)},     // never as late as a minute and a half
		{60 * time.Second, seconds(60, 120, 180)},
		{90 * time.Second, seconds(90, 180)},
	} {
		t.Run(c.interval.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tp := &tape{}
				r := taped(t, Options{Interval: c.interval, FirstAfter: -1}, tp)
				waits := r.named("waits")
				waits.run()
				r.until(31 * time.Second)
				waits.run()
				r.until(190 * time.Second)
				r.stop(t)
				if got := tp.totalsOf(t, r, "waits"); !slices.Equal(got, c.want) {
					t.Errorf("totals at %v, want %v", got, c.want)
				}
			})
		})
	}
}

// TestTotalsAreSpread: what is exported all at once the first time is spread over the minutes that follow.
func TestTotalsAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const probes, minutes = 600, 5
		tp := &tape{}
		r := taped(t, Options{Interval: 10 * time.Second, FirstAfter: -1}, tp)
		for i := range probes {
			r.named(fmt.Sprint("probe ", i)).run()
		}
		r.until(minutes*time.Minute + time.Second)
		r.cancel()
		<-r.done
		at := map[time.Duration]int{}
		for _, p := range of(slices.Concat(tp.points(t)...), metrics.Runs) {
			at[p.Time.Sub(r.began).Truncate(time.Second)]++
		}
		for collection := 20 * time.Second; collection <= minutes*time.Minute; collection += 10 * time.Second {
			if n := at[collection]; n < probes/20 || n > probes/5 {
				t.Errorf("%d of %d totals after %v, want about a sixth", n, probes, collection)
			}
		}
	})
}

// TestTotalsAreNeverOld: whatever the interval, none is older than 80 s, which a Collector must wait for.
func TestTotalsAreNeverOld(t *testing.T) {
	for _, interval := range seconds(7, 30, 40, 59, 60, 70) {
		t.Run(interval.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const probes = 50
				tp := &tape{}
				r := taped(t, Options{Interval: interval, FirstAfter: -1}, tp)
				for i := range probes {
					r.named(fmt.Sprint("probe ", i)).run()
				}
				r.until(5 * time.Minute)
				r.stop(t)
				last := map[any]time.Duration{}
				for _, p := range of(slices.Concat(tp.points(t)...), metrics.Runs) {
					name, at := p.Attributes["wsprobe.name"], p.Time.Sub(r.began).Truncate(time.Second)
					if before, there := last[name]; there && at-before > 81*time.Second { // times are cut to seconds
						t.Fatalf("%v has totals at %v, and then at %v", name, before, at)
					}
					last[name] = at
				}
				if len(last) != probes {
					t.Errorf("%d probes have totals, want %d", len(last), probes)
				}
			})
		})
	}
}

// TestTotalsOfAProbeThatGoes: the last totals of a probe are exported although they did not change.
func TestTotalsOfAProbeThatGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := &tape{}
		r := taped(t, Options{Interval: 10 * time.Second, FirstAfter: -1, EndMarkers: true}, tp)
		goes := r.named("goes")
		goes.run()
		r.until(29 * time.Second)
		r.End(goes.Series)
		r.until(31 * time.Second)
		var got []string
		for _, p := range of(slices.Concat(tp.points(t)...), metrics.Runs) {
			got = append(got, fmt.Sprint(p.Time.Sub(r.began).Truncate(time.Second), p.NoValue))
		}
		if want := []string{"10s false", "20s false", "30s false", "30s true"}; !slices.Equal(got, want) {
			t.Errorf("totals %v, want %v", got, want)
		}
		r.stop(t)
	})
}

// TestTotalsAfterAnOutage: a receiver that is there again may have lost all, so it is told all.
func TestTotalsAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tp := &tape{answer: func(n int) outbox.Answer {
			if n == 2 {
				return outbox.Answer{Outcome: outbox.Deferred}
			}
			return outbox.Answer{Outcome: outbox.Accepted}
		}}
		r := taped(t, Options{Interval: 10 * time.Second, FirstAfter: -1}, tp)
		r.named("first").run() // its repetition is due a minute after the second collection
		second := r.named("second")
		r.until(11 * time.Second)
		second.run()
		r.until(51 * time.Second)
		r.stop(t)
		// The third request, of the collection at 30 s, is deferred; the one at 40 s finds out that it is accepted.
		if got := tp.totalsOf(t, r, "second"); !slices.Contains(got, 40*time.Second) {
			t.Errorf("totals at %v, none of them at the first collection after the outage", got)
		}
	})
}

// TestTotalsForAnotherReceiver: a reload that moves the export has all totals exported, another one has not.
func TestTotalsForAnotherReceiver(t *testing.T) {
	options := Options{Endpoint: "http://127.0.0.1:1"}
	telemetry, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	defer telemetry.Close()
	telemetry.probe(chat()).run()
	telemetry.producer.begin()
	told := func() (n int) {
		for _, scope := range allRequests(telemetry) {
			n += len(sums(scope, metrics.Runs))
		}
		return n
	}
	change := func(edit func(*Options)) {
		edit(&options)
		change, err := telemetry.Change(options)
		if err != nil {
			t.Fatal(err)
		}
		change.Apply()
	}
	var got []int
	got = append(got, told())
	telemetry.producer.all()[0].told.repetition.at += 30 * time.Second // as if there were probes before this one
	got = append(got, told())
	change(func(o *Options) { o.EndMarkers = true })
	got = append(got, told())
	change(func(o *Options) { o.Endpoint = "http://127.0.0.1:2" })
	got = append(got, told())
	if want := []int{1, 0, 0, 1}; !slices.Equal(got, want) {
		t.Errorf("totals of collections: %v, want %v", got, want)
	}
}

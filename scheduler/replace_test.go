package scheduler_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/scheduler"
)

// visit is a run as a log of runs has it.
type visit struct {
	job string
	due time.Time
}

// visits are the runs of some jobs.
type visits struct {
	mu  sync.Mutex
	all []visit
}

// note is a Run that notes its tick under a name.
func (v *visits) note(name string) func(context.Context, scheduler.Tick) {
	return func(_ context.Context, tick scheduler.Tick) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.all = append(v.all, visit{name, tick.Due})
	}
}

// of returns when the runs of a job were due.
func (v *visits) of(name string) []time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	var due []time.Time
	for _, visit := range v.all {
		if visit.job == name {
			due = append(due, visit.due)
		}
	}
	return due
}

// inBubble runs a scheduler while do works, and stops it then.
func inBubble(t *testing.T, s *scheduler.Scheduler, do func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		do(t)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// replace is Replace with jobs that are right.
func replace(t *testing.T, s *scheduler.Scheduler, jobs ...scheduler.Job) {
	t.Helper()
	if err := s.Replace(jobs); err != nil {
		t.Error(err)
	}
}

// TestReplaceKeepsTheTicksOfAKeptJob: however often the others change, a job that stays runs as if nothing had
// happened.
func TestReplaceKeepsTheTicksOfAKeptJob(t *testing.T) {
	for _, interval := range []time.Duration{time.Second, 7 * time.Second, time.Hour} {
		t.Run(interval.String(), func(t *testing.T) {
			var alone, among visits
			kept := scheduler.Job{Name: "kept", Interval: interval, Run: alone.note("kept")}
			quiet := &scheduler.Scheduler{Jobs: []scheduler.Job{kept}}
			inBubble(t, quiet, func(*testing.T) { time.Sleep(3 * time.Hour) })
			kept.Run = among.note("kept")
			busy := &scheduler.Scheduler{Jobs: []scheduler.Job{kept}}
			inBubble(t, busy, func(t *testing.T) {
				for i := range 1080 {
					time.Sleep(10 * time.Second)
					other := scheduler.Job{Name: fmt.Sprint("other-", i), Interval: time.Second, Run: nothing}
					replace(t, busy, other, kept)
				}
			})
			want, got := alone.of("kept"), among.of("kept")
			if len(want) < 3 || len(got) != len(want) {
				t.Fatalf("%d runs among others, %d alone", len(got), len(want))
			}
			for i := range want {
				if !got[i].Equal(want[i]) {
					t.Fatalf("run %d was due at %v, alone at %v", i, got[i], want[i])
				}
			}
		})
	}
}

// TestReplaceEndsARun: the run of a job that is gone is told to end, that of a kept one is not, and nothing runs after
// it.
func TestReplaceEndsARun(t *testing.T) {
	for name, test := range map[string]struct {
		next []scheduler.Job
		ends bool
	}{
		"removed": {nil, true},
		"another generation": {[]scheduler.Job{{Name: "long", Interval: time.Second, Run: nothing, Generation: 1}},
			true},
		"another interval": {[]scheduler.Job{{Name: "long", Interval: 2 * time.Second, Run: nothing}}, true},
		"kept":             {[]scheduler.Job{{Name: "long", Interval: time.Second, Run: nothing}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			began, ended := 0, false
			s := &scheduler.Scheduler{Jobs: []scheduler.Job{{Name: "long", Interval: time.Second,
				Run: func(ctx context.Context, _ scheduler.Tick) {
					began++
					<-ctx.Done()
					ended = true
				}}}}
			inBubble(t, s, func(t *testing.T) {
				time.Sleep(3 * time.Second)
				replace(t, s, test.next...)
				synctest.Wait()
				if ended != test.ends {
					t.Errorf("ended: %v, want %v", ended, test.ends)
				}
				time.Sleep(10 * time.Second)
			})
			if began != 1 {
				t.Errorf("began %d times, want once", began)
			}
			if n := s.InFlight(); n != 0 {
				t.Errorf("%d in flight", n)
			}
		})
	}
}

// TestReplaceDoesNotOverlap: a kept job whose run is under way does not begin another, over any number of changes.
func TestReplaceDoesNotOverlap(t *testing.T) {
	var mu sync.Mutex
	under, most, skipped := 0, 0, 0
	long := scheduler.Job{Name: "long", Interval: time.Second, Run: func(context.Context, scheduler.Tick) {
		mu.Lock()
		under++
		most = max(most, under)
		mu.Unlock()
		time.Sleep(4500 * time.Millisecond)
		mu.Lock()
		under--
		mu.Unlock()
	}}
	s := &scheduler.Scheduler{Jobs: []scheduler.Job{long}}
	s.Observer.Skipped = func(string, scheduler.Skip, int) { skipped++ }
	inBubble(t, s, func(t *testing.T) {
		for i := range 100 {
			time.Sleep(300 * time.Millisecond)
			replace(t, s, scheduler.Job{Name: fmt.Sprint(i), Interval: time.Minute, Run: nothing}, long)
		}
	})
	if most != 1 || skipped < 20 {
		t.Errorf("%d runs at once, %d skipped", most, skipped)
	}
}

// TestReplaceBringsAJob: one that comes while others run is due on its phase, and first within 5 s.
func TestReplaceBringsAJob(t *testing.T) {
	for _, interval := range []time.Duration{time.Second, 8 * time.Second, time.Hour} {
		for i := range 20 {
			name := fmt.Sprint("new-", i)
			var from, late visits
			there := &scheduler.Scheduler{Jobs: []scheduler.Job{{Name: name, Interval: interval, Run: from.note(name)}}}
			inBubble(t, there, func(*testing.T) { time.Sleep(4 * time.Hour) })
			var came time.Time
			s := &scheduler.Scheduler{}
			inBubble(t, s, func(t *testing.T) {
				time.Sleep(90*time.Minute + 1234567*time.Microsecond)
				came = time.Now()
				replace(t, s, scheduler.Job{Name: name, Interval: interval, Run: late.note(name)})
				time.Sleep(2 * time.Hour)
			})
			onPhase := make(map[time.Time]bool)
			for _, due := range from.of(name)[1:] {
				onPhase[due] = true
			}
			got := late.of(name)
			if len(got) < 2 || got[0].Before(came) || got[0].Sub(came) > min(interval, 5*time.Second) {
				t.Fatalf("%s of %v came at %v: due at %v", name, interval, came, got)
			}
			for _, due := range got[1:] {
				if !onPhase[due] {
					t.Fatalf("%s of %v is due at %v, off its phase", name, interval, due)
				}
			}
		}
	}
}

// TestReplaceAgainstAModel: after any changes each job has had the ticks of its phase while it was there, and no others
// but its first.
func TestReplaceAgainstAModel(t *testing.T) {
	intervals := []time.Duration{time.Second, 3 * time.Second, 11 * time.Second}
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 12))
		type life struct {
			interval   time.Duration
			come, gone time.Time
			got        visits
		}
		var lives []*life
		current := make(map[string]*life)
		s := &scheduler.Scheduler{MaxConcurrent: random.IntN(2) * 100}
		inBubble(t, s, func(t *testing.T) {
			synctest.Wait()
			for range 50 {
				time.Sleep(time.Duration(random.Int64N(int64(20 * time.Second))))
				jobs, next := []scheduler.Job{}, make(map[string]*life)
				for i := range 12 {
					name := fmt.Sprint("job-", i)
					old := current[name]
					switch random.IntN(4) {
					case 0: // is not there
						continue
					case 1: // is new, or is another one
						old = nil
					}
					if old == nil {
						old = &life{interval: intervals[random.IntN(len(intervals))], come: time.Now()}
						lives = append(lives, old)
					}
					next[name] = old
					jobs = append(jobs, scheduler.Job{Name: name, Interval: old.interval, Run: old.got.note(name),
						Generation: uint64(old.come.UnixNano())})
				}
				random.Shuffle(len(jobs), func(a, b int) { jobs[a], jobs[b] = jobs[b], jobs[a] })
				synctest.Wait() // whatever is due at this very instant has begun
				replace(t, s, jobs...)
				for name, l := range current {
					if next[name] != l {
						l.gone = time.Now()
					}
				}
				current = next
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			for _, l := range current {
				l.gone = time.Now()
			}
		})
		for _, l := range lives {
			checkLife(t, l.interval, l.come, l.gone, l.got.all)
		}
	}
}

// checkLife wants one run at each instant of the phase within the life of a job, and at most one besides, the first.
func checkLife(t *testing.T, interval time.Duration, come, gone time.Time, got []visit) {
	t.Helper()
	extra := 0
	for i, v := range got {
		if v.due.Before(come) || v.due.After(gone) {
			t.Errorf("%s of %v ran at %v, and was there from %v to %v", v.job, interval, v.due, come, gone)
		}
		if i > 0 && got[i].due.Sub(got[i-1].due) != interval {
			extra++
			if i != 1 || got[1].due.Sub(got[0].due) > interval {
				t.Errorf("%s: run %d is %v after the one before, want %v", v.job, i, got[i].due.Sub(got[i-1].due),
					interval)
			}
		}
	}
	if extra > 1 {
		t.Errorf("%d extra runs", extra)
	}
	if n := len(got); n == 0 && gone.Sub(come) > min(interval, 5*time.Second) || n > 0 &&
		gone.Sub(got[n-1].due) > interval {
		t.Errorf("a job of %v that was there for %v has %d runs", interval, gone.Sub(come), n)
	}
}

// TestReplaceBesidesRun: before and after Run a change just waits for the next one, and jobs that are not right change
// nothing.
func TestReplaceBesidesRun(t *testing.T) {
	var got visits
	job := func(name string) scheduler.Job {
		return scheduler.Job{Name: name, Interval: time.Second, Run: got.note(name)}
	}
	s := &scheduler.Scheduler{Jobs: []scheduler.Job{job("old")}}
	replace(t, s, job("first"))
	inBubble(t, s, func(t *testing.T) {
		time.Sleep(3 * time.Second)
		if err := s.Replace([]scheduler.Job{job("twice"), job("twice")}); err == nil {
			t.Error("two jobs of one name were taken")
		}
		time.Sleep(3 * time.Second)
	})
	replace(t, s, job("second"))
	inBubble(t, s, func(*testing.T) { time.Sleep(3500 * time.Millisecond) })
	if n := len(got.of("old")) + len(got.of("twice")); n != 0 {
		t.Errorf("%d runs of jobs that were replaced before they could run", n)
	}
	if first, second := len(got.of("first")), len(got.of("second")); first < 5 || second < 3 {
		t.Errorf("%d and %d runs", first, second)
	}
}

// TestReplaceWhileItStops: changes from all sides, a stop in the middle of them, and every call returns.
func TestReplaceWhileItStops(t *testing.T) {
	for range 20 {
		s := &scheduler.Scheduler{MaxConcurrent: 4}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				for n := range 50 {
					jobs := make([]scheduler.Job, n)
					for k := range jobs {
						jobs[k] = scheduler.Job{Name: fmt.Sprint(k), Interval: time.Millisecond, Run: nothing,
							Generation: uint64(i * k % 3)}
					}
					replace(t, s, jobs...)
					if i == 3 && n == 25 {
						stop()
					}
				}
			})
		}
		all.Wait()
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if n := s.InFlight(); n != 0 {
			t.Fatalf("%d in flight after the stop", n)
		}
	}
}

// TestSetMaxConcurrent: the number of runs in flight follows the bound, up at once and down as runs end.
func TestSetMaxConcurrent(t *testing.T) {
	var s scheduler.Scheduler
	s.SetMaxConcurrent(2)
	for i := range 20 {
		s.Jobs = append(s.Jobs, scheduler.Job{Name: fmt.Sprint("job ", i), Interval: time.Second, Run: func(ctx context.Context, _ scheduler.Tick) {
			select {
			case <-time.After(10*time.Second + time.Duration(i)*time.Millisecond):
			case <-ctx.Done():
			}
		}})
	}
	inBubble(t, &s, func(t *testing.T) {
		for _, n := range []int{2, 16, 5, 0, 1} {
			s.SetMaxConcurrent(n)
			time.Sleep(11 * time.Second) // runs of before have ended
			want, most := n, 0
			if n == 0 {
				want = len(s.Jobs)
			}
			for range 200 {
				time.Sleep(77 * time.Millisecond)
				most = max(most, s.InFlight())
			}
			if most != want {
				t.Errorf("%d runs in flight with a bound of %d, want %d", most, n, want)
			}
		}
	})
	s.SetMaxConcurrent(3)
	if s.MaxConcurrent != 3 {
		t.Error("a scheduler that has ended keeps its bound")
	}
}

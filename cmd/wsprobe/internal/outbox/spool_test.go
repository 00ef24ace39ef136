package outbox

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/spool"
)

// kill ends an Outbox as kill -9 does: nothing is written any more and the lock is gone.
func (r *running) kill(t *testing.T, s *stub) {
	t.Helper()
	r.queue.disk.Dir.Path = filepath.Join(t.TempDir(), "gone", "\x00") // what happens from now on has no effect
	if err := r.queue.close(); err != nil {
		t.Error(err)
	}
	s.answer = away(time.Hour)
	r.cancel()
	<-r.done
}

func TestUndeliveredOutlivesAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "spool")
		s := &stub{answer: away(time.Hour)}
		r := start(t, 10*time.Second, Options{Dir: dir}, s)
		for i := range 3 {
			r.record()
			r.until(time.Duration(i+1) * 10 * time.Second)
		}
		r.record()
		r.stop(t)
		if got := s.delivered(); got != nil {
			t.Errorf("delivered %v", got)
		}

		s = new(stub)
		r = start(t, 10*time.Second, Options{Dir: dir}, s)
		r.until(time.Second)
		if got := s.delivered(); !slices.Equal(got, []byte{1, 2, 3, 4}) {
			t.Errorf("delivered %v at once, want all in order", got)
		}
		if state := r.Backlog(); state != (Backlog{}) || len(batchFiles(t, dir)) != 0 {
			t.Errorf("left %+v and %v", state, batchFiles(t, dir))
		}
		r.stop(t)
	})
}

// TestKillLosesOneInterval kills the agent at every moment of an outage. What was collected more than a second
// ago must be on the disk then.
func TestKillLosesOneInterval(t *testing.T) {
	for name, answer := range map[string]func(context.Context, int) Answer{
		"away":  func(context.Context, int) Answer { return Answer{Outcome: Deferred, ErrorType: "UNAVAILABLE"} },
		"hangs": hang,
	} {
		for _, at := range []time.Duration{10*time.Second + time.Second, 15 * time.Second, 21 * time.Second, 29 * time.Second} {
			t.Run(name+" "+at.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					dir := t.TempDir()
					s := &stub{answer: answer}
					r := start(t, 10*time.Second, Options{Dir: dir}, s)
					var want []byte
					for i := range 3 {
						r.until(min(at, time.Duration(i)*10*time.Second+5*time.Second))
						r.record()
						if collected := time.Duration(i+1) * 10 * time.Second; collected+time.Second <= at {
							want = append(want, byte(i+1))
						}
					}
					r.until(at)
					r.kill(t, s)

					s = new(stub)
					r = start(t, 10*time.Second, Options{Dir: dir}, s)
					r.until(time.Second)
					if got := s.delivered(); !slices.Equal(got, want) {
						t.Errorf("delivered %v after the start, want %v", got, want)
					}
					r.stop(t)
				})
			})
		}
	}
}

func TestSpoolIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := &stub{answer: away(105 * time.Second)}
		limit := 3 * spool.Size(packedSize(t, 1))
		r := start(t, 10*time.Second, Options{Dir: dir, DiskBytes: limit}, s)
		for i := range 11 {
			r.record()
			r.until(time.Duration(i+1)*10*time.Second - time.Second)
			if state := r.Backlog(); state.Bytes > limit {
				t.Errorf("%d bytes wait, want at most %d", state.Bytes, limit)
			}
			if n := len(batchFiles(t, dir)); n > 3 {
				t.Errorf("%d batches on disk, want 3 at most", n)
			}
		}
		r.until(119 * time.Second)
		r.stop(t)
		if got := s.delivered(); !slices.Equal(got, []byte{9, 10, 11}) {
			t.Errorf("delivered %v, want the newest", got)
		}
		if r.counts.dropped[DropQueueFull] == 0 {
			t.Error("nothing was counted as dropped")
		}
	})
}

func TestBatchesExpire(t *testing.T) {
	for _, where := range []string{"memory", "disk"} {
		t.Run(where, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := Options{MaxAge: 25 * time.Second}
				if where == "disk" {
					o.Dir = t.TempDir()
				}
				s := &stub{answer: away(64 * time.Second)}
				r := start(t, 10*time.Second, o, s)
				for i := range 6 {
					r.record()
					r.until(time.Duration(i+1) * 10 * time.Second)
				}
				r.until(69 * time.Second)
				r.stop(t)
				// The try at 65 s finds those that were collected at 40 s and later.
				if got := s.delivered(); !slices.Equal(got, []byte{4, 5, 6}) {
					t.Errorf("delivered %v", got)
				}
				if r.counts.dropped[DropExpired] == 0 {
					t.Error("nothing was counted as expired")
				}
			})
		})
	}
}

// TestClockThatIsSet has batches of an earlier process and a wall clock that was set since.
func TestClockThatIsSet(t *testing.T) {
	const hour = time.Hour
	for _, c := range []struct {
		name      string
		collected time.Duration // after the start of the process that finds it
		age       time.Duration // at the start
		expires   time.Duration // after the start
	}{
		{"not set", -hour, hour, 23 * hour},
		{"set back by a day", 23 * hour, 0, 24 * hour},
		{"set back by years", 100_000 * hour, 0, 24 * hour},
		{"set forth by half a day", -12 * hour, 12 * hour, 12 * hour},
		{"set forth by years", -100_000 * hour, 100_000 * hour, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			now, expired := time.Now(), 0
			q := newQueue(limits{disk: 1 << 20, age: 24 * time.Hour}, &spool.Store{Dir: spool.Dir{Path: t.TempDir()}}, func(cause DropCause, n int) {
				if cause != DropExpired {
					t.Errorf("dropped: %v", cause)
				}
				expired += n
			})
			q.load(now, []spool.Entry{{File: "x", Time: now.Add(c.collected).Round(0), Items: 1, Size: 100}})
			if c.expires == 0 {
				if expired != 1 {
					t.Error("kept")
				}
				return
			}
			if got := q.backlog(now).Age.Round(time.Second); got != c.age {
				t.Errorf("age %v at the start, want %v", got, c.age)
			}
			q.expire(now.Add(c.expires))
			if expired != 0 {
				t.Errorf("gone after %v", c.expires)
			}
			q.expire(now.Add(c.expires + time.Second))
			if expired != 1 {
				t.Errorf("still there after %v and a second", c.expires)
			}
		})
	}
}

// TestNewsDoNotWaitForTheSpool has a receiver that takes 300 ms for each request, and a spool from before.
func TestNewsDoNotWaitForTheSpool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := &stub{answer: away(time.Hour)}
		r := start(t, time.Second, Options{Dir: dir}, s)
		for i := range 100 {
			r.record()
			r.until(time.Duration(i+1) * time.Second)
		}
		r.stop(t)
		time.Sleep(time.Hour) // what is in the spool is no news

		s = &stub{answer: func(context.Context, int) Answer {
			time.Sleep(300 * time.Millisecond)
			return Answer{Outcome: Accepted}
		}}
		r = start(t, 10*time.Second, Options{Dir: dir, Interleave: true}, s)
		r.count = 200
		r.record()
		r.until(15 * time.Second)
		if got := s.delivered(); !slices.Contains(got, 201) || len(got) < 40 || !slices.IsSorted(got[:20]) {
			t.Errorf("after 15 s %v were delivered, want the new one among the old ones", got)
		}
		r.until(2 * time.Minute)
		r.stop(t)
		got := s.delivered()
		slices.Sort(got)
		if len(got) != 101 || len(slices.Compact(got)) != 101 {
			t.Errorf("delivered %v, want each once", got)
		}
	})
}

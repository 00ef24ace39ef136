package buffer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestNextWaits holds when Next returns, and with which items.
func TestNextWaits(t *testing.T) {
	other := func(id string) Item {
		it := event(id)
		it.Encoding = "csv"
		return it
	}
	for _, c := range []struct {
		name  string
		most  Batch
		act   func(b *Buffer) // beside Next, from the beginning
		after time.Duration
		want  string
	}{
		{"for the first item, and then for linger", Batch{Events: 3}, func(b *Buffer) {
			time.Sleep(time.Second)
			b.Add(event("1"))
			time.Sleep(time.Second)
			b.Add(event("2"))
		}, 6 * time.Second, "1 2"},
		{"no longer than until there are enough events", Batch{Events: 2}, func(b *Buffer) {
			b.Add(event("1"))
			time.Sleep(time.Second)
			b.Add(event("2"))
			b.Add(event("3"))
		}, time.Second, "1 2"},
		{"no longer than until there are enough bytes", Batch{Bytes: 100}, func(b *Buffer) {
			b.Add(event("1"))
			b.Add(event("2"))
			time.Sleep(time.Second)
			b.Add(event("3"))
		}, time.Second, "1 2"},
		{"not for a single event", Batch{Events: 1}, func(b *Buffer) { b.Add(event("1")) }, 0, "1"},
		{"not for others if one item exceeds the bytes", Batch{Bytes: 10}, func(b *Buffer) {
			b.Add(event("1"))
			b.Add(event("2"))
		}, 0, "1"},
		{"not once no more events come", Batch{Events: 3}, func(b *Buffer) {
			b.Add(event("1"))
			time.Sleep(time.Second)
			b.Seal()
		}, time.Second, "1"},
		{"for nothing once all is handed out and no more events come", Batch{}, func(b *Buffer) {
			time.Sleep(time.Second)
			b.Seal()
		}, time.Second, "EOF"},
		{"for nothing once the buffer is closed", Batch{}, func(b *Buffer) {
			time.Sleep(time.Second)
			_ = b.Close()
		}, time.Second, "the buffer is closed"},
		{"no longer than its context", Batch{}, func(*Buffer) {}, time.Minute, "context deadline exceeded"},
		{"for one encoding only", Batch{Events: 9}, func(b *Buffer) {
			b.Add(event("1"))
			b.Add(event("2"))
			b.Add(other("3"))
			b.Add(event("4"))
		}, 5 * time.Second, "1 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, err := Open(Options{})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				began := time.Now()
				go c.act(b)
				items, err := b.Next(ctx, 0, c.most, 5*time.Second)
				got := ids(items)
				if err != nil {
					got = err.Error()
				}
				if after := time.Since(began); got != c.want || after != c.after {
					t.Errorf("%q after %v, want %q after %v", got, after, c.want, c.after)
				}
				synctest.Wait()
				check(t, b)
			})
		})
	}
}

// TestReturn holds what comes after a connection broke.
func TestReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, Options{})
		r.add("1", "2", "3", "4", "5", "6")
		first, _ := r.next(0, Batch{Events: 2})
		second, _ := r.next(0, Batch{Events: 2})
		r.Accept(first[1])
		r.Return(0, second[1]) // which was not written
		if _, got := r.next(0, Batch{Events: 1}); got != "1+1" {
			t.Errorf("%q came first", got)
		}
		r.Return(0)
		r.Accept(second[0]) // an acknowledgement of a connection that is over
		r.Accept(second[0])
		r.Discard(Rejected, second[0])
		r.Discard(Rejected, first[0])
		r.hands(0, "4 5 6")
		r.counts("0 wait, 1 rejected, 5 accepted")
		r.Return(0) // of nothing
		r.hands(0, context.DeadlineExceeded.Error())
	})
}

// TestReturnedItemsDoNotLinger holds that a batch that comes again does not wait for more.
func TestReturnedItemsDoNotLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := Open(Options{})
		b.Add(event("1"))
		began := time.Now()
		for i := range 3 {
			items, err := b.Next(context.Background(), 0, Batch{Events: 9}, time.Second)
			if err != nil || len(items) != 1 || items[0].Sends != i || time.Since(began) != time.Second {
				t.Fatalf("%q after %v: %v", ids(items), time.Since(began), err)
			}
			b.Return(0)
		}
	})
}

// TestSealedBufferEnds holds that a drain ends when all is handed out, and goes on when it comes back.
func TestSealedBufferEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, Options{})
		r.add("1", "2")
		r.Seal()
		r.add("3")
		items, _ := r.next(0, Batch{})
		if _, got := r.next(0, Batch{}); got != io.EOF.Error() {
			t.Errorf("%q came", got)
		}
		r.Return(0)
		if _, got := r.next(0, Batch{}); got != "1+1 2+1" {
			t.Errorf("%q came", got)
		}
		r.Accept(items[0])
		r.close()
		r.counts("0 wait, 1 accepted, 2 stopped") // 2 was in flight, 3 came too late
		if _, got := r.next(0, Batch{}); got != ErrClosed.Error() {
			t.Errorf("%q came after the end", got)
		}
		r.Accept(items...)
		r.counts("0 wait, 1 accepted, 2 stopped")
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestLanesKeepOrder holds that the events of a name go through one lane, and that the names are spread.
func TestLanesKeepOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, Options{Lanes: 4})
		for n := range 10 {
			for probe := range 100 {
				r.Add(event(fmt.Sprintf("probe-%d/%d", probe, n)))
			}
		}
		last := make(map[string]string)
		for lane := range 4 {
			items, _ := r.next(lane, Batch{})
			if len(items) < 150 || len(items) > 350 {
				t.Errorf("lane %d has %d of 1000 events", lane, len(items))
			}
			for _, it := range items {
				name, number, _ := strings.Cut(it.ID, "/")
				if number <= last[name] {
					t.Errorf("%s came after %s", it.ID, last[name])
				}
				last[name] = number
			}
			for _, it := range items {
				if strings.HasSuffix(it.ID, "/9") {
					last[it.Lane] = "x" // nothing may come after it in another lane
				}
			}
		}
		r.counts("1000 wait")
	})
}

// TestWhenFull holds what a full buffer gives up.
func TestWhenFull(t *testing.T) {
	for _, c := range []struct {
		name    string
		o       Options
		fly     int // so many of 1, 2, 3 are in flight when the next come
		add     string
		waits   string // in the lane, after a Return
		numbers string
	}{
		{"the oldest event", Options{MaxEvents: 3}, 0, "4 5", "3 4 5", "3 wait, 2 buffer_full"},
		{"the oldest event that is not in flight", Options{MaxEvents: 3}, 1, "4 5", "1+1 4 5", "3 wait, 2 buffer_full"},
		{"the new event if all are in flight", Options{MaxEvents: 3}, 3, "4", "1+1 2+1 3+1", "3 wait, 1 buffer_full"},
		{"the newest event", Options{MaxEvents: 3, DropNewest: true}, 0, "4 5", "1 2 3", "3 wait, 2 buffer_full"},
		{"the oldest bytes", Options{MaxBytes: 3*size + 100}, 0, "4", "2 3 4", "3 wait, 1 buffer_full"},
		{"the newest bytes", Options{MaxBytes: 3*size + 100, DropNewest: true}, 0, "4", "1 2 3", "3 wait, 1 buffer_full"},
		{"several for a large one", Options{MaxBytes: 3 * size}, 0, "large", "large", "1 wait, 3 buffer_full"},
		{"one that is too large", Options{MaxBytes: 3 * size}, 0, "larger", "1 2 3", "3 wait, 1 too_large"},
		{"nothing without a bound", Options{}, 0, "4 5 6 large larger", "1 2 3 4 5 6 large larger", "8 wait"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, c.o)
				r.add("1", "2", "3")
				if c.fly > 0 {
					r.next(0, Batch{Events: c.fly})
				}
				for _, id := range strings.Fields(c.add) {
					it := event(id)
					switch id {
					case "large":
						it.Text = make([]byte, 2*size)
					case "larger":
						it.Text = make([]byte, 3*size)
					}
					r.Add(it)
					check(t, r.Buffer)
				}
				r.counts(c.numbers)
				r.Return(0)
				if _, got := r.next(0, Batch{}); got != c.waits {
					t.Errorf("%q waits, want %q", got, c.waits)
				}
			})
		})
	}
}

// TestCounts holds the numbers of a buffer in memory.
func TestCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, Options{})
		if c := r.Counts(); c.Size != (Size{}) || c.Taken != 0 || len(c.Discarded) != 0 {
			t.Errorf("%+v at first", c)
		}
		r.add("1")
		time.Sleep(time.Second)
		r.add("2")
		time.Sleep(time.Second)
		if got := r.Counts().Size; got != (Size{Events: 2, Bytes: 2 * size, Age: 2 * time.Second}) {
			t.Errorf("%+v", got)
		}
		r.counts("2 wait")
		r.hands(0, "1 2")
		if got := r.Counts().Size; got != (Size{}) {
			t.Errorf("%+v at the end", got)
		}
	})
}

// TestOpenRefusesASecondProcess holds the only error of Open.
func TestOpenRefusesASecondProcess(t *testing.T) {
	dir := t.TempDir()
	b, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another agent uses the directory") {
		t.Errorf("%v", err)
	}
	if err := errors.Join(b.Close(), b.Close()); err != nil {
		t.Error(err)
	}
}

package buffer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// onDisk is the test of a buffer on disk in a bubble.
func onDisk(t *testing.T, test func(t *testing.T, dir string)) {
	dir := filepath.Join(t.TempDir(), "spool")
	synctest.Test(t, func(t *testing.T) { test(t, dir) })
}

// TestConnectionThatWorksWritesNothing accepts each event just before it would be written.
func TestConnectionThatWorksWritesNothing(t *testing.T) {
	onDisk(t, func(t *testing.T, dir string) {
		var wrote atomic.Int32
		r := start(t, Options{Dir: dir}, func(b *Buffer) {
			b.store.Dir.Write = func(name string, content []byte) error {
				wrote.Add(1)
				return write(name, content)
			}
		})
		for range 100 {
			r.add("1", "2", "3")
			items, _ := r.next(0, Batch{})
			time.Sleep(persistAfter - time.Millisecond)
			r.Accept(items...)
			time.Sleep(time.Second)
		}
		r.close()
		if wrote.Load() != 0 {
			t.Errorf("%d files were written", wrote.Load())
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("left %v, want the lock alone", left)
		}
	})
}

// TestRunIsNotWokenByEachEvent accepts each event at once. Run is woken by the first one, and then looks by itself.
func TestRunIsNotWokenByEachEvent(t *testing.T) {
	onDisk(t, func(t *testing.T, dir string) {
		r := start(t, Options{Dir: dir})
		idle := func() bool {
			synctest.Wait()
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.idle
		}
		time.Sleep(time.Hour)
		woken := 0
		for i := range 400 {
			if idle() {
				woken++
			}
			r.add(fmt.Sprint(i))
			items, _ := r.next(0, Batch{})
			r.Accept(items...)
			time.Sleep(10 * time.Millisecond)
		}
		if woken != 1 {
			t.Errorf("Run was woken %d times", woken)
		}
		if time.Sleep(2 * persistAfter); !idle() {
			t.Error("Run still looks when no events come")
		}
		r.close()
	})
}

// TestUnprovenEventsAreWrittenAfter400ms holds the time, and that many events are one file.
func TestUnprovenEventsAreWrittenAfter400ms(t *testing.T) {
	onDisk(t, func(t *testing.T, dir string) {
		r := start(t, Options{Dir: dir})
		time.Sleep(time.Hour)
		began := time.Now()
		for i := range 40 {
			r.add(fmt.Sprint(i))
			if i%2 == 0 {
				r.next(0, Batch{}) // whether they are in flight or not
			}
			time.Sleep(10 * time.Millisecond)
			synctest.Wait()
			want := 0
			if time.Since(began) >= 400*time.Millisecond {
				want = 1
			}
			if got := len(files(t, dir)); got != want {
				t.Fatalf("%d files after %v", got, time.Since(began))
			}
		}
		r.kill()
		r = start(t, Options{Dir: dir})
		r.counts("40 wait")
	})
}

// TestKilledProcess holds that what was written comes again, first and in order, with any number of lanes.
func TestKilledProcess(t *testing.T) {
	onDisk(t, func(t *testing.T, dir string) {
		r := start(t, Options{Dir: dir, Lanes: 3})
		for i := range 9 {
			r.add(fmt.Sprint("a/", i), fmt.Sprint("b/", i), fmt.Sprint("c/", i))
			time.Sleep(500 * time.Millisecond)
		}
		for lane := range 3 {
			if items, _ := r.next(lane, Batch{Events: 6}); lane == 1 {
				r.Accept(items...) // a block comes whole, though
			}
		}
		r.add("a/late") // for less than 400 ms
		r.kill()
		for _, lanes := range []int{1, 2, 5} {
			r = start(t, Options{Dir: dir, Lanes: lanes})
			r.counts("27 wait")
			r.add("a/9", "b/9", "c/9")
			for lane := range lanes {
				synctest.Wait()
				items, _ := r.next(lane, Batch{})
				next := make(map[string]int)
				for _, it := range items {
					want := fmt.Sprint(it.Lane, "/", next[it.Lane])
					next[it.Lane]++
					if sends := 1; it.ID != want || it.Sends != sends && it.ID[2] != '9' || it.Slot != 7 || len(it.Text) != 44 {
						t.Fatalf("%+v, want %s", it, want)
					}
				}
				for name, n := range next {
					if n != 10 {
						t.Fatalf("%d of %s", n, name)
					}
				}
			}
			r.kill()
		}
	})
}

// TestStop holds that a stop writes what waits, and that only that comes again.
func TestStop(t *testing.T) {
	onDisk(t, func(t *testing.T, dir string) {
		r := start(t, Options{Dir: dir})
		r.add("1", "2", "3", "4")
		time.Sleep(500 * time.Millisecond) // they are a block
		r.add("5", "6")
		items, _ := r.next(0, Batch{Events: 5})
		r.Accept(items[1], items[4])
		r.Return(0)
		r.close()
		r.counts("4 wait, 2 accepted")
		for range 3 { // marks hold on
			r = start(t, Options{Dir: dir})
			r.counts("4 wait")
			r.close()
		}
		r = start(t, Options{Dir: dir})
		synctest.Wait()
		r.hands(0, "1+2 3+2 4+2 6+1")
		r.close()
		if left := files(t, dir); len(left) != 0 {
			t.Errorf("left %v", left)
		}
	})
}

// TestDamagedMarks holds that blocks come whole then.
func TestDamagedMarks(t *testing.T) {
	for name, content := range map[string]string{"cut off": "x", "of another format": ""} {
		t.Run(name, func(t *testing.T) {
			onDisk(t, func(t *testing.T, dir string) {
				r := start(t, Options{Dir: dir})
				r.add("1", "2")
				time.Sleep(500 * time.Millisecond)
				items, _ := r.next(0, Batch{Events: 1})
				r.Accept(items...)
				r.close()
				marks, _ := filepath.Glob(filepath.Join(dir, "*.0.batch"))
				if len(marks) != 1 {
					t.Fatal(marks)
				}
				if content != "" {
					if err := os.WriteFile(marks[0], []byte(content), 0o600); err != nil {
						t.Fatal(err)
					}
				} else {
					r = start(t, Options{Dir: dir})
					if _, err := r.store.Put(time.Now(), 0, []byte{9}); err != nil {
						t.Fatal(err)
					}
					r.kill()
					if err := os.Remove(marks[0]); err != nil {
						t.Fatal(err)
					}
				}
				r = start(t, Options{Dir: dir})
				synctest.Wait()
				r.hands(0, "1+1 2+1")
				r.close()
				if left := files(t, dir); len(left) != 0 {
					t.Errorf("left %v", left)
				}
			})
		})
	}
}

// TestSmallerBounds holds that bounds hold for events of an earlier process, too.
func TestSmallerBounds(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		want string
	}{
		{"the oldest go", Options{MaxEvents: 3}, "1/3+1 1/4+1 1/5+1"},
		{"the newest go", Options{MaxEvents: 3, DropNewest: true}, "1/0+1 1/1+1 1/2+1"},
		{"the oldest block goes", Options{MaxBytes: 300}, "1/4+1 1/5+1"},
		{"the newest block goes", Options{MaxBytes: 300, DropNewest: true}, "1/0+1 1/1+1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			onDisk(t, func(t *testing.T, dir string) {
				r := start(t, Options{Dir: dir}, noMerge)
				for i := range 3 {
					r.add(fmt.Sprint("1/", 2*i), fmt.Sprint("1/", 2*i+1))
					time.Sleep(500 * time.Millisecond)
				}
				r.kill()
				c.o.Dir = dir
				r = start(t, c.o)
				synctest.Wait()
				wait := len(strings.Fields(c.want))
				r.counts(fmt.Sprintf("%d wait, %d buffer_full", wait, 6-wait))
				r.hands(0, c.want)
				r.close()
			})
		})
	}
}

// noMerge lets each write be a block of its own.
func noMerge(b *Buffer) { b.small = 0 }

// TestTrickle has an event a second for 15 minutes while the connection is down: the files are few.
func TestTrickle(t *testing.T) {
	onDisk(t, func(t *testing.T, dir string) {
		r := start(t, Options{Dir: dir, Lanes: 2})
		bytes := 0
		for i := range 900 {
			it := event(fmt.Sprintf("probe-%d/%d", i%7, i))
			it.Text = make([]byte, 700)
			bytes += len(it.Text)
			r.Add(it)
			time.Sleep(time.Second)
			if n := len(files(t, dir)); n > 1+bytes*5/4/smallBlock {
				t.Fatalf("%d files for %d bytes", n, bytes)
			}
		}
		check(t, r.Buffer)
		r.counts("900 wait")
		if got := r.Counts().Size; got.Age != 15*time.Minute || got.Bytes < int64(bytes) || got.Bytes > int64(bytes)*5/4 {
			t.Errorf("%+v for %d bytes", got, bytes)
		}
	})
}

// TestKilledBetweenTwoFiles ends a process after it wrote a small block anew, and before it removed the old file.
func TestKilledBetweenTwoFiles(t *testing.T) {
	onDisk(t, func(t *testing.T, dir string) {
		r := start(t, Options{Dir: dir})
		r.add("1", "2")
		time.Sleep(time.Second)
		old := files(t, dir)[0]
		content, err := os.ReadFile(old)
		if err != nil {
			t.Fatal(err)
		}
		r.add("3")
		time.Sleep(time.Second)
		r.kill()
		if err := os.WriteFile(old, content, 0o600); err != nil || len(files(t, dir)) != 2 {
			t.Fatal(err, files(t, dir))
		}
		r = start(t, Options{Dir: dir})
		synctest.Wait()
		r.counts("3 wait")
		r.hands(0, "1+1 2+1 3+1")
		synctest.Wait()
		if left := files(t, dir); len(left) != 0 {
			t.Errorf("left %v", left)
		}
	})
}

// TestBacklogTakesNoMemory has 60 MB on disk, for two lanes of which one is mute. Then the other goes through all.
func TestBacklogTakesNoMemory(t *testing.T) {
	onDisk(t, func(t *testing.T, dir string) {
		const most = 8 << 20
		before := heap()
		r := start(t, Options{Dir: dir, Lanes: 2})
		for i := range 60_000 {
			r.Add(Item{ID: fmt.Sprint(i), Lane: fmt.Sprint(i % 10), At: time.Now(), Text: make([]byte, 1024)})
			if i%1000 == 999 {
				time.Sleep(500 * time.Millisecond)
			}
		}
		synctest.Wait()
		if now := heap(); now > before+most {
			t.Errorf("%d MiB are in memory", (now-before)>>20)
		}
		taken := 0
		for items, _ := r.next(0, Batch{Events: 1000}); len(items) > 0; items, _ = r.next(0, Batch{Events: 1000}) {
			r.Accept(items...)
			if taken += len(items); taken%10_000 < len(items) {
				if now := heap(); now > before+most {
					t.Errorf("%d MiB are in memory after %d events", (now-before)>>20, taken)
				}
			}
		}
		if left := sum(t, r.Buffer).Size.Events; taken != 60_000-left || taken < 20_000 || left < 20_000 {
			t.Errorf("%d were taken, and %d are left", taken, left)
		}
	})
}

// TestFullDisk has a disk that is full for a while: the memory is the bound then, and all is counted.
func TestFullDisk(t *testing.T) {
	onDisk(t, func(t *testing.T, dir string) {
		var full atomic.Bool
		failed := 0
		r := start(t, Options{Dir: dir, SpoolFailed: func(kind string) {
			if failed++; kind != "no_space" {
				t.Error(kind)
			}
		}}, func(b *Buffer) {
			b.mostFresh = 10 * size
			b.store.Dir.Write = func(name string, content []byte) error {
				if full.Load() {
					_ = write(name, content[:3])
					return syscall.ENOSPC
				}
				return write(name, content)
			}
		})
		for i := range 20 {
			r.add(string(rune('a' + i)))
			time.Sleep(time.Second)
		}
		full.Store(true)
		for i := range 15 {
			r.add(string(rune('A' + i)))
			time.Sleep(time.Second)
		}
		r.counts("30 wait, 5 buffer_full") // of A, B, C, ...
		full.Store(false)
		time.Sleep(2 * time.Second)
		if c := r.Counts().Size; c.Bytes > 30*size*2/3 || len(files(t, dir)) == 0 {
			t.Errorf("%+v, want all on disk", c)
		}
		r.hands(0, "a b c d e f g h i j k l m n o p q r s t F G H I J K L M N O")
		for _, line := range []string{"the spool does not work: events of the stream stay in memory", "the spool works again"} {
			if n := strings.Count(r.log.String(), line); n != 1 {
				t.Errorf("%q was logged %d times:\n%s", line, n, r.log)
			}
		}
		if failed < 10 {
			t.Errorf("%d failures were told", failed)
		}
		synctest.Wait()
		if left := files(t, dir); len(left) != 0 {
			t.Errorf("left %v", left)
		}
	})
}

// TestStuckDisk has a write that takes a minute. Nobody waits for it but Run.
func TestStuckDisk(t *testing.T) {
	onDisk(t, func(t *testing.T, dir string) {
		var stuck atomic.Bool
		r := start(t, Options{Dir: dir}, func(b *Buffer) {
			b.store.Dir.Write = func(name string, content []byte) error {
				if stuck.Load() {
					time.Sleep(time.Minute)
				}
				return write(name, content)
			}
		})
		r.add("1")
		time.Sleep(time.Second)
		stuck.Store(true)
		for i := range 20 {
			began := time.Now()
			r.add(fmt.Sprint(2 + i))
			items, _ := r.next(0, Batch{Events: 1})
			r.Accept(items...)
			r.Return(0)
			if took := time.Since(began); took != 0 {
				t.Fatalf("it took %v", took)
			}
			time.Sleep(time.Second)
		}
		stuck.Store(false)
		r.add("late")
		time.Sleep(2 * time.Minute)
		r.kill()
		r = start(t, Options{Dir: dir})
		synctest.Wait()
		r.hands(0, "21+1 late+1")
		r.close()
	})
}

// TestStopWithStuckDisk holds that a stop does not wait for ever, and counts what is lost.
func TestStopWithStuckDisk(t *testing.T) {
	onDisk(t, func(t *testing.T, dir string) {
		r := start(t, Options{Dir: dir}, func(b *Buffer) {
			b.store.Dir.Write = func(string, []byte) error {
				time.Sleep(time.Hour)
				return syscall.EIO
			}
		})
		r.add("1", "2")
		began := time.Now()
		r.close()
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("the stop took %v", took)
		}
		r.counts("0 wait, 2 stopped")
		time.Sleep(2 * time.Hour) // the call returns
	})
}

// TestDirectoryThatVanishes loses what is on disk only, and counts it. Then the directory is there again.
func TestDirectoryThatVanishes(t *testing.T) {
	onDisk(t, func(t *testing.T, dir string) {
		r := start(t, Options{Dir: dir}, noMerge, func(b *Buffer) { b.ahead = 3 * (44 + overhead) })
		for i := range 9 {
			r.add(fmt.Sprint(i))
			time.Sleep(500 * time.Millisecond)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		r.add("9")
		time.Sleep(3 * time.Second)
		r.hands(0, "0 1 2")
		synctest.Wait()
		r.hands(0, "9")
		r.counts("0 wait, 4 accepted, 6 damaged")
		r.add("10")
		time.Sleep(time.Second)
		r.kill()
		r = start(t, Options{Dir: dir})
		synctest.Wait()
		r.hands(0, "10+1")
		r.close()
	})
}

// TestDirectoryThatComesLate begins with a regular file where the directory should be.
func TestDirectoryThatComesLate(t *testing.T) {
	onDisk(t, func(t *testing.T, dir string) {
		if err := os.WriteFile(dir, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		r := start(t, Options{Dir: dir})
		r.add("1")
		time.Sleep(time.Minute)
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		r.kill()
		r = start(t, Options{Dir: dir})
		synctest.Wait()
		r.hands(0, "1+1")
		r.close()
	})
}

// TestDamagedBlocks loses the events of damaged files, counts them, and goes on with the others.
func TestDamagedBlocks(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(file string) error
		early  bool // it happens while nobody runs
	}{
		{"cut off before the start", func(file string) error { return os.Truncate(file, 99) }, true},
		{"cut off later", func(file string) error { return os.Truncate(file, 99) }, false},
		{"changed", func(file string) error {
			content, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			content[len(content)-1]++
			return os.WriteFile(file, content, 0o600)
		}, true},
		{"removed", os.Remove, false},
		{"a directory", func(file string) error {
			if err := os.Remove(file); err != nil {
				return err
			}
			return os.Mkdir(file, 0o700)
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			onDisk(t, func(t *testing.T, dir string) {
				r := start(t, Options{Dir: dir}, noMerge)
				for i := range 3 {
					r.add(fmt.Sprint(3*i), fmt.Sprint(3*i+1), fmt.Sprint(3*i+2))
					time.Sleep(500 * time.Millisecond)
				}
				r.kill()
				all := files(t, dir)
				if c.early {
					if err := c.damage(all[1]); err != nil {
						t.Fatal(err)
					}
				}
				r = start(t, Options{Dir: dir}, func(b *Buffer) { b.ahead = 0 })
				synctest.Wait()
				if !c.early {
					if err := c.damage(all[1]); err != nil {
						t.Fatal(err)
					}
				}
				r.hands(0, "0+1 1+1 2+1")
				synctest.Wait()
				r.hands(0, "6+1 7+1 8+1")
				r.counts("0 wait, 3 damaged, 6 accepted")
				if c := r.Counts(); c.Taken != 9 || c.Size != (Size{}) {
					t.Errorf("%+v", c)
				}
			})
		})
	}
}

// TestUnreadableBlock has a file that cannot be read for now, and then one that cannot be read for ten seconds.
func TestUnreadableBlock(t *testing.T) {
	onDisk(t, func(t *testing.T, dir string) {
		away := dir + ".away"
		hide := func() { // a file where the directory was, so that there is another error than that of absence
			if err := errors.Join(os.Rename(dir, away), os.WriteFile(dir, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		show := func() {
			if err := errors.Join(os.Remove(dir), os.Rename(away, dir)); err != nil {
				t.Fatal(err)
			}
		}
		r := start(t, Options{Dir: dir}, noMerge)
		for _, id := range []string{"1", "2", "3"} {
			r.add(id)
			time.Sleep(500 * time.Millisecond)
		}
		r.close()
		r = start(t, Options{Dir: dir}, func(b *Buffer) { b.ahead = 0 })
		synctest.Wait()
		hide()
		r.hands(0, "1+1")
		if _, got := r.next(0, Batch{}); got != context.DeadlineExceeded.Error() {
			t.Errorf("%q came before 2", got)
		}
		show()
		time.Sleep(time.Second)
		hide()
		r.hands(0, "2+1")
		r.add("4")
		time.Sleep(8 * time.Second)
		r.counts("2 wait, 2 accepted")
		time.Sleep(2 * time.Second)
		r.hands(0, "4")
		r.counts("0 wait, 1 damaged, 3 accepted")
		show()
	})
}

// TestLargestEvent holds that an event that fits is also written.
func TestLargestEvent(t *testing.T) {
	onDisk(t, func(t *testing.T, dir string) {
		r := start(t, Options{Dir: dir})
		it := event("a")
		it.Encoding = strings.Repeat("e", 1000)
		it.Text = make([]byte, mostFresh-overhead-1002)
		r.Add(it)
		time.Sleep(time.Second)
		it.Text = make([]byte, mostFresh-overhead-1001)
		r.Add(it)
		r.counts("1 wait, 1 too_large")
		r.kill()
		r = start(t, Options{Dir: dir})
		synctest.Wait()
		r.hands(0, "a+1")
		r.close()
	})
}

// TestFlaps breaks the connection a thousand times.
func TestFlaps(t *testing.T) {
	onDisk(t, func(t *testing.T, dir string) {
		r := start(t, Options{Dir: dir})
		var want []string
		for i := range 1000 {
			want = append(want, fmt.Sprint(i))
			r.add(want[i])
			items, _ := r.next(0, Batch{Events: 5})
			if i%10 == 0 {
				r.Accept(items...)
				want[i] = ""
			}
			r.Return(0)
			time.Sleep(time.Duration(i%7) * 100 * time.Millisecond)
			check(t, r.Buffer)
		}
		got := ""
		for {
			items, more := r.next(0, Batch{})
			if items == nil {
				break
			}
			got += " " + more
			r.Accept(items...)
			synctest.Wait()
		}
		last := -1
		for _, id := range strings.Fields(got) {
			n := 0
			if _, err := fmt.Sscan(strings.Split(id, "+")[0], &n); err != nil || n <= last {
				t.Fatalf("%s came after %d", id, last)
			}
			last = n
		}
		if c := sum(t, r.Buffer); c.Accepted != 1000 || c.Size.Events != 0 {
			t.Errorf("%+v", c)
		}
	})
}

package outbox

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/logtest"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/spool"
)

func TestDiskIsLeftAloneWhileExportsGetThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := start(t, 10*time.Second, Options{Dir: dir}, new(stub))
		wrote := 0
		r.queue.disk.Dir.Write = func(name string, content []byte) error {
			wrote++
			return spool.WriteFile(name, content)
		}
		for i := range 5 {
			r.record()
			r.until(time.Duration(i+1) * 10 * time.Second)
		}
		r.stop(t)
		if wrote != 0 {
			t.Errorf("%d batches were written", wrote)
		}
	})
}

// TestFullDisk has a disk that is full from 15 s to 45 s, while the receiver is away until 75 s.
func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, dir := new(logtest.Log), t.TempDir()
		s := &stub{answer: away(75 * time.Second)}
		r := prepare(t, 10*time.Second, Options{Dir: dir, Log: logger(log)}, s)
		began := time.Now()
		r.queue.disk.Dir.Write = func(name string, content []byte) error {
			if after := time.Since(began); after > 15*time.Second && after < 45*time.Second {
				return errors.Join(spool.WriteFile(name, content[:3]), syscall.ENOSPC)
			}
			return spool.WriteFile(name, content)
		}
		r.start(t)
		for i, want := range []int{1, 1, 1, 1, 5, 6} {
			r.record()
			r.until(time.Duration(i+1)*10*time.Second + time.Second)
			if got := len(batchFiles(t, dir)); got != want {
				t.Errorf("at %v: %d batches on disk, want %d", time.Since(began), got, want)
			}
		}
		r.until(90 * time.Second)
		r.stop(t)
		if got := s.delivered(); !slices.Equal(got, []byte{1, 2, 3, 4, 5, 6}) {
			t.Errorf("delivered %v, want all in order", got)
		}
		for _, line := range []string{"the spool does not work", "the spool works again"} {
			if n := strings.Count(log.String(), line); n != 1 {
				t.Errorf("%q was logged %d times:\n%s", line, n, log)
			}
		}
		if n := r.counts.failures["no_space"]; n < 3 {
			t.Errorf("%d failures were counted, want one for each try", n)
		}
		if files, _ := os.ReadDir(dir); len(files) != 1 {
			t.Errorf("left %v, want the lock alone", files)
		}
	})
}

// TestDirectoryThatComesLate begins with a regular file where a part of the path should be.
func TestDirectoryThatComesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, file := new(logtest.Log), filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		s := &stub{answer: away(45 * time.Second)}
		dir := filepath.Join(file, "spool")
		r := start(t, 10*time.Second, Options{Dir: dir, Log: logger(log)}, s)
		r.record()
		r.until(15 * time.Second)
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		r.record()
		r.until(25 * time.Second)
		if n := len(batchFiles(t, dir)); n != 2 {
			t.Errorf("%d batches on disk, want 2", n)
		}
		// Somebody removes the directory: what was in it is lost, what comes goes there again.
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		r.record()
		r.until(35 * time.Second)
		r.record()
		r.until(44 * time.Second)
		if n := len(batchFiles(t, dir)); n != 2 {
			t.Errorf("%d batches on disk, want 2", n)
		}
		r.until(70 * time.Second)
		r.stop(t)
		if got := s.delivered(); !slices.Equal(got, []byte{3, 4}) {
			t.Errorf("delivered %v, want what was not removed:\n%s", got, log)
		}
		if r.counts.dropped[DropDamaged] == 0 {
			t.Error("what was removed was not counted")
		}
	})
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(Options{Dir: dir})
	if !errors.Is(err, spool.ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v, want ErrInUse and the directory", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	third, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatalf("after the end of the first: %v", err)
	}
	if err := third.Close(); err != nil {
		t.Error(err)
	}
}

func TestDamagedBatchIsSetAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, dir := new(logtest.Log), t.TempDir()
		s := &stub{answer: away(time.Hour)}
		r := start(t, 10*time.Second, Options{Dir: dir}, s)
		for i := range 3 {
			r.record()
			r.until(time.Duration(i+1) * 10 * time.Second)
		}
		r.stop(t)
		files := batchFiles(t, dir)
		content, err := os.ReadFile(files[1])
		if err != nil {
			t.Fatal(err)
		}
		content[len(content)-1]++
		if err := os.WriteFile(files[1], content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "0.batch"), []byte("garbage"), 0o600); err != nil {
			t.Fatal(err)
		}

		s = new(stub)
		r = start(t, 10*time.Second, Options{Dir: dir, Log: logger(log)}, s)
		r.until(5 * time.Second)
		r.stop(t)
		if got := s.delivered(); !slices.Equal(got, []byte{1, 3}) {
			t.Errorf("delivered %v, want the others", got)
		}
		if n := strings.Count(log.String(), `msg="files in the spool are no batches" files=1`); n != 2 || r.counts.unrecognized != 2 {
			t.Errorf("logged %d times, counted %d:\n%s", n, r.counts.unrecognized, log)
		}
		// One batch has its number of points in its name; of the other one it is certain that it had one.
		if got, want := r.counts.dropped[DropDamaged], (pointsOf(t, files[1]) + 1); got != want {
			t.Errorf("%d points were counted as dropped, want %d", got, want)
		}
		aside, _ := filepath.Glob(filepath.Join(dir, "*.damaged"))
		if len(aside) != 2 || len(batchFiles(t, dir)) != 0 {
			t.Errorf("set aside: %v", aside)
		}
	})
}

// pointsOf returns the number of points that the name of a batch says.
func pointsOf(t *testing.T, file string) int {
	t.Helper()
	parts := strings.Split(filepath.Base(file), ".")
	n, err := strconv.Atoi(parts[len(parts)-2])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// hanging makes the disk keep every call from one time after the start until another.
func (r *running) hanging(from, until time.Duration) {
	r.queue.disk.Dir.Write = func(name string, content []byte) error {
		if after := time.Since(r.began); after >= from {
			time.Sleep(until - after)
		}
		return spool.WriteFile(name, content)
	}
}

// TestDiskThatHangs has a receiver that is away until 45 s, and a disk that does not answer from 15 s to 75 s.
func TestDiskThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, dir := new(logtest.Log), t.TempDir()
		s := &stub{answer: away(45 * time.Second)}
		r := prepare(t, 10*time.Second, Options{Dir: dir, Log: logger(log)}, s)
		r.hanging(15*time.Second, 75*time.Second)
		r.start(t)
		for i := range 7 {
			r.record()
			r.until(time.Duration(i+1)*10*time.Second + time.Second)
		}
		got := s.delivered()
		slices.Sort(got)
		if !slices.Equal(got, []byte{2, 3, 4, 5, 6, 7}) { // the first one is on the disk
			t.Errorf("delivered %v while the disk hangs, want what is in memory", got)
		}
		if r.counts.failures["stuck"] == 0 || strings.Count(log.String(), "error.type=stuck") != 1 {
			t.Errorf("counted %v:\n%s", r.counts.failures, log)
		}
		r.until(76 * time.Second)
		s.answer = away(29 * time.Second) // from now on
		for i := 7; i < 10; i++ {
			r.record()
			r.until(time.Duration(i+1)*10*time.Second + 2*time.Second)
		}
		if n := len(batchFiles(t, dir)); n == 0 || !strings.Contains(log.String(), "the spool works again") {
			t.Errorf("%d batches on the disk after it has come back:\n%s", n, log)
		}
		r.until(140 * time.Second)
		r.stop(t)
		got = s.delivered()
		slices.Sort(got)
		if want := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}; !slices.Equal(got, want) {
			t.Errorf("delivered %v, want each once", got)
		}
		if files, _ := os.ReadDir(dir); len(files) != 1 {
			t.Errorf("left %v, want the lock alone", files)
		}
	})
}

// TestStopWithADiskThatHangs: a stop waits for a disk that hangs only if that is news, and then as long as for a
// receiver.
func TestStopWithADiskThatHangs(t *testing.T) {
	for name, c := range map[string]struct{ hangs, took time.Duration }{
		"for long":         {15 * time.Second, 0},
		"only at the stop": {31 * time.Second, stopBudget},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const end = time.Hour
				r := prepare(t, 10*time.Second, Options{Dir: t.TempDir()}, &stub{answer: away(end)})
				r.hanging(c.hangs, end)
				r.start(t)
				for i := range 3 {
					r.record()
					r.until(time.Duration(i+1) * 10 * time.Second)
				}
				r.until(35 * time.Second)
				r.record()
				if took := r.stop(t); took != c.took {
					t.Errorf("the stop took %v, want %v", took, c.took)
				}
				time.Sleep(end) // let the disk return
			})
		})
	}
}

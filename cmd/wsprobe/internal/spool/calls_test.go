package spool

import (
	"errors"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// hung opens a directory in a bubble whose disk keeps what is written for some time.
func hung(t *testing.T, hangs time.Duration) *Dir {
	t.Helper()
	d := &Dir{Path: t.TempDir()}
	if err := d.Open(); err != nil {
		t.Fatal(err)
	}
	d.Write = func(name string, content []byte) error {
		time.Sleep(hangs)
		return WriteFile(name, content)
	}
	return d
}

// waited returns what a call returns, and how long it takes.
func waited(f func() error) (time.Duration, error) {
	began := time.Now()
	err := f()
	return time.Since(began), err
}

func TestDiskThatDoesNotAnswerHoldsUpNobodyForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := hung(t, time.Minute)
		e := Entry{File: "x.batch"}
		for _, c := range []struct {
			name string
			call func() error
			err  error
			took time.Duration
		}{
			{"the first", func() error { _, err := d.Put(noon, 1, nil); return err }, ErrStuck, defaultPatience},
			{"put", func() error { _, err := d.Put(noon, 1, nil); return err }, ErrStuck, 0},
			{"get", func() error { _, err := d.Get(e); return err }, ErrStuck, 0},
			{"tidy", d.Tidy, ErrStuck, 0},
			{"open", d.Open, ErrStuck, 0},
			{"found", func() error { d.Found(0); return nil }, nil, 0},
			{"remove", func() error { d.Remove(e); return nil }, nil, 0},
			{"set aside", func() error { d.SetAside(e, "why"); return nil }, nil, 0},
			{"close", d.Close, nil, 0},
		} {
			if took, err := waited(c.call); !errors.Is(err, c.err) || took != c.took {
				t.Errorf("%s: got %v after %v, want %v after %v", c.name, err, took, c.err, c.took)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if _, err := d.Put(noon, 1, nil); err == nil || errors.Is(err, ErrStuck) {
			t.Errorf("got %v, want that it is closed", err)
		}
	})
}

// TestCallersWaitTogether: whoever waits behind a call that hangs waits no longer than for a call of his own.
func TestCallersWaitTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := hung(t, 3*time.Second)
		done := make(chan time.Duration)
		for range 3 {
			go func() {
				took, _ := waited(func() error { _, err := d.Put(noon, 1, nil); return err })
				done <- took
			}()
		}
		for range 3 {
			if took := <-done; took != defaultPatience {
				t.Errorf("a caller waited for %v", took)
			}
		}
		time.Sleep(time.Minute)
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if got := names(t, d.Path); !slices.Equal(got, []string{lockName}) {
			t.Errorf("left %v", got)
		}
	})
}

// TestLatePutLeavesNothing: a batch whose caller has left does not come up later, wherever its call is then.
func TestLatePutLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := hung(t, time.Minute)
		if _, err := d.Put(noon, 1, []byte("written late")); !errors.Is(err, ErrStuck) {
			t.Errorf("got %v", err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		d.Write = WriteFile
		if got := names(t, d.Path); !slices.Equal(got, []string{lockName}) {
			t.Errorf("left %v", got)
		}
		// Here the call that hangs is another one, behind which the batch waits.
		release := make(chan struct{})
		d.calls.later(func() { <-release })
		if _, err := d.Put(noon, 1, []byte("not written at all")); !errors.Is(err, ErrStuck) {
			t.Errorf("got %v", err)
		}
		close(release)
		synctest.Wait()
		if got := names(t, d.Path); !slices.Equal(got, []string{lockName}) {
			t.Errorf("left %v", got)
		}
		// And here it had its name when the caller left.
		one := &call{left: true}
		var e Entry
		d.calls.left = 1
		one.undo = func() { d.Remove(e) }
		e, _ = d.put(&call{}, noon, 1, []byte("named"))
		d.calls.later(func() { d.calls.perform(one) })
		synctest.Wait()
		if got := names(t, d.Path); !slices.Equal(got, []string{lockName}) || d.calls.stuck() {
			t.Errorf("left %v", got)
		}
		// The disk works again.
		kept := put(t, d, noon, "content")
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if got := names(t, d.Path); !slices.Equal(got, []string{kept.File, lockName}) {
			t.Errorf("left %v", got)
		}
	})
}

// TestOpenThatTakesTooLong takes nothing: the next Open must not find the directory in use.
func TestOpenThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &Dir{Path: t.TempDir(), Patience: time.Second}
		if err := os.WriteFile(d.file("note"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		d.calls.later(func() { <-release })
		if took, err := waited(d.Open); !errors.Is(err, ErrStuck) || took != time.Second {
			t.Errorf("got %v after %v", err, took)
		}
		close(release)
		synctest.Wait()
		if err := d.Open(); err != nil {
			t.Error(err)
		}
		if d.Found(time.Minute); d.Scanning() {
			t.Error("the scan has not ended")
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestRemovalsEndBeforeTheLock: the next process must not find what this one has delivered.
func TestRemovalsEndBeforeTheLock(t *testing.T) {
	d, _, _ := opened(t, t.TempDir())
	var all []Entry
	for range 50 {
		all = append(all, put(t, d, noon, "x"))
	}
	release := make(chan struct{})
	d.calls.later(func() { <-release })
	for _, e := range all {
		d.Remove(e)
	}
	close(release)
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if got := names(t, d.Path); !slices.Equal(got, []string{lockName}) {
		t.Errorf("left %v", got)
	}
}

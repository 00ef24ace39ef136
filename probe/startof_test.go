package probe

import (
	"testing"
	"time"
	"unsafe"
)

// TestOverloaded: a run shows the agent's machine if it was started or served late.
func TestOverloaded(t *testing.T) {
	for _, test := range []struct {
		delay, lag time.Duration
		want       bool
	}{
		{0, 0, false},
		{OverloadBound, OverloadBound, false},
		{OverloadBound + 1, 0, true},
		{0, OverloadBound + 1, true},
	} {
		if got := (Result{StartDelay: test.delay, Lag: test.lag}).Overloaded(); got != test.want {
			t.Errorf("started %v late, served %v late: %v", test.delay, test.lag, got)
		}
	}
}

// TestStartOf: a step of the wall clock during a run changes neither its length nor which of its two times comes first.
func TestStartOf(t *testing.T) {
	const length = 20 * time.Millisecond
	for name, seconds := range map[string]int64{"no_step": 0, "forward_by_a_day": 86400, "back_by_an_hour": -3600,
		"back_by_a_second": -1} {
		t.Run(name, func(t *testing.T) {
			started := time.Now()
			ended := stepped(started.Add(length), seconds)
			if by := ended.Round(0).Sub(started.Round(0)); by != length+time.Duration(seconds)*time.Second ||
				ended.Sub(started) != length {
				t.Fatalf("the wall clock went by %v and the monotonic one by %v", by, ended.Sub(started))
			}
			got := startOf(started, ended)
			if wall := ended.Round(0).Sub(got.Round(0)); wall != length || ended.Sub(got) != length {
				t.Errorf("a run of %v by the wall clock and %v by the monotonic one, want %v", wall, ended.Sub(got),
					length)
			}
			if offset := got.Sub(started); offset != 0 {
				t.Errorf("the start moved by %v on the monotonic clock, and the phases with it", offset)
			}
		})
	}
	plain := time.Unix(1, 2)
	if got := startOf(plain, plain.Add(length)); got != plain {
		t.Errorf("got %v of times without a monotonic clock, want %v", got, plain)
	}
}

// stepped returns a time with the same monotonic reading whose wall clock was stepped. Package time has no way to make
// one; where a reading of both clocks keeps the seconds is known from its source, and the test above checks it.
func stepped(t time.Time, seconds int64) time.Time {
	wall := (*uint64)(unsafe.Pointer(&t))
	*wall += uint64(seconds) << 30
	return t
}

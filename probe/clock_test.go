package probe

import (
	"testing"
	"time"
	"unsafe"
)

// TestReceived: the kernel's time is taken where it can be true, and never makes a latency absurd.
func TestReceived(t *testing.T) {
	const us, ms = time.Microsecond, time.Millisecond
	now := time.Now()
	for _, test := range []struct {
		name    string
		elapsed time.Duration // of the monotonic clock, since the connection was made
		step    time.Duration // of the wall clock meanwhile
		ago     time.Duration // the stamp, by the wall clock
		none    bool
		want    time.Duration // before now
		clock   Clock
	}{
		{name: "just now", elapsed: 5 * ms, ago: 0, want: 0, clock: ClockKernel},
		{name: "the process was late", elapsed: 5 * ms, ago: 3 * ms, want: 3 * ms, clock: ClockKernel},
		{name: "before anything else", elapsed: 5 * ms, ago: 5 * ms, want: 5 * ms, clock: ClockKernel},
		{name: "before the connection", elapsed: 5 * ms, ago: 6 * ms, clock: ClockUser},
		{name: "in the future", elapsed: 5 * ms, ago: -1, clock: ClockUser},
		{name: "no stamp", elapsed: 5 * ms, none: true, clock: ClockUser},
		{name: "stepped forward", elapsed: 5 * ms, step: 2 * ms, ago: 2*ms + 10*us, clock: ClockUser},
		{name: "stepped forward by hours", elapsed: 5 * ms, step: time.Hour, ago: 10 * us, clock: ClockUser},
		{name: "stepped back", elapsed: 5 * ms, step: -2 * ms, ago: 10 * us, clock: ClockUser},
		{name: "slewed", elapsed: 10 * time.Second, step: 5 * ms, ago: 10 * us, want: 10 * us, clock: ClockKernel},
		{name: "slewed more than kernels do", elapsed: 10 * time.Second, step: 11 * ms, ago: 10 * us, clock: ClockUser},
	} {
		t.Run(test.name, func(t *testing.T) {
			stamp := now.Round(0).Add(-test.ago)
			if test.none {
				stamp = time.Time{}
			}
			got, clock := received(stamp, now, since{monotonic: test.elapsed, wall: test.elapsed + test.step})
			if clock != test.clock || now.Sub(got) != test.want {
				t.Errorf("%v before now by the %s clock, want %v by the %s", now.Sub(got), clock, test.want, test.clock)
			}
		})
	}
}

// TestOverloaded: a run shows the agent's machine if it was started or served late.
func TestOverloaded(t *testing.T) {
	for _, test := range []struct {
		delay, lag time.Duration
		want       bool
	}{
		{0, 0, false}, {OverloadBound, OverloadBound, false}, {OverloadBound + 1, 0, true}, {0, OverloadBound + 1, true},
	} {
		if got := (Result{StartDelay: test.delay, Lag: test.lag}).Overloaded(); got != test.want {
			t.Errorf("started %v late, served %v late: %v", test.delay, test.lag, got)
		}
	}
}

// TestStartOf: a step of the wall clock during a run changes neither its length nor which of its two times comes first.
func TestStartOf(t *testing.T) {
	const length = 20 * time.Millisecond
	for name, seconds := range map[string]int64{"no_step": 0, "forward_by_a_day": 86400, "back_by_an_hour": -3600, "back_by_a_second": -1} {
		t.Run(name, func(t *testing.T) {
			started := time.Now()
			ended := stepped(started.Add(length), seconds)
			if by := ended.Round(0).Sub(started.Round(0)); by != length+time.Duration(seconds)*time.Second || ended.Sub(started) != length {
				t.Fatalf("the wall clock went by %v and the monotonic one by %v", by, ended.Sub(started))
			}
			got := startOf(started, ended)
			if wall := ended.Round(0).Sub(got.Round(0)); wall != length || ended.Sub(got) != length {
				t.Errorf("a run of %v by the wall clock and %v by the monotonic one, want %v", wall, ended.Sub(got), length)
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

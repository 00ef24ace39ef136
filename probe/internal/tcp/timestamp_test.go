package tcp

import (
	"testing"
	"time"
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
		clock   TimestampSource
	}{
		{name: "just now", elapsed: 5 * ms, ago: 0, want: 0, clock: KernelTime},
		{name: "the process was late", elapsed: 5 * ms, ago: 3 * ms, want: 3 * ms, clock: KernelTime},
		{name: "before anything else", elapsed: 5 * ms, ago: 5 * ms, want: 5 * ms, clock: KernelTime},
		{name: "before the connection", elapsed: 5 * ms, ago: 6 * ms, clock: UserTime},
		{name: "in the future", elapsed: 5 * ms, ago: -1, clock: UserTime},
		{name: "no stamp", elapsed: 5 * ms, none: true, clock: UserTime},
		{name: "stepped forward", elapsed: 5 * ms, step: 2 * ms, ago: 2*ms + 10*us, clock: UserTime},
		{name: "stepped forward by hours", elapsed: 5 * ms, step: time.Hour, ago: 10 * us, clock: UserTime},
		{name: "stepped back", elapsed: 5 * ms, step: -2 * ms, ago: 10 * us, clock: UserTime},
		{name: "slewed", elapsed: 10 * time.Second, step: 5 * ms, ago: 10 * us, want: 10 * us, clock: KernelTime},
		{name: "slewed more than kernels do", elapsed: 10 * time.Second, step: 11 * ms, ago: 10 * us, clock: UserTime},
	} {
		t.Run(test.name, func(t *testing.T) {
			stamp := now.Round(0).Add(-test.ago)
			if test.none {
				stamp = time.Time{}
			}
			got, clock := arrivalTime(stamp, now, clockGap{monotonic: test.elapsed, wall: test.elapsed + test.step})
			if clock != test.clock || now.Sub(got) != test.want {
				t.Errorf("%v before now by the %s clock, want %v by the %s", now.Sub(got), clock, test.want, test.clock)
			}
		})
	}
}

// TestSince: after a step of the wall clock, the next arrivals have the kernel's time again. Nor does a long life make
// room for a step.
func TestSince(t *testing.T) {
	const ms = time.Millisecond
	now := time.Now()
	for _, test := range []struct {
		name  string
		gap   clockGap
		lag   time.Duration
		anew  bool
		clock TimestampSource
	}{
		{"both run alike", clockGap{time.Second, time.Second}, 5 * ms, false, KernelTime},
		{"stepped", clockGap{time.Second, time.Hour}, 0, true, UserTime},
		{"the machine slept", clockGap{time.Minute, time.Hour}, 50 * ms, true, UserTime},
		{"a minute later", clockGap{61 * time.Second, 61 * time.Second}, 0, true, KernelTime},
		{"a minute later, in front of more that waits", clockGap{61 * time.Second, 61 * time.Second}, 5 * ms, false, KernelTime},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := now.Add(-test.gap.monotonic)
			c := &Conn{since: before}
			c.arrived(now.Round(0).Add(-test.lag), now, test.gap)
			if c.since.Equal(now) != test.anew || c.since.Equal(before) == test.anew || c.Source != test.clock {
				t.Errorf("since %v before now, by the %s clock", now.Sub(c.since), c.Source)
			}
		})
	}
}

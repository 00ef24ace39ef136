package scheduler

import (
	"fmt"
	"testing"
	"time"
)

// TestPhaseOfANameIsForever pins the hash. A change here moves every probe of every agent at its next upgrade.
func TestPhaseOfANameIsForever(t *testing.T) {
	for name, want := range map[string]uint64{
		"":      0xe3b0c44298fc1c14,
		"chat":  0x31e06f7d89feb99a,
		"größe": 0xd353a2671b67afff,
	} {
		if got := hash(name); got != want {
			t.Errorf("hash(%q) = %#x, want %#x", name, got, want)
		}
	}
}

func TestSpreadIsEven(t *testing.T) {
	const jobs, parts = 1000, 10
	for _, interval := range []time.Duration{time.Second, 10 * time.Second, time.Minute, time.Hour, 24 * time.Hour} {
		for _, pattern := range []string{"chat-%d", "%d", "https://chat-%04d.example.com/socket"} {
			t.Run(fmt.Sprintf("%v/%s", interval, pattern), func(t *testing.T) {
				var onPhase, atStart [parts]int
				for i := range jobs {
					h := hash(fmt.Sprintf(pattern, i))
					ticks := ticksFrom(time.Unix(0, 0), h, interval)
					onPhase[ticks.origin*parts/interval]++
					atStart[ticks.first(0, h, firstWithin)*parts/(min(interval, firstWithin)+1)]++
				}
				// Chance alone has a standard deviation of 9.5 around 100.
				for part := range parts {
					if n := onPhase[part]; n < 60 || n > 140 {
						t.Errorf("%d of %d jobs in part %d of the interval", n, jobs, part)
					}
					if n := atStart[part]; n < 60 || n > 140 {
						t.Errorf("%d of %d first runs in part %d of the start", n, jobs, part)
					}
				}
			})
		}
	}
}

func TestSimilarNamesAreSpreadOverTheDay(t *testing.T) {
	const day = 24 * time.Hour
	quarters := make(map[time.Duration]bool)
	for i := range 10 {
		origin := ticksFrom(time.Unix(0, 0), hash(fmt.Sprint("chat-", i)), day).origin
		quarters[origin*4/day] = true
	}
	if len(quarters) != 4 {
		t.Errorf("chat-0 to chat-9 run in %d quarters of the day, want 4", len(quarters))
	}
}

func TestClockBeforeTheEpoch(t *testing.T) {
	for _, wall := range []int64{-1, -7, -1e9, -1e18} {
		anchor := time.Unix(0, wall)
		ticks := ticksFrom(anchor, 12999, 1000)
		if ticks.origin < 0 || ticks.origin >= 1000 {
			t.Errorf("origin %v at %v, want within the interval", ticks.origin, anchor)
		}
		if got := (wall + int64(ticks.origin)) % 1000; got != 999 && got != 999-1000 {
			t.Errorf("tick at %d modulo the interval at %v, want the phase, 999", got, anchor)
		}
	}
}

func TestTicksEndBeforeTheyOverflow(t *testing.T) {
	ticks := ticks{origin: 1, interval: never - 1}
	if got := ticks.after(1); got != never {
		t.Errorf("tick after the first is %v, want %v", got, never)
	}
	if got := ticks.after(2); got != never {
		t.Errorf("tick past the end is %v, want never", got)
	}
}

// FuzzTicks holds the laws of ticks for any job, any wall clock at the start, and any pause of the process.
func FuzzTicks(f *testing.F) {
	f.Add("chat", int64(time.Second), int64(946684800e9), int64(0))
	f.Add("chat", int64(10*time.Second), int64(946684800e9), int64(time.Minute))
	f.Add("", int64(24*time.Hour), int64(0), int64(1e18))
	f.Add("x", int64(1), int64(1), int64(1))
	f.Add("x", int64(never), int64(never), int64(never))
	f.Fuzz(func(t *testing.T, name string, interval, wall, pause int64) {
		if interval <= 0 || wall < 0 || pause < 0 {
			t.Skip()
		}
		h := hash(name)
		ticks := ticksFrom(time.Unix(0, wall), h, time.Duration(interval))
		onPhase := func(tick time.Duration) bool {
			step := uint64(interval)
			return (uint64(wall)%step+uint64(tick)%step)%step == h%step
		}

		first := ticks.first(0, h, firstWithin)
		if first < 0 || first > min(ticks.interval, firstWithin) {
			t.Fatalf("first run after %v", first)
		}
		if !onPhase(first) && (ticks.origin <= firstWithin || first >= ticks.origin) {
			t.Fatalf("extra first run after %v, though the phase has %v", first, ticks.origin)
		}
		for due, i := first, 0; i < 5; i++ {
			next := ticks.after(due)
			if next == never {
				break
			}
			if !onPhase(next) || next <= due || next-due > ticks.interval || onPhase(due) &&
				next-due != ticks.interval {
				t.Fatalf("tick at %v follows %v", next, due)
			}
			due = next
		}

		now := first + min(time.Duration(pause), never-1-first)
		latest, next, missed := ticks.latest(first, now)
		if latest > now || next <= now || next != ticks.after(latest) || latest != first && !onPhase(latest) {
			t.Fatalf("at %v the latest tick is %v and the next %v", now, latest, next)
		}
		count := 0
		for due := first; due < latest && count <= 1000; due = ticks.after(due) {
			count++
		}
		if count != min(missed, 1001) {
			t.Fatalf("%d ticks missed from %v to %v, counted %d", missed, first, latest, count)
		}
	})
}

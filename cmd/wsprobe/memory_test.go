package main

import "testing"

func TestGarbageIsBoundedByWhatIsKept(t *testing.T) {
	for probes, want := range map[int]int{0: 400, 1: 399, 1000: 230, 10_000: 48, 100_000: 40} {
		if got := gcPercent(probes); got != want {
			t.Errorf("%d probes: got %d, want %d", probes, got, want)
		}
	}
}

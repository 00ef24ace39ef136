package config

import (
	"fmt"
	"math"
	"testing"
)

// TestShards: each probe belongs to one agent of a set, the shares are even, and a new agent only takes.
func TestShards(t *testing.T) {
	const probes = 100_000
	owner := func(name string, count int) int {
		at := -1
		for i := range count {
			if (Shard{i, count}).Owns(name) {
				if at >= 0 {
					t.Fatalf("%s belongs to %d and %d of %d", name, at, i, count)
				}
				at = i
			}
		}
		if at < 0 {
			t.Fatalf("%s belongs to nobody of %d", name, count)
		}
		return at
	}
	before := make([]int, probes)
	for count := 1; count <= 12; count++ {
		share, moved := make([]int, count), 0
		for i := range probes {
			at := owner(fmt.Sprintf("probe-%d", i), count)
			share[at]++
			if at != before[i] {
				moved++
				if at != count-1 {
					t.Fatalf("probe-%d moves from %d to %d, which is not new", i, before[i], at)
				}
			}
			before[i] = at
		}
		even := float64(probes) / float64(count)
		for i, n := range share {
			if math.Abs(float64(n)-even) > 0.05*even {
				t.Errorf("%d of %d has %d probes, even would be %.0f", i, count, n, even)
			}
		}
		if most := even + 0.01*probes; count > 1 && float64(moved) > most {
			t.Errorf("%d probes move to the new one of %d, want at most %.0f", moved, count, most)
		}
	}
}

// TestShardIsForEver: what falls to whom is agreed upon between agents of different versions.
func TestShardIsForEver(t *testing.T) {
	got := ""
	for i := range 16 {
		for shard := range 5 {
			if (Shard{shard, 5}).Owns(fmt.Sprintf("chat-%d", i)) {
				got += fmt.Sprint(shard)
			}
		}
	}
	if want := "3303013412312321"; got != want {
		t.Errorf("chat-0 to chat-15 belong to %s of 5, used to belong to %s", got, want)
	}
	if !(Shard{}).Owns("anything") {
		t.Error("an agent on its own does not run everything")
	}
}

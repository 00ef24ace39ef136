package metrics_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// TestCountsOfBuckets: the buckets have what was counted in them, whatever the order of the values, whether there are
// many in a bucket or none between two.
func TestCountsOfBuckets(t *testing.T) {
	for _, c := range []struct{ buckets, values, spread int }{
		{1, 5, 1}, {2, 9, 2}, {25, 30, 25}, {25, 5_000, 3}, {25, 60_000, 4}, {400, 40, 400}, {400, 20_000, 400}, {70_000, 30, 70_000},
	} {
		t.Run(fmt.Sprintf("%d values in %d of %d buckets", c.values, c.spread, c.buckets), func(t *testing.T) {
			seed := rand.Uint64()
			r := rand.New(rand.NewPCG(seed, 0))
			bounds := make([]float64, c.buckets-1)
			for i := range bounds {
				bounds[i] = float64(i)
			}
			var values metrics.Values
			want := make([]uint64, c.buckets)
			for range c.values {
				bucket := r.IntN(c.spread) * c.buckets / c.spread
				values.Observe(metrics.Forms{}, bounds, float64(bucket))
				want[bucket]++
			}
			if d := values.Distribution(bounds); d.Count != uint64(c.values) || !slices.Equal(d.Counts, want) {
				t.Errorf("seed %d: %d values %v, want %v", seed, d.Count, d.Counts, want)
			}
		})
	}
}

package metrics

import "slices"

// latencyBounds are the upper bounds of the buckets of latencies, in ms. A latency cannot exceed the longest timeout,
// 30 s, so the last bucket stays empty. The bounds are never more than a factor of 2.5 apart, and closest between 50 ms
// and 1 s, where most service levels are set: the percentiles that a back end computes are as exact as that. They do
// not change.
var latencyBounds = []float64{
	1, 2.5, 5, 10, 25, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000,
	1500, 2000, 3000, 5000, 7500, 10000, 15000, 20000, 30000,
}

// Distribution is how often values fell into each bucket, at one moment.
type Distribution struct {
	Bounds []float64 // upper bounds of the buckets but the last; a value on a bound is in the bucket below it
	Counts []uint64  // one more than Bounds
	Count  uint64    // sum of Counts
	Sum    float64   // of the values
}

// Values counts values by their size, over bounds that its owner knows. It has no lock of its own. A uint32 is enough
// for a probe, whose runs are a second apart at least, for 136 years; there are two Values for each of maybe a hundred
// thousand probes.
type Values[N uint32 | uint64] struct {
	counts []N // one more than bounds; nil until the first value
	sum    float64
}

// Observe adds a value in the unit of the bounds.
func (h *Values[N]) Observe(bounds []float64, value float64) {
	if h.counts == nil {
		h.counts = make([]N, len(bounds)+1)
	}
	h.counts[bucketOf(bounds, value)]++
	h.sum += value
}

// bucketOf returns the index of the bucket of a value. A value on a bound belongs to the bucket below it, as in OTLP.
func bucketOf(bounds []float64, value float64) int {
	bucket, _ := slices.BinarySearch(bounds, value)
	return bucket
}

// Distribution returns a copy that later values do not touch. It shares the bounds, which do not change.
func (h *Values[N]) Distribution(bounds []float64) Distribution {
	var d Distribution
	h.copyTo(&d, bounds)
	return d
}

// copyTo makes d a copy, in the memory that it has.
func (h *Values[N]) copyTo(d *Distribution, bounds []float64) {
	*d = Distribution{Bounds: bounds, Sum: h.sum, Counts: slices.Grow(d.Counts[:0], len(h.counts))}
	for _, n := range h.counts {
		d.Counts = append(d.Counts, uint64(n))
		d.Count += uint64(n)
	}
}

package telemetry

import (
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/probe"
)

// The upper bounds of the histograms' buckets, in ms. A latency cannot exceed the longest timeout, 30 s, so
// the last bucket stays empty. The bounds are never more than a factor of 2.5 apart and closest between 50 ms
// and 1 s, where most service levels are set; the percentiles that a back end computes are as exact as that.
var (
	latencyBounds = []float64{
		1, 2.5, 5, 10, 25, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000,
		1500, 2000, 3000, 5000, 7500, 10000, 15000, 20000, 30000,
	}
	// A start is late by less than a millisecond on an idle machine, by seconds on a suspended one.
	delayBounds = []float64{
		0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000,
	}
)

// histogram is a cumulative distribution of durations over bounds that its owner knows. It has no lock of its own. There are
// two for each of maybe a hundred thousand probes: a uint32 is enough for a probe, whose runs are a second apart at
// least, for 136 years.
type histogram[N uint32 | uint64] struct {
	counts []N // one more than bounds; nil until the first value
	sum    float64
}

// observe adds a duration. A value on a bound belongs to the bucket below it, as OTLP has it.
func (h *histogram[N]) observe(bounds []float64, d time.Duration) {
	if h.counts == nil {
		h.counts = make([]N, len(bounds)+1)
	}
	ms := probe.Millis(d)
	h.counts[bucketOf(bounds, ms)]++
	h.sum += ms
}

// bucketOf returns the index of the bucket of a value.
func bucketOf(bounds []float64, ms float64) int {
	bucket, _ := slices.BinarySearch(bounds, ms)
	return bucket
}

// distribution is a histogram at one moment.
type distribution struct {
	bounds []float64
	counts []uint64
	count  uint64
	sum    float64
}

// snapshot returns a copy that later observations do not touch. It shares the bounds, which do not change.
func (h *histogram[N]) snapshot(bounds []float64) distribution {
	d := distribution{bounds: bounds, sum: h.sum}
	if h.counts != nil {
		d.counts = make([]uint64, len(h.counts))
	}
	for i, n := range h.counts {
		d.counts[i] = uint64(n)
		d.count += uint64(n)
	}
	return d
}

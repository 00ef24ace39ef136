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

// histogram is a cumulative distribution of durations. It has no lock of its own.
type histogram struct {
	bounds []float64
	counts []uint64 // one more than bounds; nil until the first value
	count  uint64
	sum    float64
}

// observe adds a duration. A value on a bound belongs to the bucket below it, as OTLP has it.
func (h *histogram) observe(d time.Duration) {
	if h.counts == nil {
		h.counts = make([]uint64, len(h.bounds)+1)
	}
	ms := probe.Millis(d)
	bucket, _ := slices.BinarySearch(h.bounds, ms)
	h.counts[bucket]++
	h.count++
	h.sum += ms
}

// snapshot returns a copy that later observations do not touch. It shares the bounds, which do not change.
func (h *histogram) snapshot() histogram {
	c := *h
	c.counts = slices.Clone(h.counts)
	return c
}

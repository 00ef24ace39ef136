package metrics

import (
	"math"
	"slices"
)

// The scales of exponential buckets, as the OpenTelemetry specification has them.
const (
	MinScale = -10
	MaxScale = 20
)

// maxBuckets is how many exponential buckets a distribution has at most. It is the default of the specification: over a
// hundredfold range, neighbouring bounds are 4.4 % apart then.
const maxBuckets = 160

// Exponential is how often values fell into buckets whose bounds are powers of 2 to the power of 2^-Scale, the base. A
// bucket with the index i has the values above base^i up to base^(i+1).
type Exponential struct {
	Scale  int      // from [MinScale] to [MaxScale]; each step down merges two buckets into one
	Zero   uint64   // how many values were 0
	Offset int      // index of the first bucket
	Counts []uint64 // at most 160, neither the first nor the last of them 0
}

// Downscale merges exponential buckets until their scale is no finer than wanted, MinScale at least. It does nothing to
// a Distribution without exponential buckets.
func (d *Distribution) Downscale(wanted int) {
	e := d.Exponential
	if e == nil || e.Scale <= wanted {
		return
	}
	by := e.Scale - max(wanted, MinScale)
	e.Counts = merge(e.Counts, e.Offset, by)
	e.Offset >>= by
	e.Scale -= by
}

// exponential counts values in exponential buckets. Its scale falls whenever a value would make the buckets too many.
type exponential struct {
	counts counts
	zero   uint64
	offset int32
	size   uint8 // how many buckets there are
	scale  int8
}

// observe adds a value. What is counted is never negative, so such a value can only be a rounded 0.
func (e *exponential) observe(value float64) {
	if !(value > 0) {
		e.zero++
		return
	}
	i := index(value, int(e.scale))
	if e.size == 0 {
		e.offset = int32(i)
	}
	low, high := min(int(e.offset), i), max(int(e.offset)+int(e.size)-1, i)
	by := 0
	for high>>by-low>>by >= maxBuckets {
		by++
	}
	if by > 0 {
		e.downscale(by)
		low, high, i = low>>by, high>>by, i>>by
	}
	if before := int(e.offset) - low; before > 0 {
		e.counts.insert(before - 1)
	} else {
		e.counts.add(i - low)
	}
	e.offset, e.size = int32(low), uint8(high-low+1)
}

// downscale merges buckets.
func (e *exponential) downscale(by int) {
	var room [maxBuckets]uint64
	all, _ := e.counts.appendTo(room[:0])
	merged := merge(all, int(e.offset), by)
	e.counts, e.size = pack(merged), uint8(len(merged))
	e.offset >>= by
	e.scale -= int8(by)
}

// copyTo makes d a copy, in the memory that it has, and returns how many values there are.
func (e *exponential) copyTo(d *Exponential) (count uint64) {
	counts, count := e.counts.appendTo(slices.Grow(d.Counts[:0], int(e.size)))
	*d = Exponential{Scale: int(e.scale), Zero: e.zero, Offset: int(e.offset), Counts: counts}
	return count + d.Zero
}

// merge adds up the counts of buckets from offset on that have one index after so many steps down. It does so in place.
func merge(counts []uint64, offset, by int) []uint64 {
	if len(counts) == 0 {
		return counts
	}
	first := offset >> by
	for i, n := range counts {
		counts[i] = 0
		counts[(offset+i)>>by-first] += n
	}
	return counts[:(offset+len(counts)-1)>>by-first+1]
}

// index returns the index of the bucket of a positive value. It is exact at powers of two, where a logarithm need not
// be: they are upper bounds at each scale.
func index(value float64, scale int) int {
	fraction, exponent := math.Frexp(value) // value = fraction * 2^exponent, and 1/2 <= fraction < 1
	power := fraction == 0.5
	switch {
	case scale <= 0 && power:
		return (exponent - 2) >> -scale
	case scale <= 0:
		return (exponent - 1) >> -scale
	case power:
		return (exponent-1)<<scale - 1
	default:
		return exponent<<scale + int(math.Ceil(math.Log(fraction)*math.Ldexp(math.Log2E, scale))) - 1
	}
}

package metrics

import "math"

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
type exponential[N uint32 | uint64] struct {
	counts []N
	offset int32
	scale  int8
	zero   N
}

// observe adds a value. What is counted is never negative, so such a value can only be a rounded 0.
func (e *exponential[N]) observe(value float64) {
	if !(value > 0) {
		e.zero++
		return
	}
	i := index(value, int(e.scale))
	if len(e.counts) == 0 {
		e.counts, e.offset = []N{1}, int32(i)
		return
	}
	low, high := int(e.offset), int(e.offset)+len(e.counts)-1
	low, high = min(low, i), max(high, i)
	by := 0
	for high>>by-low>>by >= maxBuckets {
		by++
	}
	if by > 0 {
		e.counts = merge(e.counts, int(e.offset), by)
		e.offset >>= by
		e.scale -= int8(by)
		low, high, i = low>>by, high>>by, i>>by
	}
	e.widen(low, high)
	e.counts[i-low]++
}

// widen makes room for the buckets from low to high, those that there are among them.
func (e *exponential[N]) widen(low, high int) {
	before, size := int(e.offset)-low, high-low+1
	if before == 0 && size == len(e.counts) {
		return
	}
	counts := e.counts
	if size > cap(counts) {
		counts = make([]N, size, min(max(size, 2*cap(counts)), maxBuckets))
	}
	there := len(e.counts)
	counts = counts[:size]
	copy(counts[before:], e.counts)
	clear(counts[:before])
	clear(counts[before+there:])
	e.counts, e.offset = counts, int32(low)
}

// copyTo makes d a copy, in the memory that it has, and returns how many values there are.
func (e *exponential[N]) copyTo(d *Exponential) (count uint64) {
	counts, count := appendCounts(d.Counts[:0], e.counts)
	*d = Exponential{Scale: int(e.scale), Zero: uint64(e.zero), Offset: int(e.offset), Counts: counts}
	return count + d.Zero
}

// merge adds up the counts of buckets from offset on that have one index after so many steps down. It does so in place.
func merge[N uint32 | uint64](counts []N, offset, by int) []N {
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

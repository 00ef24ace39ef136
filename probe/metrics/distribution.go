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

// Distribution is how often values fell into each bucket, at one moment. It has the forms of buckets that its series
// keeps, mostly one of them.
type Distribution struct {
	Bounds []float64 // upper bounds of the explicit buckets but the last; a value on a bound is in the bucket below it
	Counts []uint64  // of the explicit buckets, one more than Bounds; empty without them
	Count  uint64    // of values
	Sum    float64   // of the values
	// Min and Max are the least and the greatest value, if they are known: of what was added between two moments, they are
	// not.
	Min, Max float64
	Ranged   bool // Min and Max are known
	// Exponential are the exponential buckets, nil without them.
	Exponential *Exponential
}

// Forms are the forms of buckets in which distributions are kept. The zero value is explicit buckets alone.
type Forms struct {
	// Exponential keeps exponential buckets, and no explicit ones unless Explicit is set, too.
	Exponential, Explicit bool
	// MaxScale is the scale at which exponential buckets begin, from [MinScale] to [MaxScale].
	MaxScale int8
}

func (f Forms) explicit() bool { return f.Explicit || !f.Exponential }

// Values counts values by their size, in explicit buckets over bounds that its owner knows, in exponential ones, or in
// both. It has no lock of its own. Its counts are packed, because there are two Values for each of maybe a hundred
// thousand probes.
type Values struct {
	explicit    counts       // nil without explicit buckets, and until the first value
	exponential *exponential // nil without exponential buckets, and until the first value
	sum         float64
	min, max    float64 // of the values
}

// Observe adds a finite value in the unit of the bounds. All values of one Values are kept in the same forms.
func (h *Values) Observe(f Forms, bounds []float64, value float64) {
	if h.empty() {
		h.min, h.max = value, value
	}
	h.min, h.max = min(h.min, value), max(h.max, value)
	if f.explicit() {
		h.explicit.add(bucketOf(bounds, value))
	}
	if f.Exponential {
		if h.exponential == nil {
			h.exponential = &exponential{scale: min(max(f.MaxScale, MinScale), MaxScale)}
		}
		h.exponential.observe(value)
	}
	h.sum += value
}

// empty reports whether there was no value yet.
func (h *Values) empty() bool { return h.explicit == nil && h.exponential == nil }

// bucketOf returns the index of the explicit bucket of a value. A value on a bound belongs to the bucket below it, as
// in OTLP.
func bucketOf(bounds []float64, value float64) int {
	bucket, _ := slices.BinarySearch(bounds, value)
	return bucket
}

// Distribution returns a copy that later values do not touch. It shares the bounds, which do not change.
func (h *Values) Distribution(bounds []float64) Distribution {
	var d Distribution
	h.copyTo(&d, bounds)
	return d
}

// copyTo makes d a copy, in the memory that it has.
func (h *Values) copyTo(d *Distribution, bounds []float64) {
	*d = Distribution{Sum: h.sum, Min: h.min, Max: h.max, Ranged: !h.empty(), Counts: d.Counts[:0], Exponential: d.Exponential}
	if h.explicit != nil || h.exponential == nil {
		d.Bounds = bounds
	}
	if h.explicit != nil {
		d.Counts = slices.Grow(d.Counts, len(bounds)+1)
		d.Counts, d.Count = h.explicit.appendTo(d.Counts)
		for len(d.Counts) <= len(bounds) {
			d.Counts = append(d.Counts, 0)
		}
	}
	if h.exponential == nil {
		d.Exponential = nil
		return
	}
	if d.Exponential == nil {
		d.Exponential = &Exponential{}
	}
	d.Count = h.exponential.copyTo(d.Exponential)
}

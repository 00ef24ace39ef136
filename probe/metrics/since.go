package metrics

import "slices"

// Since returns the values that were added since an earlier moment of the same distribution. It shares memory with d.
func (d *Distribution) Since(before *Distribution) Distribution {
	if before.Count == 0 {
		return *d
	}
	added := Distribution{Bounds: d.Bounds, Counts: slices.Clone(d.Counts), Count: d.Count - before.Count, Sum: d.Sum - before.Sum}
	for i, n := range before.Counts {
		added.Counts[i] -= n
	}
	if d.Exponential != nil {
		added.Exponential = d.Exponential.since(before.Exponential)
	}
	return added
}

// since does so for exponential buckets, whose scale may have fallen meanwhile. It leaves out the buckets at both ends
// to which nothing was added.
func (e *Exponential) since(before *Exponential) *Exponential {
	counts := slices.Clone(e.Counts)
	for i, n := range before.Counts {
		counts[(before.Offset+i)>>(before.Scale-e.Scale)-e.Offset] -= n
	}
	added := &Exponential{Scale: e.Scale, Zero: e.Zero - before.Zero, Offset: e.Offset}
	for len(counts) > 0 && counts[0] == 0 {
		counts = counts[1:]
		added.Offset++
	}
	for len(counts) > 0 && counts[len(counts)-1] == 0 {
		counts = counts[:len(counts)-1]
	}
	if len(counts) == 0 {
		added.Offset = 0
	}
	added.Counts = counts
	return added
}

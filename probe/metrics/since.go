package metrics

import "slices"

// Since returns what was added to totals since an earlier moment of the same series, of which the zero Totals is the
// start. It has only what has changed, and the exemplars of these totals.
func (t Totals) Since(before Totals) Totals {
	added := Totals{
		Outcomes:  slices.Clone(t.Outcomes),
		Handshake: t.Handshake.Since(&before.Handshake), RoundTrip: t.RoundTrip.Since(&before.RoundTrip),
		exemplars: t.exemplars,
	}
	for i := range before.Outcomes { // outcomes are only appended
		added.Outcomes[i].Runs -= before.Outcomes[i].Runs
	}
	for _, s := range t.session {
		i := slices.IndexFunc(before.session, func(b Sample) bool { return b.Metric == s.Metric && b.Variant == s.Variant })
		switch {
		case i >= 0 && s.Distribution != nil:
			d := s.Distribution.Since(before.session[i].Distribution)
			s.Distribution = &d
		case i >= 0:
			s.Value = Int(int64(s.Value.bits - before.session[i].Value.bits))
		}
		if s.Value.bits != 0 || s.Distribution != nil && s.Distribution.Count > 0 {
			added.session = append(added.session, s)
		}
	}
	return added
}

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

// since does so for exponential buckets, whose scale may have fallen meanwhile. It leaves out the buckets at both ends to
// which nothing was added.
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

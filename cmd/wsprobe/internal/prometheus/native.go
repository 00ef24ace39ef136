package prometheus

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// The coarsest and the finest schema of a native histogram, which is the scale of exponential buckets.
const (
	MinSchema = -4
	MaxSchema = 8
)

// maxGap is how many empty buckets a span has between two others at most. A longer gap takes less between two spans.
const maxGap = 2

// native adds the buckets of a native histogram. Scales that are finer than Prometheus has them are merged.
func (m *messages) native(d *metrics.Distribution, exemplars []metrics.Exemplar) {
	d.Downscale(MaxSchema)
	x := d.Exponential
	m.signed(5, x.Scale)
	if x.Zero > 0 {
		m.varint(7, x.Zero)
	}
	at := -(x.Offset + 1) // a bucket is named after its upper bound here, and after its lower one there
	spans(x.Counts, func(first int, counts []uint64) {
		span := m.begin(12)
		m.signed(1, first-at)
		m.varint(2, uint64(len(counts)))
		m.end(span)
		at = first + len(counts)
	})
	deltas, before := m.begin(13), uint64(0)
	spans(x.Counts, func(_ int, counts []uint64) {
		for _, n := range counts {
			m.bytes = protowire.AppendVarint(m.bytes, protowire.EncodeZigZag(int64(n-before)))
			before = n
		}
	})
	m.end(deltas)
	for i := range exemplars {
		m.exemplar(16, &exemplars[i])
	}
}

// spans calls yield for each stretch of buckets without a long gap, with the index of its first one.
func spans(counts []uint64, yield func(first int, counts []uint64)) {
	first, end := 0, 0 // end is behind the last bucket with a value
	for i, n := range counts {
		if n == 0 {
			continue
		}
		if i-end > maxGap {
			if end > first {
				yield(first, counts[first:end])
			}
			first = i
		}
		end = i + 1
	}
	if end > first {
		yield(first, counts[first:end])
	}
}

func (m *messages) signed(field protowire.Number, n int) {
	m.varint(field, protowire.EncodeZigZag(int64(n)))
}

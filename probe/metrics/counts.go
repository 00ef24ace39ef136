package metrics

import (
	"encoding/binary"
	"slices"
)

// counts are how many values there are in each of neighbouring buckets, packed, because most probes have values in a
// few buckets and there are maybe a hundred thousand probes. They are varints: an odd one is a count and a bit, an even
// one a row of empty buckets. So a bucket takes a byte up to 63 values, two up to 8191, and a row of empty ones mostly
// one. Buckets behind the last one with a value have no byte.
type counts []byte

// counted is the varint of a bucket with n values.
func counted(n uint64) uint64 { return n<<1 | 1 }

// emptied is the varint of n empty buckets.
func emptied(n int) uint64 { return uint64(n) << 1 }

// next returns the first element: a bucket with n values, or a row of empty ones. It takes so many bytes.
func (c counts) next() (n uint64, row, size int) {
	if c[0] < 0x80 { // all but a few
		if c[0]&1 == 1 {
			return uint64(c[0] >> 1), 1, 1
		}
		return 0, int(c[0] >> 1), 1
	}
	v, size := binary.Uvarint(c)
	if v&1 == 1 {
		return v >> 1, 1, size
	}
	return 0, int(v >> 1), size
}

// add counts a value in a bucket.
func (c *counts) add(bucket int) {
	first := 0 // bucket of the element at hand
	for at := 0; at < len(*c); {
		n, row, size := (*c)[at:].next()
		switch {
		case bucket >= first+row:
			first += row
			at += size
		case n > 0 && size == 1 && n < 63: // nearly always
			(*c)[at] += 2
			return
		case n > 0:
			c.replace(at, size, counted(n+1))
			return
		default:
			c.replace(at, size, emptied(bucket-first), counted(1), emptied(first+row-1-bucket))
			return
		}
	}
	c.replace(len(*c), 0, emptied(bucket-first), counted(1))
}

// insert puts empty buckets, and one with a value, before all others.
func (c *counts) insert(empty int) { c.replace(0, 0, counted(1), emptied(empty)) }

// replace puts varints into the place of an element. One that says nothing is left out.
func (c *counts) replace(at, size int, with ...uint64) {
	var room [3 * binary.MaxVarintLen64]byte
	fresh := room[:0]
	for _, v := range with {
		if v != 0 {
			fresh = binary.AppendUvarint(fresh, v)
		}
	}
	if len(fresh) > size {
		c.reserve(len(*c) + len(fresh) - size)
	}
	*c = slices.Replace(*c, at, at+size, fresh...)
}

// reserve makes room for n bytes, and for few more than that: doubling would be most of what packing saves.
func (c *counts) reserve(n int) {
	if n > cap(*c) {
		*c = append(slices.Grow(counts(nil), n), *c...)
	}
}

// appendTo appends the counts to others, and returns their sum, too.
func (c counts) appendTo(all []uint64) (_ []uint64, sum uint64) {
	for at := 0; at < len(c); {
		n, row, size := c[at:].next()
		if at += size; n > 0 {
			all = append(all, n)
			sum += n
			continue
		}
		for range row {
			all = append(all, 0)
		}
	}
	return all, sum
}

// pack returns counts packed.
func pack(all []uint64) counts {
	var room [maxBuckets * binary.MaxVarintLen64]byte
	packed, empty := room[:0], 0
	for _, n := range all {
		if n == 0 {
			empty++
			continue
		}
		if empty > 0 {
			packed = binary.AppendUvarint(packed, emptied(empty))
			empty = 0
		}
		packed = binary.AppendUvarint(packed, counted(n))
	}
	return append(slices.Grow(counts(nil), len(packed)), packed...)
}

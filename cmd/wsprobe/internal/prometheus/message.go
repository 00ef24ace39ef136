package prometheus

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// messageBytes is how much of a family is one message, but for the last point. The length of a message stands before
// it, so that it is in memory as a whole. A larger family is several messages, as if it were several families of one name.
const messageBytes = 256 << 10

// messages writes families as delimited messages of protobuf. The field numbers are those of
// io/prometheus/client/metrics.proto.
type messages struct {
	bytes  []byte // the points of the present message
	header []byte
}

// types are the numbers of the types.
var types = map[Type]uint64{Counter: 0, Gauge: 1, Histogram: 4}

// delimit ends the message of a family, if it has points, and returns what stands before its points.
func (m *messages) delimit(f *Family) []byte {
	body := m.header[:0]
	body = protowire.AppendString(protowire.AppendTag(body, 1, protowire.BytesType), f.Name)
	body = protowire.AppendString(protowire.AppendTag(body, 2, protowire.BytesType), f.Help)
	body = protowire.AppendVarint(protowire.AppendTag(body, 3, protowire.VarintType), types[f.Type])
	var length [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(length[:], uint64(len(body)+len(m.bytes)))
	m.header = slices.Insert(body, 0, length[:n]...)
	return m.header
}

// number adds a point.
func (m *messages) number(f *Family, labels []byte, value float64, x []metrics.Exemplar, created time.Time) {
	point := m.begin(4)
	m.bytes = append(m.bytes, labels...)
	if f.Type != Counter {
		gauge := m.begin(2)
		m.float(1, value)
		m.end(gauge)
	} else {
		counter := m.begin(3)
		m.float(1, value)
		if len(x) > 0 {
			m.exemplar(2, &x[len(x)-1])
		}
		m.time(3, created)
		m.end(counter)
	}
	m.end(point)
}

// histogram adds a point.
func (m *messages) histogram(labels []byte, d *metrics.Distribution, exemplars []metrics.Exemplar, created time.Time, native bool) {
	point := m.begin(4)
	m.bytes = append(m.bytes, labels...)
	histogram := m.begin(7)
	m.varint(1, d.Count)
	m.float(2, d.Sum)
	if native && d.Exponential != nil {
		m.native(d, exemplars)
	} else {
		m.classic(d, exemplars)
	}
	m.time(15, created)
	m.end(histogram)
	m.end(point)
}

// classic adds the buckets of a histogram. The last one, which has no bound, is there for an exemplar only.
func (m *messages) classic(d *metrics.Distribution, exemplars []metrics.Exemplar) {
	total := uint64(0)
	for i, n := range d.Counts {
		total += n
		x, upper := ofBucket(d.Bounds, i, exemplars), math.Inf(1)
		if i < len(d.Bounds) {
			upper = d.Bounds[i]
		} else if x == nil {
			continue
		}
		bucket := m.begin(3)
		m.varint(1, total)
		m.float(2, upper)
		if x != nil {
			m.exemplar(3, x)
		}
		m.end(bucket)
	}
}

func (m *messages) exemplar(field protowire.Number, x *metrics.Exemplar) {
	exemplar := m.begin(field)
	m.bytes = appendPair(m.bytes, "span_id", hex.EncodeToString(x.Trace.Run[:]))
	m.bytes = appendPair(m.bytes, "trace_id", hex.EncodeToString(x.Trace.ID[:]))
	m.float(2, x.Value.Float())
	m.time(3, x.Time)
	m.end(exemplar)
}

// appendPair appends a label. It is the first field of a point, as well as of an exemplar.
func appendPair[T string | []byte](to []byte, name string, value T) []byte {
	size := protowire.SizeBytes(len(name)) + protowire.SizeBytes(len(value)) + 2
	to = protowire.AppendVarint(protowire.AppendTag(to, 1, protowire.BytesType), uint64(size))
	to = protowire.AppendString(protowire.AppendTag(to, 1, protowire.BytesType), name)
	to = protowire.AppendVarint(protowire.AppendTag(to, 2, protowire.BytesType), uint64(len(value)))
	return append(to, value...)
}

// begin begins a message that is a field of the present one. Its length stands before it, and is known at its end.
func (m *messages) begin(field protowire.Number) (start int) {
	m.bytes = append(protowire.AppendTag(m.bytes, field, protowire.BytesType), 0) // a byte, which is enough for most
	return len(m.bytes)
}

// end ends the message that began at start.
func (m *messages) end(start int) {
	var prefix [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(prefix[:], uint64(len(m.bytes)-start))
	m.bytes[start-1] = prefix[0]
	if n > 1 {
		m.bytes = slices.Insert(m.bytes, start, prefix[1:n]...)
	}
}

func (m *messages) varint(field protowire.Number, n uint64) {
	m.bytes = protowire.AppendVarint(protowire.AppendTag(m.bytes, field, protowire.VarintType), n)
}

func (m *messages) float(field protowire.Number, x float64) {
	m.bytes = protowire.AppendFixed64(protowire.AppendTag(m.bytes, field, protowire.Fixed64Type), math.Float64bits(x))
}

// time adds a time; none is left out.
func (m *messages) time(field protowire.Number, t time.Time) {
	if t.IsZero() {
		return
	}
	start := m.begin(field)
	m.varint(1, uint64(t.Unix()))
	if ns := t.Nanosecond(); ns != 0 {
		m.varint(2, uint64(ns))
	}
	m.end(start)
}

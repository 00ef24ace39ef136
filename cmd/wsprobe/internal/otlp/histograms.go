package otlp

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// histogram writes a histogram, in the form that the family says. The two forms are metrics of other types.
func (e *encoder) histogram(f *metrics.Family) {
	field, point := protowire.Number(9), e.explicitPoint
	if f.Exponential {
		field, point = 10, e.exponentialPoint
	}
	data := e.begin(field)
	for i := range f.Points {
		point(&f.Points[i], f.Delta)
	}
	e.temporality(f)
	e.end(data)
}

func (e *encoder) explicitPoint(p *metrics.Point, delta bool) {
	all := e.begin(1)
	e.time(2, p.Start)
	e.time(3, p.Time)
	if !p.NoValue {
		e.explicit(p.Distribution)
		e.extremes(11, p.Distribution, delta)
	}
	e.exemplars(8, p.Exemplars)
	e.attributes(9, p.Attributes)
	if p.NoValue {
		e.varint(10, noRecordedValue)
	}
	e.end(all)
}

func (e *encoder) explicit(d *metrics.Distribution) {
	e.fixed(4, d.Count)
	e.fixed(5, math.Float64bits(d.Sum))
	counts := e.begin(6)
	for _, n := range d.Counts {
		e.bytes = protowire.AppendFixed64(e.bytes, n)
	}
	e.end(counts)
	bounds := e.begin(7)
	for _, bound := range d.Bounds {
		e.bytes = protowire.AppendFixed64(e.bytes, math.Float64bits(bound))
	}
	e.end(bounds)
}

func (e *encoder) exponentialPoint(p *metrics.Point, delta bool) {
	all := e.begin(1)
	e.attributes(1, p.Attributes)
	e.time(2, p.Start)
	e.time(3, p.Time)
	if !p.NoValue {
		e.exponential(p.Distribution)
		e.extremes(12, p.Distribution, delta)
	}
	if p.NoValue {
		e.varint(10, noRecordedValue)
	}
	e.exemplars(11, p.Exemplars)
	e.end(all)
}

func (e *encoder) exponential(d *metrics.Distribution) {
	e.fixed(4, d.Count)
	e.fixed(5, math.Float64bits(d.Sum))
	x := d.Exponential
	e.signed(6, x.Scale)
	if x.Zero > 0 {
		e.fixed(7, x.Zero)
	}
	positive := e.begin(8)
	e.signed(1, x.Offset)
	counts := e.begin(2)
	for _, n := range x.Counts {
		e.bytes = protowire.AppendVarint(e.bytes, n)
	}
	e.end(counts)
	e.end(positive)
	e.end(e.begin(9)) // nothing is negative
}

// extremes writes the least and the greatest value of a difference, in two fields. Those of a total would be since the
// start of the agent, which nobody can draw.
func (e *encoder) extremes(least protowire.Number, d *metrics.Distribution, delta bool) {
	if delta && d.Ranged {
		e.fixed(least, math.Float64bits(d.Min))
		e.fixed(least+1, math.Float64bits(d.Max))
	}
}

// signed writes a number that is as often below 0 as above. A 0 is left out.
func (e *encoder) signed(field protowire.Number, n int) {
	if n != 0 {
		e.varint(field, protowire.EncodeZigZag(int64(n)))
	}
}

package metrics

import (
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/reasons"
)

// lastRun is a Run in the fewest bytes, because scrapes keep one of each of maybe a hundred thousand probes. It begins
// with what the Run has, and goes on with varints.
type lastRun []byte

// runFlags are the answers of a Run to yes or no, in the order of their bits.
func (r *Run) runFlags() [4]*bool { return [...]*bool{&r.Opened, &r.OK, &r.Live, &r.Maintained} }

// lengths are the lengths of time of a Run.
func (r *Run) lengths() [3]*time.Duration {
	return [...]*time.Duration{&r.Handshake, &r.RoundTrip, &r.MessageAge}
}

// set makes it that of a run, in the memory that it has.
func (l *lastRun) set(r *Run) {
	var room [256]byte
	b := binary.LittleEndian.AppendUint32(room[:0], uint32(r.Has))
	b = binary.LittleEndian.AppendUint32(b, uint32(r.Keeps))
	flags := byte(0)
	for i, is := range r.runFlags() {
		if *is {
			flags |= 1 << i
		}
	}
	b = append(b, flags, byte(slices.Index(reasons.Codes(), r.Reason)+1), byte(r.Status)) // OK is none of the codes
	b = binary.AppendUvarint(b, uint64(r.Streak))
	b = binary.AppendVarint(b, r.Started.Unix())
	b = binary.AppendUvarint(b, uint64(r.Started.Nanosecond()))
	b = binary.AppendVarint(b, int64(r.Ended.Sub(r.Started)))
	for _, length := range r.lengths() {
		b = binary.AppendVarint(b, int64(*length))
	}
	b = binary.AppendUvarint(b, math.Float64bits(r.TimeLeft))
	for _, span := range r.Phases {
		if b = append(b, byte(span.State)); span.State != probe.SpanAbsent {
			b = binary.AppendVarint(b, int64(span.Start))
			b = binary.AppendVarint(b, int64(span.End))
		}
	}
	if len(b) > cap(*l) {
		*l = slices.Grow(lastRun(nil), len(b))
	}
	*l = append((*l)[:0], b...)
}

// has returns the values that there are.
func (l lastRun) has() Measured { return Measured(binary.LittleEndian.Uint32(l)) }

// run returns the Run, with its times in UTC.
func (l lastRun) run() (r Run) {
	const fixed = 4 + 4 + 3
	r.Has, r.Keeps = l.has(), Measured(binary.LittleEndian.Uint32(l[4:]))
	for i, is := range r.runFlags() {
		*is = l[8]&(1<<i) != 0
	}
	if r.Status = health.Status(l[10]); l[9] > 0 {
		r.Reason = reasons.Codes()[l[9]-1]
	}
	rest := l[fixed:]
	unsigned := func() uint64 {
		n, size := binary.Uvarint(rest)
		rest = rest[size:]
		return n
	}
	signed := func() int64 {
		n, size := binary.Varint(rest)
		rest = rest[size:]
		return n
	}
	r.Streak = uint32(unsigned())
	seconds := signed()
	r.Started = time.Unix(seconds, int64(unsigned())).UTC()
	r.Ended = r.Started.Add(time.Duration(signed()))
	for _, length := range r.lengths() {
		*length = time.Duration(signed())
	}
	r.TimeLeft = math.Float64frombits(unsigned())
	for i := range r.Phases {
		r.Phases[i].State = probe.SpanState(rest[0])
		if rest = rest[1:]; r.Phases[i].State != probe.SpanAbsent {
			r.Phases[i].Start, r.Phases[i].End = time.Duration(signed()), time.Duration(signed())
		}
	}
	return r
}

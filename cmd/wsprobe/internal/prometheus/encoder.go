package prometheus

import (
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/expfmt"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// encodedBytes is how much of an answer is in memory at a time, but for the last point.
const encodedBytes = 64 << 10

// Family is a metric by its name for Prometheus.
type Family struct {
	Name string
	Help string
	Type Type
}

// Type is the type of a family, as both text formats write it.
type Type string

// The types.
const (
	Counter   Type = "counter"
	Gauge     Type = "gauge"
	Histogram Type = "histogram"
)

// Encoder writes families: as text, in the format of Prometheus or in that of OpenMetrics, or as delimited messages of
// protobuf. It keeps no family: a point is on its way once its buffer is full. One goroutine uses it.
type Encoder struct {
	Labels  Labels    // of the next point
	Created time.Time // when it began to count, if it is a total; protobuf alone has it
	Native  bool      // histograms with exponential buckets are native ones in protobuf, and have no classic buckets there

	to      io.Writer
	message *messages // nil for text
	open    bool      // it writes OpenMetrics
	bytes   []byte
	family  Family
	begun   bool   // the header of the family is written
	head    []byte // of the lines of a histogram
	uppers  uppers
	err     error
}

// NewEncoder returns an Encoder for a format, which is text if it is none of the others.
func NewEncoder(to io.Writer, format expfmt.Format) *Encoder {
	if format.FormatType() == expfmt.TypeProtoDelim {
		return &Encoder{to: to, message: &messages{bytes: make([]byte, 0, messageBytes+messageBytes/8)}, Labels: Labels{messages: true}}
	}
	return &Encoder{to: to, open: format.FormatType() == expfmt.TypeOpenMetrics, bytes: make([]byte, 0, encodedBytes+encodedBytes/4)}
}

// Begin begins a family. All its points follow, and without any, nothing is written of it.
func (e *Encoder) Begin(f Family) {
	e.delimit()
	e.family, e.begun = f, false
}

// Number writes a point with the Labels.
func (e *Encoder) Number(value float64, exemplars []metrics.Exemplar) {
	if e.message != nil {
		e.message.number(&e.family, e.Labels.text, value, exemplars, e.Created)
		e.limit()
		return
	}
	e.header()
	e.sample("")
	e.bytes = appendFloat(e.bytes, value, e.open)
	if e.open && e.family.Type == Counter && len(exemplars) > 0 {
		e.exemplar(&exemplars[len(exemplars)-1])
	}
	e.line()
}

// Histogram writes a point with the Labels.
func (e *Encoder) Histogram(d *metrics.Distribution, exemplars []metrics.Exemplar) {
	if e.message != nil {
		e.message.histogram(e.Labels.text, d, exemplars, e.Created, e.Native)
		e.limit()
		return
	}
	e.header()
	e.head = append(append(append(e.head[:0], e.family.Name...), "_bucket{"...), e.Labels.text...)
	if len(e.Labels.text) > 0 {
		e.head = append(e.head, ',')
	}
	total := uint64(0)
	for i, le := range e.uppers.of(d.Bounds, e.open) {
		total += d.Counts[i]
		e.bytes = e.count(append(append(e.bytes, e.head...), le...), total)
		if x := ofBucket(d.Bounds, i, exemplars); x != nil && e.open {
			e.exemplar(x)
		}
		e.line()
	}
	e.sample("_sum")
	e.bytes = appendFloat(e.bytes, d.Sum, e.open)
	e.line()
	e.sample("_count")
	e.bytes = e.count(e.bytes, d.Count)
	e.line()
}

// Close writes the rest, and returns the first error of all writes: mostly, the client has gone.
func (e *Encoder) Close() error {
	e.delimit()
	if e.open {
		e.bytes = append(e.bytes, "# EOF\n"...)
	}
	e.flush()
	return e.err
}

// limit ends a message that is large.
func (e *Encoder) limit() {
	if len(e.message.bytes) >= messageBytes {
		e.delimit()
	}
}

// delimit writes the message of the family, if there is one.
func (e *Encoder) delimit() {
	if e.message == nil || len(e.message.bytes) == 0 {
		return
	}
	if e.err == nil {
		_, e.err = e.to.Write(e.message.delimit(&e.family))
	}
	if e.err == nil {
		_, e.err = e.to.Write(e.message.bytes)
	}
	e.message.bytes = e.message.bytes[:0]
}

// Err returns the first error of the writes. Nothing is written after it.
func (e *Encoder) Err() error { return e.err }

// line ends a line, and writes what is in the buffer if it is full.
func (e *Encoder) line() {
	if e.bytes = append(e.bytes, '\n'); len(e.bytes) >= encodedBytes {
		e.flush()
	}
}

func (e *Encoder) flush() {
	if e.err == nil && len(e.bytes) > 0 {
		_, e.err = e.to.Write(e.bytes)
	}
	e.bytes = e.bytes[:0]
}

// header writes what stands before the first point of a family.
func (e *Encoder) header() {
	if e.begun {
		return
	}
	e.begun = true
	name := e.family.Name
	if e.open && e.family.Type == Counter {
		name = name[:len(name)-len(totalSuffix)]
	}
	e.bytes = append(append(append(e.bytes, "# HELP "...), name...), ' ')
	e.bytes = appendEscaped(e.bytes, e.family.Help, e.open)
	e.bytes = append(append(append(append(e.bytes, "\n# TYPE "...), name...), ' '), e.family.Type...)
	e.line()
}

// totalSuffix ends the name of each counter, which [NameOf] sees to.
const totalSuffix = "_total"

// sample writes a sample up to its value.
func (e *Encoder) sample(suffix string) {
	e.bytes = append(append(e.bytes, e.family.Name...), suffix...)
	if len(e.Labels.text) > 0 {
		e.bytes = append(append(append(e.bytes, '{'), e.Labels.text...), '}')
	}
	e.bytes = append(e.bytes, ' ')
}

// count appends a count, which is a whole number in OpenMetrics alone.
func (e *Encoder) count(to []byte, n uint64) []byte {
	if e.open || n < wholeBelow {
		return strconv.AppendUint(to, n, 10)
	}
	return appendFloat(to, float64(n), false)
}

// ofBucket returns the last exemplar that falls into a bucket, nil if there is none.
func ofBucket(bounds []float64, bucket int, exemplars []metrics.Exemplar) *metrics.Exemplar {
	for i := len(exemplars) - 1; i >= 0; i-- {
		if at, _ := slices.BinarySearch(bounds, exemplars[i].Value.Float()); at == bucket {
			return &exemplars[i]
		}
	}
	return nil
}

// exemplar writes an exemplar behind a value.
func (e *Encoder) exemplar(x *metrics.Exemplar) {
	e.bytes = append(e.bytes, ` # {span_id="`...)
	e.bytes = appendHex(e.bytes, x.Trace.Run[:])
	e.bytes = append(e.bytes, `",trace_id="`...)
	e.bytes = appendHex(e.bytes, x.Trace.ID[:])
	e.bytes = append(e.bytes, `"} `...)
	e.bytes = appendFloat(e.bytes, x.Value.Float(), true)
	e.bytes = appendFloat(append(e.bytes, ' '), float64(x.Time.UnixNano())/1e9, true)
}

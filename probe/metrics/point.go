package metrics

import (
	"math"
	"time"

	"github.com/wsprobe/wsprobe/probe"
)

// Point is one value of a metric at one time.
type Point struct {
	Attributes Set
	// Start is when the run began that a gauge is of, or since when a total counts.
	Start, Time time.Time
	// Value is the value of a gauge or of a counter, Distribution that of a histogram.
	Value        Value
	Distribution *Distribution
	Exemplars    []Exemplar
	// NoValue says that the series of the point has no value any more. The Value means nothing then.
	NoValue bool
}

// Family is the points of one metric.
type Family struct {
	*Metric
	Points []Point
	// Exponential says that distributions are told by their exponential buckets, which they all have then. Otherwise
	// they are told by their explicit ones.
	Exponential bool
	// Delta says that totals count from the Start of their points, which is the Time of the points before. Otherwise
	// they count from the start of the series. Totals of an up-down counter always do.
	Delta bool
}

// Value is a number that is whole or not.
type Value struct {
	bits  uint64
	whole bool
}

// Int returns the Value of a whole number.
func Int(n int64) Value { return Value{uint64(n), true} }

// Float returns the Value of a number that need not be whole.
func Float(x float64) Value { return Value{math.Float64bits(x), false} }

// Whole returns the number if it is whole by its type.
func (v Value) Whole() (n int64, ok bool) { return int64(v.bits), v.whole }

// Float returns the number, whatever its type.
func (v Value) Float() float64 {
	if v.whole {
		return float64(int64(v.bits))
	}
	return math.Float64frombits(v.bits)
}

// Exemplar is a run that a total has counted, by its trace.
type Exemplar struct {
	Time  time.Time
	Value Value
	Trace probe.Trace
}

// Variant tells the series of a metric of one probe apart. Empty fields are absent.
type Variant struct{ Reason, ErrorType, Phase, SessionEnd, CloseCode, Message string }

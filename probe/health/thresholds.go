package health

// Thresholds say which values are healthy and which are unhealthy.
//
// What is neither is degraded, if both are given. With Unhealthy alone everything else is healthy; with Healthy alone
// everything else is degraded. Where both hold a value is unhealthy, but see [Thresholds.Contradiction].
type Thresholds struct {
	Healthy, Unhealthy Condition
}

// Given reports whether there is anything to judge by.
func (t Thresholds) Given() bool { return t.Healthy.Given() || t.Unhealthy.Given() }

// Judge returns the status of a value, NoData if none was measured, and Unknown if there is nothing to judge by.
func (t Thresholds) Judge(value float64, measured bool) Status {
	switch {
	case !t.Given():
		return Unknown
	case !measured:
		return NoData
	case t.Unhealthy.Holds(value):
		return Unhealthy
	case t.Healthy.Holds(value) || !t.Healthy.Given():
		return Healthy
	default:
		return Degraded
	}
}

// Decisive returns the condition that made a value what it is, or the zero Condition where none did.
func (t Thresholds) Decisive(s Status) Condition {
	switch s {
	case Healthy:
		return t.Healthy
	case Unhealthy:
		return t.Unhealthy
	default:
		return Condition{}
	}
}

// Contradiction returns a value that is healthy and unhealthy at once, and whether there is one. The values that can
// be are those given, or every number from 0 up if none is.
func (t Thresholds) Contradiction(values ...float64) (float64, bool) {
	if len(values) == 0 {
		// Two intervals with these bounds have one of these in common if they have anything in common.
		a, b := t.Healthy.Bound, t.Unhealthy.Bound
		values = []float64{a, b, (a + b) / 2, min(a, b) / 2, 2*max(a, b) + 1}
	}
	for _, v := range values {
		if t.Healthy.Holds(v) && t.Unhealthy.Holds(v) {
			return v, true
		}
	}
	return 0, false
}

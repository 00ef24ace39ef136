package probe

import "time"

// Interpretation says which value of a run is its headline: people see it first, and thresholds judge it.
type Interpretation string

// The interpretations. Their strings are part of wsprobe's interface.
const (
	// HandshakeLatency is the time from the start of the run to the open socket, in ms.
	HandshakeLatency Interpretation = "handshake_latency"
	// RoundTripLatency is the time from writing the message to having read the matching reply, in ms.
	RoundTripLatency Interpretation = "round_trip_latency"
	// ConnectionSuccess is 1 if the socket opened, else 0. It is never absent.
	ConnectionSuccess Interpretation = "connection_success"
)

// Interpretations returns every interpretation.
func Interpretations() []Interpretation {
	return []Interpretation{HandshakeLatency, RoundTripLatency, ConnectionSuccess}
}

// Value returns the headline value of a result and whether it was measured. Latencies are in
// milliseconds; a latency that was not measured is absent, never 0.
func (i Interpretation) Value(r Result) (float64, bool) {
	switch i {
	case ConnectionSuccess:
		if r.Opened {
			return 1, true
		}
		return 0, true
	case RoundTripLatency:
		return present(r.RoundTrip, r.Replied)
	default:
		return present(r.Handshake, r.Opened)
	}
}

// Unit returns the unit of the headline value, "ms" or "" for a number without one.
func (i Interpretation) Unit() string {
	if i == ConnectionSuccess {
		return ""
	}
	return "ms"
}

func present(d time.Duration, measured bool) (float64, bool) {
	if !measured {
		return 0, false
	}
	return Millis(d), true
}

// Millis is a duration in milliseconds, the unit of all latencies that leave wsprobe.
func Millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

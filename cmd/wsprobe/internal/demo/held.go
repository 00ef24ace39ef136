package demo

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
)

// keptTrips is the number of round trips that are remembered until the points of their time are there.
const keptTrips = 32

// held is what was received about an endpoint that is held open, beside its series. Its round trips come between the
// points that say whether it is open.
type held struct {
	trips    []trip
	open     latency           // the last handshake
	ends     map[string]uint64 // sessions by who or what ended them
	messages float64
	downtime float64 // in s
}

// trip is a round trip of a session.
type trip struct {
	at time.Time
	latency
}

// take takes a point to account, if it is one of a session.
func (h *held) take(p receiver.Point) (taken bool) {
	switch p.Metric {
	case metricRoundTrip:
		h.trips = append(h.trips, trip{p.Time, measured(p.Value)})
		h.trips = h.trips[max(0, len(h.trips)-keptTrips):]
	case metricHandshake:
		h.open = measured(p.Value)
	case metricSession:
		h.ends[text(p, keyEnd)] = p.Count
	case metricMessages:
		if text(p, keyMessage) == "wanted" {
			h.messages = p.Value
		}
	case metricDowntime:
		h.downtime = p.Value
	default:
		return false
	}
	return true
}

// before is the last round trip before a time.
func (h *held) before(at time.Time) latency {
	for _, t := range slices.Backward(h.trips) {
		if !t.at.After(at) {
			return t.latency
		}
	}
	return latency{}
}

// line sums up the sessions of an endpoint.
func (h *held) line(name string) line {
	said := " is held open: " + count(int(h.messages), "message")
	var ends []string
	for _, cause := range slices.Sorted(maps.Keys(h.ends)) {
		ends = append(ends, fmt.Sprintf("%d by %s", h.ends[cause], cause))
	}
	if len(ends) > 0 {
		said += ", sessions ended: " + strings.Join(ends, ", ")
	}
	if h.downtime > 0 {
		said += fmt.Sprintf(", %.1f s down", h.downtime)
	}
	return line{{name, strong}, {said, plain}}
}

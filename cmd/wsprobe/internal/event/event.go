// Package event is the results of probes in the form in which streams carry them.
package event

import (
	"time"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// Event is an Observation with an identity of its own. Every stream carries the same one. A receiver keeps neither the
// Event nor what it refers to.
type Event struct {
	ID string // UUIDv7 (RFC 9562): IDs of one agent sort by time
	// Kind is "run", or "session." and the moment of a held session: opened, answered, reported, ended, explained.
	Kind        string
	At          time.Time // when the outcome was fixed
	Observation *metrics.Observation
	// Changed: the state of the probe is another one than before. With thresholds the state is the status, and without
	// them whether the reason is ok. The first event of a probe is a change. In maintenance there is none.
	Changed bool
}

// Sink takes events. Observe never waits, because a probe does not.
type Sink interface {
	Observe(e *Event)
}

// Form is an event in one encoding. The number of times that it was sent before is not in the text, because it rises.
type Form struct {
	Text []byte
	Slot int // where the number stands in the text; -1 if the encoding leaves it out
}

// Package buffer keeps events until their delivery is proven: bounded, in order, in memory or on disk.
package buffer

import "time"

// Item is an event that waits. Its fields but Sends do not change.
type Item struct {
	ID       string
	Lane     string // items with the same lane, the name of a probe, keep their order
	At       time.Time
	Encoding string // names the encoding of the Text, so that a message holds one encoding only
	Text     []byte
	Slot     int // see event.Form
	Sends    int // how often it was sent before; an item of an earlier process counts once more, because it can have been
}

// Cause is the reason why an event was given up.
type Cause string

// The causes.
const (
	Full     Cause = "buffer_full" // the bound was reached
	Damaged  Cause = "damaged"     // the file with the event is damaged, or gone
	Stopped  Cause = "stopped"     // the agent stopped, and the event was in memory only
	TooLarge Cause = "too_large"   // the event exceeds the whole buffer
	Invalid  Cause = "unencodable" // the event has no form in the encoding
)

// Size is how much waits, events that were sent and are not acknowledged included.
type Size struct {
	Events int
	Bytes  int64
	Age    time.Duration // of the oldest event; 0 if none waits
}

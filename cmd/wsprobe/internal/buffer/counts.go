package buffer

import (
	"maps"
	"time"
)

// Cause is the reason why an event was given up.
type Cause string

// The causes.
const (
	Full     Cause = "buffer_full" // the bound was reached
	Damaged  Cause = "damaged"     // the file with the event is damaged, or gone
	Stopped  Cause = "stopped"     // the agent stopped, and the event was in memory only
	TooLarge Cause = "too_large"   // the event exceeds the whole buffer
	Rejected Cause = "rejected"    // the endpoint ended connection after connection over this event
)

// Causes returns every cause.
func Causes() []Cause { return []Cause{Full, Damaged, Stopped, TooLarge, Rejected} }

// Size is how much waits, events that were sent and are not acknowledged included.
type Size struct {
	Events int
	Bytes  int64         // of events in memory only, and of files
	Age    time.Duration // of the oldest event; 0 if none waits
}

// Counts are sums since Open. Taken is Accepted, all Discarded and Size.Events together.
type Counts struct {
	Taken     int64 // events of an earlier process included
	Accepted  int64
	Discarded map[Cause]int64
	Size      Size
	Trouble   error // why the directory does not work now, or nil
}

// Counts returns the numbers of this moment.
func (b *Buffer) Counts() Counts {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	return Counts{
		Taken: b.taken, Accepted: b.accepted, Discarded: maps.Clone(b.discarded),
		Size:    Size{Events: b.events, Bytes: b.freshBytes + b.diskBytes, Age: b.age(now)},
		Trouble: b.trouble,
	}
}

// age returns the age of the oldest item.
func (b *Buffer) age(now time.Time) time.Duration {
	age := time.Duration(0)
	if it := b.fresh.first; it != nil {
		age = max(age, now.Sub(it.At))
	}
	for _, l := range b.lanes {
		if l.first != nil {
			age = max(age, now.Sub(l.first.At))
		}
	}
	if blk := b.firstAway(); blk != nil {
		age = max(age, now.Sub(blk.at))
	}
	return age
}

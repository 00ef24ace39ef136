// Package stream delivers events to a WebSocket endpoint, at least once.
package stream

import (
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
)

// State says how a stream is, for people and for /readyz.
type State struct {
	Name, URL string // the URL as it may be shown
	Workers   int
	Open      int       // connections that are open
	Since     time.Time // when Open last became all workers, or ceased to be; zero before the first open
	Detail    string    // why the last connection ended or could not be opened, without secrets; else why the buffer's directory does not work
	Hint      string    // what to do about it; may be empty
	Waiting   buffer.Size
	LastSent  time.Time // of the last acknowledged event; zero for none
}

// Counts are sums since the start, but for what waits. Every event that the stream took is in exactly one of Sent,
// Discarded and Waiting.
type Counts struct {
	Events      int64 // taken, also of an earlier process
	Sent        int64 // acknowledged
	Resent      int64 // sends of events that had been sent before
	Discarded   map[buffer.Cause]int64
	Waiting     buffer.Size
	Disk        map[string]int64 // failed uses of the directory of the buffer, by one of few words
	Messages    int64            // data messages written
	Bytes       int64            // of them, before compression
	Established int64
	Failed      map[Failure]int64
	Shutdown    map[Shutdown]int64
}

// Failure is why a connection could not be opened, in closed sets.
type Failure struct {
	Reason, ErrorType string
}

// Shutdown is how a connection ended, in closed sets: by whom, and the close code as metrics.CloseCode has it.
type Shutdown struct {
	By, CloseCode string // By is server, agent, network or timeout
}

// Add adds the sums of another stream, and what waits in it.
func (c *Counts) Add(other *Counts) {
	c.Events += other.Events
	c.Sent += other.Sent
	c.Resent += other.Resent
	c.Messages += other.Messages
	c.Bytes += other.Bytes
	c.Established += other.Established
	c.Waiting.Events += other.Waiting.Events
	c.Waiting.Bytes += other.Waiting.Bytes
	c.Waiting.Age = max(c.Waiting.Age, other.Waiting.Age)
	c.Discarded, c.Disk = sum(c.Discarded, other.Discarded), sum(c.Disk, other.Disk)
	c.Failed, c.Shutdown = sum(c.Failed, other.Failed), sum(c.Shutdown, other.Shutdown)
}

// sum returns the sums of two maps.
func sum[K comparable](a, b map[K]int64) map[K]int64 {
	all := make(map[K]int64, len(a)+len(b))
	for _, one := range []map[K]int64{a, b} {
		for key, n := range one {
			all[key] += n
		}
	}
	return all
}

package stream

import (
	"sync/atomic"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
)

// maxTries is how often an event may be alone in flight when the server refuses what it got. Then it is given up, so that
// the others get on.
const maxTries = 3

// suspect looks for the event that a server refuses by its close code. After such a close the events that were in flight
// are sent one at a time.
type suspect struct {
	careful int         // so many events are sent alone
	most    int64       // bytes of a message, or 0 for the bound of the batch
	id      string      // of the event that was alone in flight
	tries   int         // how often it was, in a row
	proven  atomic.Bool // the server took an event of this worker before
}

// judge learns from the end of a connection, before what was in flight goes back.
func (w *worker) judge(l *link, ended ending) {
	p := &w.suspect
	flying := l.proof.unproven()
	if ended.by != byServer || len(flying) == 0 {
		return
	}
	switch ended.code {
	case closeTooBig, closeInvalid, closeUnsupported:
	default:
		return
	}
	if len(flying) > 1 {
		if p.careful = len(flying); ended.code == closeTooBig {
			p.most = max(1, w.longest(flying)/2)
		}
		return
	}
	item := flying[0]
	if p.id != item.ID {
		p.id, p.tries = item.ID, 0
	}
	p.careful = max(p.careful+1, 1)
	// A server that never took anything refuses the encoding, and not this event.
	if p.tries++; p.tries >= maxTries && (ended.code != closeUnsupported || p.proven.Load()) {
		w.s.buffer.Discard(buffer.Rejected, item)
		p.id, p.tries, p.careful = "", 0, p.careful-1
	}
}

// longest is the length that a message of these events had at most.
func (w *worker) longest(items []*buffer.Item) int64 {
	if w.set.Batch.Events == 1 {
		return w.set.Batch.Bytes
	}
	var sum int64
	for _, item := range items[:min(len(items), w.set.Batch.Events)] {
		sum += int64(len(item.Text))
	}
	return sum
}

package stream

import (
	"errors"
	"io"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
)

// What is taken at once of events that are messages of their own: they share a write.
const (
	maxTaken      = 256
	maxTakenBytes = 256 << 10
)

// maxKept is the longest message whose memory is used again, in bytes.
const maxKept = 1 << 20

// gather is the least time between two writes, unless the last one was full. Events that come close together share the
// cost of a write, and no event waits longer for others.
const gather = 5 * time.Millisecond

// send sends events on a connection until it ends, or until no more will come.
func (w *worker) send(l *link) {
	var last time.Time // of a write that was not full
	for {
		if wait := time.Until(last.Add(gather)); wait > 0 {
			time.Sleep(wait)
		}
		events, bytes := l.proof.room(l.ctx, w.suspect.careful > 0)
		if events == 0 {
			return
		}
		share := w.share(events, bytes)
		items, err := w.s.buffer.Next(l.ctx, w.lane, share, w.linger())
		switch {
		case errors.Is(err, io.EOF):
			if l.proof.rest(l.ctx); l.ctx.Err() == nil {
				l.end(stopped())
			}
			return
		case err != nil:
			return
		case l.ctx.Err() != nil:
			l.unsent = items
			return
		}
		if !w.write(l, items) {
			return
		}
		if last = time.Now(); len(items) == share.Events {
			last = time.Time{}
		}
		if w.suspect.careful > 0 {
			w.suspect.careful--
		}
	}
}

// share is how much to take from the buffer at once.
func (w *worker) share(events int, bytes int64) buffer.Batch {
	o := &w.set.Options
	if o.Batch.Events == 1 || w.suspect.careful > 0 {
		return buffer.Batch{Events: min(events, maxTaken), Bytes: min(bytes, maxTakenBytes)}
	}
	most := o.Batch.Bytes
	if w.suspect.most > 0 {
		most = min(most, w.suspect.most)
	}
	return buffer.Batch{Events: min(events, o.Batch.Events), Bytes: min(bytes, most)}
}

// linger is how long an event waits for others.
func (w *worker) linger() time.Duration {
	if w.set.Batch.Events == 1 || w.suspect.careful > 0 {
		return 0
	}
	return w.set.Batch.Linger
}

// write writes events, as one message or as one each, and reports whether it could.
func (w *worker) write(l *link, items []*buffer.Item) bool {
	each := len(items)
	if w.set.Batch.Events == 1 {
		each = 1
	}
	l.proof.flying(items, time.Now())
	sum := tally{}
	for i := 0; i < len(items); i += each {
		batch := items[i : i+each]
		text, isBinary := w.message(batch)
		sum.message(batch, text)
		if !l.wrote(l.conn.Queue(isBinary, text)) {
			l.unsent = items[i+each:]
			return false
		}
	}
	ok := false
	if ping := l.proof.written(time.Now()); ping != "" {
		ok = l.ping(ping)
	} else {
		ok = l.wrote(l.conn.Flush())
	}
	if ok {
		w.s.sent(sum)
		if w.set.Acknowledgements == Written {
			w.accept(items...)
		}
	}
	return ok
}

// message is the message of some events, valid until the next call.
func (w *worker) message(items []*buffer.Item) (text []byte, isBinary bool) {
	w.parts = w.parts[:0]
	for _, item := range items {
		w.parts = append(w.parts, event.Part{Text: item.Text, Slot: item.Slot, Replay: item.Sends})
	}
	name := items[0].Encoding
	if cap(w.text) > maxKept {
		w.text = nil // a long one is rare
	}
	w.text = event.Join(w.text[:0], name, w.parts)
	return w.text, event.Binary(name)
}

// tally is what a write holds.
type tally struct {
	messages, bytes, resent int64
}

func (t *tally) message(items []*buffer.Item, text []byte) {
	t.messages++
	t.bytes += int64(len(text))
	for _, item := range items {
		if item.Sends > 0 {
			t.resent++
		}
	}
}

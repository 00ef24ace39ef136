package session

import (
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
)

// work is the memory of a loop, which its machines use one after the other. Out are the bytes to write and events the
// events of the last call of a machine; the loop empties both before the next one.
type work struct {
	out    []byte
	events []Event
	at     time.Time     // of the call of a machine
	lag    time.Duration // see End.Lag

	inflater *frame.Inflater // nil until the first compressed message
	inflated []byte
	lateAt   time.Time // when the judging of a message has taken too long; zero for never
}

// reset prepares for the next call.
func (w *work) reset() {
	clear(w.events) // an End is the receiver's
	w.out, w.events, w.lag = w.out[:0], w.events[:0], 0
	if cap(w.inflated) > maxSpare {
		w.inflated = nil
	}
}

// maxSpare is the largest buffer in bytes that a loop keeps for the next message.
const maxSpare = 64 << 10

func (w *work) late() bool { return !w.lateAt.IsZero() && time.Now().After(w.lateAt) }

// inflate inflates a message. The result is valid until the next call.
func (w *work) inflate(payload, window []byte, limit int64) (message, newWindow []byte, err error) {
	if w.inflater == nil {
		w.inflater = frame.NewInflater()
	}
	w.inflated, newWindow, err = w.inflater.Whole(w.inflated[:0], payload, window, limit)
	return w.inflated, newWindow, err
}

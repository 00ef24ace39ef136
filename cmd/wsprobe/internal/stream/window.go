package stream

import "time"

// The bounds of a window.
const (
	firstEvents, minEvents, maxEvents = 64, 1, 1000
	firstBytes, minBytes, maxBytes    = 256 << 10, 16 << 10, 4 << 20
)

// window bounds what may be in flight: written, and not proven. An endpoint takes what it gets in order, Pings included.
// So it must not have more in front of a Ping than it can take within the timeout. The window grows with what is proven
// soon, and shrinks when proofs take long. It outlives a connection.
type window struct {
	events int
	bytes  int64
	shrunk time.Time
}

func newWindow() *window { return &window{events: firstEvents, bytes: firstBytes} }

// full reports whether so much fills most of the window.
func (w *window) full(events int, bytes int64) bool {
	return 4*events >= 3*w.events || 4*bytes >= 3*w.bytes
}

// half reports whether so much fills half of the window.
func (w *window) half(events int, bytes int64) bool {
	return 2*events >= w.events || 2*bytes >= w.bytes
}

// proven learns from proofs of so much that was written at a time, when the window was full or not.
func (w *window) proven(events int, bytes int64, full bool, at, now time.Time, timeout time.Duration) {
	switch took := now.Sub(at); {
	case took > timeout/4 && at.After(w.shrunk): // what was written before knew nothing of it
		w.shrink(now)
	case took < timeout/16 && full:
		w.events, w.bytes = min(maxEvents, w.events+events), min(maxBytes, w.bytes+bytes)
	}
}

// shrink learns from a proof that came late, or not at all.
func (w *window) shrink(now time.Time) {
	w.events, w.bytes, w.shrunk = max(minEvents, w.events/2), max(minBytes, w.bytes/2), now
}

package telemetry

import (
	"sync"
	"time"
)

// Health says whether telemetry gets through.
type Health struct {
	// OK says that the last export was accepted, or that none was due yet.
	OK bool
	// Since is when it became so; zero before the first export.
	Since time.Time
	// Detail is what the last export that failed met, for people. It is redacted, and empty if OK.
	Detail string
}

// health keeps the state of the export.
type health struct {
	mu    sync.Mutex
	state Health
}

func newHealth() *health { return &health{state: Health{OK: true}} }

func (h *health) get() Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state
}

// set notes how an export ended and returns what was known before.
func (h *health) set(ok bool, now time.Time, v verdict) Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.state
	if before.OK != ok || before.Since.IsZero() {
		h.state.Since = now
	}
	h.state.OK, h.state.Detail = ok, ""
	if !ok {
		h.state.Detail = v.errorType + ": " + v.message
	}
	return before
}

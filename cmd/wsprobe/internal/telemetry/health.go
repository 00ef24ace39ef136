package telemetry

import (
	"fmt"
	"sync"
	"time"
)

// toldFor is how long people are told of an export that was refused for good.
const toldFor = 15 * time.Minute

// Health says whether telemetry gets through.
type Health struct {
	// OK says that exports are accepted, or that none was due yet. One that is refused for good does not change that, unless
	// none was accepted for two intervals.
	OK bool
	// Since is when it became so; zero before the first export.
	Since time.Time
	// Detail is what the last export that failed met, for people. It is redacted, and empty if OK.
	Detail string
	// Refusal is the last export that was refused for good, zero if there was none in the last 15 minutes.
	Refusal Refusal
}

// Refusal is what is known of exports that were refused for good.
type Refusal struct {
	At     time.Time
	Points int    // in all exports that were refused, as long as none is 15 minutes after the one before
	Detail string // the receiver's words, redacted
}

// health keeps the state of the export.
type health struct {
	grace time.Duration // without an export that was accepted, until refusals are a failure

	mu       sync.Mutex
	state    Health
	accepted time.Time // when an export was accepted last, or else the start
}

func newHealth() *health { return &health{state: Health{OK: true}, accepted: time.Now()} }

// get returns the state as it is now.
func (h *health) get() Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	state := h.state
	if time.Since(state.Refusal.At) >= toldFor {
		state.Refusal = Refusal{}
	}
	return state
}

// note notes how an export ended and returns what was known before. One that was repeated and refused says nothing.
func (h *health) note(now time.Time, points int, v verdict, repeated bool) Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.state
	if repeated {
		return before
	}
	detail := v.errorType + ": " + v.message
	refused := points
	switch {
	case v.outcome == Deferred:
		refused = 0
		h.set(false, now, detail)
	case v.outcome == Accepted, v.outcome == Partial && v.rejected < points:
		refused, detail = v.rejected, v.message
		h.accepted = now
		h.set(true, now, "")
	case now.Sub(h.accepted) >= h.grace:
		h.set(false, now, detail)
	}
	if refused > 0 {
		h.refused(now, refused, detail)
	}
	return before
}

// refuse notes an export that was given up.
func (h *health) refuse(now time.Time, points int, detail string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refused(now, points, detail)
}

// refused notes points that were refused. The caller holds the lock.
func (h *health) refused(now time.Time, points int, detail string) {
	if now.Sub(h.state.Refusal.At) < toldFor {
		points += h.state.Refusal.Points
	}
	h.state.Refusal = Refusal{At: now, Points: points, Detail: detail}
}

// set notes whether exports get through. The caller holds the lock.
func (h *health) set(ok bool, now time.Time, detail string) {
	if h.state.OK != ok || h.state.Since.IsZero() {
		h.state.Since = now
	}
	h.state.OK, h.state.Detail = ok, detail
}

// Notes are sentences about the export that people should know although exports get through.
func (t *Telemetry) Notes() []string {
	var notes []string
	if r := t.health.get().Refusal; !r.At.IsZero() {
		notes = append(notes, fmt.Sprintf("the receiver refused %d data points for good, the last %s ago: %s",
			r.Points, time.Since(r.At).Round(time.Second), r.Detail))
	}
	if behind := t.producer.times.behind(); behind > 0 {
		notes = append(notes, fmt.Sprintf("the clock is %s behind the last time that was exported: Prometheus refuses results until it has caught up",
			behind.Round(time.Second)))
	}
	return notes
}

package outbox

import (
	"sync"
	"time"
)

// refusalShown is how long people are told of a request that was refused for good.
const refusalShown = 15 * time.Minute

// State says whether requests get through.
type State struct {
	// OK says that requests are accepted, or that none was due yet. One that is refused for good does not change that,
	// unless none was accepted for Options.Grace.
	OK bool
	// Since is when OK changed; zero before the first request.
	Since time.Time
	// Detail describes the failure of the last request that failed, for people. It has no secrets, and is empty if OK.
	Detail string
	// Refusal describes the last request that was refused for good; zero if there was none in the last 15 minutes.
	Refusal Refusal
}

// Refusal describes requests that were refused for good.
type Refusal struct {
	At     time.Time
	Items  int    // in all refused requests, as long as none is 15 minutes after the one before
	Detail string // the receiver's words, without secrets
}

// tracker keeps the state.
type tracker struct {
	pace *pace

	mu       sync.Mutex
	state    State
	accepted time.Time // when a request was accepted last, or else the start
}

func newTracker(p *pace) *tracker {
	return &tracker{pace: p, state: State{OK: true}, accepted: time.Now()}
}

// get returns the state now.
func (t *tracker) get() State {
	t.mu.Lock()
	defer t.mu.Unlock()
	state := t.state
	if time.Since(state.Refusal.At) >= refusalShown {
		state.Refusal = Refusal{}
	}
	return state
}

// failing reports whether requests do not get through.
func (t *tracker) failing() bool { return !t.get().OK }

// note notes an answer and returns the state before it. A refusal of a repeated request says nothing.
func (t *tracker) note(now time.Time, items int, a Answer, repeated bool) State {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.state
	if repeated {
		return before
	}
	detail := a.ErrorType + ": " + a.Message
	refused := items
	switch {
	case a.Outcome == Deferred:
		refused = 0
		t.set(false, now, detail)
	case a.Outcome == Accepted, a.Outcome == Partial && a.Rejected < items:
		refused, detail = a.Rejected, a.Message
		t.accepted = now
		t.set(true, now, "")
	case now.Sub(t.accepted) >= t.pace.grace.get():
		t.set(false, now, detail)
	}
	if refused > 0 {
		t.addRefusal(now, refused, detail)
	}
	return before
}

// refuse notes a request that was given up.
func (t *tracker) refuse(now time.Time, items int, detail string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.addRefusal(now, items, detail)
}

// addRefusal notes items that were refused. The caller holds the lock.
func (t *tracker) addRefusal(now time.Time, items int, detail string) {
	if now.Sub(t.state.Refusal.At) < refusalShown {
		items += t.state.Refusal.Items
	}
	t.state.Refusal = Refusal{At: now, Items: items, Detail: detail}
}

// set notes whether requests get through. The caller holds the lock.
func (t *tracker) set(ok bool, now time.Time, detail string) {
	if t.state.OK != ok || t.state.Since.IsZero() {
		t.state.Since = now
	}
	t.state.OK, t.state.Detail = ok, detail
}

package metrics

import (
	"slices"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

// tally is what is counted of a probe from one moment on. A nil one has counted nothing.
type tally struct {
	outcomes  []Outcome
	handshake Values // in ms
	roundTrip Values // in ms
	held      *held  // nil before the first session
}

// run counts a run.
func (t *tally) run(f Forms, r *probe.Result) {
	t.outcomes[t.outcome(r.Reason, r.ErrorType)].Runs++
	if r.Opened {
		t.handshake.Observe(f, latencyBounds, probe.Millis(r.Handshake))
	}
	if r.Replied {
		t.roundTrip.Observe(f, latencyBounds, probe.Millis(r.RoundTrip))
	}
}

// outcome returns the index of an outcome. It looks for it by hand, because a probe has one or two of them.
func (t *tally) outcome(reason reasons.Code, errorType reasons.ErrorType) int {
	for i := range t.outcomes {
		if o := &t.outcomes[i]; o.Reason == reason && o.ErrorType == errorType {
			return i
		}
	}
	t.outcomes = append(slices.Grow(t.outcomes, 1), Outcome{Reason: reason, ErrorType: errorType})
	return len(t.outcomes) - 1
}

// totals returns a copy.
func (t *tally) totals(x *exemplars) Totals {
	if t == nil {
		return Totals{exemplars: x}
	}
	return Totals{slices.Clone(t.outcomes), t.handshake.Distribution(latencyBounds), t.roundTrip.Distribution(latencyBounds), t.held.samples(), x}
}

// increments returns a copy without counters that are 0: those say that nothing was added.
func (t *tally) increments(x *exemplars) Totals {
	added := t.totals(x)
	added.session = slices.DeleteFunc(added.session, func(s Sample) bool { return s.Distribution == nil && s.Value.bits == 0 })
	return added
}

// counted calls do with each tally that is kept, and the forms of its histograms. The caller holds the lock.
func (s *Series) counted(do func(*tally, Forms)) {
	if s.keep.totals() {
		if s.total == nil {
			s.total = &tally{}
		}
		do(s.total, s.keep.Forms)
	}
	if s.keep.Deltas {
		if s.added == nil {
			s.added = &tally{}
		}
		do(s.added, s.keep.DeltaForms)
	}
}

// Collect returns the totals with the exemplars since the last Collect, or with [Keep.Deltas] what was added since
// then. One reader calls it.
func (s *Series) Collect() Totals {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.exemplars
	s.exemplars = nil
	if !s.keep.Deltas {
		return s.total.totals(taken)
	}
	added := s.added
	s.added = nil
	return added.increments(taken)
}

// Totals returns the totals, with the last exemplars if [Keep.Last] is set. It takes nothing away from Collect.
func (s *Series) Totals() Totals {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total.totals(s.shown.clone())
}

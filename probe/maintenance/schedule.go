package maintenance

import (
	"sync/atomic"
	"time"
)

// Horizon is how far ahead a Schedule looks for its next change.
const Horizon = 35 * day

// recheck is how long an answer holds that lies beyond the horizon.
const recheck = day

// Schedule is the windows of a probe. A nil Schedule has none. Probes may share one. Its methods may be called by several
// goroutines, and cost little while no window begins or ends.
type Schedule struct {
	windows []Window
	known   atomic.Pointer[stretch]
}

// stretch is a time without a change.
type stretch struct {
	span
	within bool // it is maintenance
	sure   bool // the end is the next change
}

// New returns the schedule of windows, which is nil without any.
func New(windows ...Window) *Schedule {
	if len(windows) == 0 {
		return nil
	}
	return &Schedule{windows: windows}
}

// Windows returns the windows.
func (s *Schedule) Windows() []Window {
	if s == nil {
		return nil
	}
	return append([]Window(nil), s.windows...)
}

// At reports whether a time is in a window.
func (s *Schedule) At(t time.Time) bool { return s != nil && s.around(t).within }

// Next returns the time of the next change: the end of maintenance, or else the beginning of the next one. It reports
// false if there is none within the [Horizon].
func (s *Schedule) Next(t time.Time) (time.Time, bool) {
	if s == nil {
		return time.Time{}, false
	}
	if now := s.around(t); now.sure {
		return now.to, true
	}
	return time.Time{}, false
}

// Until returns the end of the maintenance that a time is in. It is zero if the time is in none, or if there is no end
// within the [Horizon].
func (s *Schedule) Until(t time.Time) time.Time {
	if next, ok := s.Next(t); ok && s.At(t) {
		return next
	}
	return time.Time{}
}

// around returns the stretch from a time on, or one that it is in.
func (s *Schedule) around(t time.Time) *stretch {
	t = t.Round(0)
	if known := s.known.Load(); known != nil && known.has(t) {
		return known
	}
	fresh := &stretch{span: span{from: t}}
	if fresh.to = s.reach(t, t.Add(Horizon)); fresh.to.After(t) {
		fresh.within, fresh.sure = true, !fresh.to.After(t.Add(Horizon))
	} else {
		fresh.to, fresh.sure = s.begins(t)
	}
	if !fresh.sure {
		fresh.to = t.Add(recheck)
	}
	s.known.Store(fresh)
	return fresh
}

// reach returns how far windows go on from a time without a break, but for what is beyond the limit. Outside of all
// windows that is the time itself.
func (s *Schedule) reach(t, limit time.Time) time.Time {
	for end := t; ; {
		before := end
		for _, w := range s.windows {
			w.spans(before, 1, func(one span) bool {
				if one.has(before) && one.to.After(end) {
					end = one.to
				}
				return !one.from.After(before)
			})
		}
		if end.Equal(before) || end.After(limit) {
			return end
		}
	}
}

// begins returns when the next window begins, at a time that is outside of all. It reports false if there is none within
// the horizon.
func (s *Schedule) begins(t time.Time) (next time.Time, found bool) {
	limit := t.Add(Horizon)
	for _, w := range s.windows {
		w.spans(t, int(Horizon/day), func(one span) bool {
			if one.from.After(t) && !one.from.After(limit) && (!found || one.from.Before(next)) {
				next, found = one.from, true
			}
			return !one.from.After(t)
		})
	}
	return next, found
}

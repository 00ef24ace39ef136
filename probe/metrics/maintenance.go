package metrics

import "time"

// Maintenance is how a probe stands to its maintenance windows.
type Maintenance uint8

// What a probe with and without windows is.
const (
	NoWindows Maintenance = iota
	Outside               // of all windows
	Within                // a window
)

// Maintain notes that a window has begun or ended, or that the probe has windows now, or none any more. The streak begins
// anew. It returns the numbers of the change: whether the probe is in maintenance, and what is true no longer.
func (s *Series) Maintain(at time.Time, is Maintenance) Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	at = at.Round(0)
	run := Run{Started: at, Ended: at, Maintained: is == Within, Keeps: ^HasMaintenance}
	run.has(HasMaintenance, is != NoWindows)
	if is == Within {
		run.Keeps &^= HasStatus | hasSuccess
	}
	if is == Within || s.windows == Within {
		s.streak = 0
	}
	s.windows, run.Streak = is, s.streak
	s.keepLast(run)
	return run
}

// Maintenance returns what [Series.Maintain] noted last.
func (s *Series) Maintenance() Maintenance {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.windows
}

package watch

import "time"

const (
	// settled is how long files must stay the same before a change counts. A file that is written in parts, or removed
	// for a moment, is not taken as it is meanwhile.
	settled = 2 * time.Second
	// maxUnrest is how long files may change from look to look before they are taken as they are.
	maxUnrest = 10 * time.Second
)

// Settling decides when a change counts: once the files have stayed the same for 2 s, and every 10 s while they do not.
// The zero value knows nothing, so that whatever stays the same counts.
type Settling struct {
	known Sum // that was acted on
	last  Sum // of the last look
	same  time.Time
	since time.Time // when a look first saw something else than known; zero if none did
}

// Acted says what the files were when they were last acted on. The zero Sum stands for files that are not known.
func (s *Settling) Acted(on Sum, now time.Time) {
	*s = Settling{known: on, last: on, same: now}
}

// Saw takes the sum of a look, and reports whether it is time to act.
func (s *Settling) Saw(sum Sum, now time.Time) bool {
	if sum != s.last || s.same.IsZero() {
		s.last, s.same = sum, now
	}
	calm := now.Sub(s.same) >= settled
	if sum == s.known {
		if calm {
			s.since = time.Time{}
		}
		return false
	}
	if s.since.IsZero() {
		s.since = now
	}
	return calm || now.Sub(s.since) >= maxUnrest
}

// Pending reports whether a change was seen that does not count yet.
func (s *Settling) Pending() bool { return !s.since.IsZero() }

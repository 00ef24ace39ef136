package feed

import "github.com/wsprobe/wsprobe/probe/metrics"

// latest is the last event of a probe, in the list of all of them. A bookmark in that list has no identity.
type latest struct {
	before, behind *latest

	identity *metrics.Identity
	entry    *entry // nil once the probe has left
	dropped  uint64 // number of the newest event of the probe that is not in the ring any more
}

// insert puts a member behind another one.
func (l *latest) insert(before *latest) {
	l.before, l.behind = before, before.behind
	l.before.behind, l.behind.before = l, l
}

// remove takes a member out.
func (l *latest) remove() {
	l.before.behind, l.behind.before = l.behind, l.before
	l.before, l.behind = nil, nil
}

// snapshot is a walk along the last events of the probes. Others may walk at the same time, and events happen
// meanwhile. A probe with a new event moves to the end of the list, which the walk does not reach.
type snapshot struct {
	bookmark    latest // the walk has come to here; not in the list before and after it
	first, last uint64 // numbers of the events that it is about
}

// scanned is how many probes are looked at without a pause.
const scanned = 1000

// open begins a walk.
func (s *snapshot) open(p *past, first, last uint64) {
	s.close()
	s.first, s.last = first, last
	s.bookmark.insert(&p.order)
}

// close ends a walk, which may have ended.
func (s *snapshot) close() {
	if s.bookmark.behind != nil {
		s.bookmark.remove()
	}
}

// walk goes on until it has found enough, and calls found with each entry until that returns false. It reports whether
// there is more.
func (s *snapshot) walk(p *past, found func(*entry) bool) (more bool) {
	if s.bookmark.behind == nil {
		return false
	}
	for range scanned {
		l := s.bookmark.behind
		if l == &p.order || l.identity != nil && l.entry.number > s.last {
			s.close()
			return false
		}
		if l.identity != nil && l.entry.number >= s.first && !found(l.entry) {
			return true
		}
		s.bookmark.remove()
		s.bookmark.insert(l)
	}
	return true
}

package event

import "sync/atomic"

// Sinks are the sinks that all trackers of an agent tell. They can change while events come.
type Sinks struct{ list atomic.Pointer[[]Sink] }

// NewSinks returns these sinks.
func NewSinks(sinks ...Sink) *Sinks {
	s := &Sinks{}
	s.Set(sinks)
	return s
}

// Set makes other sinks of them. An event that comes at the same time is told either those of before or those of now,
// and in any case to each that is in both.
func (s *Sinks) Set(sinks []Sink) { s.list.Store(&sinks) }

// all returns the sinks of now. Those of nil are none.
func (s *Sinks) all() []Sink {
	if s == nil {
		return nil
	}
	return *s.list.Load()
}

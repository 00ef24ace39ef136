package main

import (
	"math"
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/probe/session"
)

// heldEvent is an Event with the number of its session, from 1. An open that failed has that of the session to come.
type heldEvent struct {
	session.Event
	number int
}

// tally is what a held session came to.
type tally struct {
	spec         session.Spec
	began, ended time.Time

	sessions, failedOpens int
	open                  []int // the numbers of the sessions that are open, the older first: a renewal has two
	last                  int   // the number of the last one that ended
	openSince             time.Time
	lastEvent             time.Time
	nextOpen              time.Time // if none is open
	openFor               time.Duration
	longestDown           time.Duration

	ends         map[session.Cause]int
	unplanned    int
	openAtTheEnd bool
	totals       session.Totals // of the sessions that ended
	unanswered   int
	pinged       int // rows of Pings of the server
	messages     int
	bytes        int // of the messages
	pings, beats sample
	ages         sample
	opens        sample
	numbered     int // messages with a number of the sequence
	longestGap   time.Duration
	gaps         bool // a wanted message came
}

// held reports whether the session was open at the end, and all the time as far as that was in the hands of the server.
func (t *tally) held() bool { return t.openAtTheEnd && t.unplanned == 0 && t.failedOpens == 0 }

// note takes an event.
func (t *tally) note(e session.Event) heldEvent {
	t.lastEvent = e.At
	number := 0
	if len(t.open) > 0 {
		number = t.open[0]
	}
	switch e.Kind {
	case session.Opened:
		number = t.opened(e)
	case session.OpenFailed:
		t.failedOpens++
		t.nextOpen = e.At.Add(e.Wait)
		number = t.sessions + 1
	case session.Ended:
		t.noteEnd(e, number)
	case session.Closed, session.Explained:
		number = t.last
	case session.Ponged:
		t.pings.add(e.RTT)
	case session.Pinged:
		t.pinged++
	case session.Unanswered:
		t.unanswered++
	case session.Beat:
		t.beats.add(e.RTT)
	case session.Received:
		t.message(e.Message)
	}
	return heldEvent{e, number}
}

func (t *tally) opened(e session.Event) (number int) {
	t.sessions++
	if len(t.open) == 0 {
		t.openSince = e.At
	}
	t.open = append(t.open, t.sessions)
	t.longestDown = max(t.longestDown, e.Downtime)
	t.opens.add(e.Open.Handshake)
	return t.sessions
}

func (t *tally) noteEnd(e session.Event, number int) {
	t.last, t.nextOpen = number, e.At.Add(e.Wait)
	if len(t.open) > 0 {
		t.open = t.open[1:]
	}
	if len(t.open) == 0 {
		t.openFor += e.At.Sub(t.openSince)
	}
	if t.ends == nil {
		t.ends = make(map[session.Cause]int)
	}
	t.ends[e.End.Cause]++
	if !e.End.Cause.Planned() {
		t.unplanned++
	}
	if t.openAtTheEnd = e.End.Cause == session.ByStop; t.openAtTheEnd {
		t.ended = e.At
	}
	add := e.End.Totals
	sum := &t.totals
	sum.BytesIn += add.BytesIn
	sum.BytesOut += add.BytesOut
	sum.Messages += add.Messages
	sum.Wanted += add.Wanted
	sum.Pings += add.Pings
	sum.Pongs += add.Pongs
	sum.Beats += add.Beats
	sum.Lost += add.Lost
	sum.Repeated += add.Repeated
	sum.Disordered += add.Disordered
}

func (t *tally) message(m session.Message) {
	t.messages++
	t.bytes += m.Size
	if !m.Wanted {
		return
	}
	t.gaps, t.longestGap = true, max(t.longestGap, m.Gap)
	t.numbered += count(m.Numbered)
	if m.Dated {
		t.ages.add(m.Age)
	}
}

// maxSample is how many values are kept. Of more, every second is dropped, then every second of the rest, and so on.
const maxSample = 1 << 16

// sample is the distribution of durations, of which there may be any number. Least and most are exact.
type sample struct {
	n           int
	least, most time.Duration
	kept        []time.Duration
	stride      int // one of so many is kept
}

func (s *sample) add(d time.Duration) {
	if s.n == 0 {
		s.least, s.most, s.stride = d, d, 1
	}
	s.least, s.most = min(s.least, d), max(s.most, d)
	if s.n%s.stride == 0 {
		s.kept = append(s.kept, d)
	}
	if s.n++; len(s.kept) == maxSample {
		for i := range maxSample / 2 {
			s.kept[i] = s.kept[2*i]
		}
		s.kept = s.kept[:maxSample/2]
		s.stride *= 2
	}
}

// quantiles returns values that so many of a hundred do not exceed.
func (s *sample) quantiles(percents ...float64) []time.Duration {
	sorted := slices.Sorted(slices.Values(s.kept))
	var all []time.Duration
	for _, p := range percents {
		all = append(all, nearestRank(sorted, p))
	}
	return all
}

// nearestRank is a value of a sorted list that so many of a hundred do not exceed. It was measured, not interpolated.
func nearestRank[T any](sorted []T, percent float64) T {
	return sorted[int(math.Ceil(percent/100*float64(len(sorted))))-1]
}

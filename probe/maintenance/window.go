package maintenance

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// day is what a time of the day is below, or for the end of a window equal to.
const day = 24 * time.Hour

// Window is a time of maintenance, made by [Once] or [Recurring].
type Window struct {
	from, to time.Time // of one that is open once

	days       Days
	begin, end time.Duration  // since midnight on the clock of the zone; end is above 24h if it is on the next day
	zone       *time.Location // nil for a window that is open once
}

// Days is a set of days of the week. The zero Days is every day.
type Days uint8

// On returns the set of these days.
func On(days ...time.Weekday) Days {
	var d Days
	for _, one := range days {
		d |= 1 << one
	}
	return d
}

// Has reports whether a day is in the set.
func (d Days) Has(w time.Weekday) bool { return d == 0 || d&(1<<w) != 0 }

// Once returns a window that is open from one time to another. The error is a phrase about to.
func Once(from, to time.Time) (Window, error) {
	if !from.Before(to) {
		return Window{}, errors.New("must be after from")
	}
	return Window{from: from.Round(0), to: to.Round(0)}, nil
}

// Recurring returns a window that begins on each of these days. The times are since midnight, as the clock of the zone
// shows them, from 0 to 24 hours. One that ends before it begins ends on the next day. The error is a phrase about to.
func Recurring(on Days, from, to time.Duration, zone *time.Location) (Window, error) {
	switch {
	case from < 0 || from >= day:
		return Window{}, fmt.Errorf("follows a from of %v, which must be below 24 hours", from)
	case to < 0 || to > day:
		return Window{}, errors.New("must be at most 24 hours")
	case to == from:
		return Window{}, errors.New("must differ from from: a whole day is from 00:00 to 24:00")
	case to < from:
		to += day
	}
	return Window{days: on, begin: from, end: to, zone: zone}, nil
}

// Over reports whether the window never opens again from a time on.
func (w Window) Over(t time.Time) bool { return w.zone == nil && !t.Before(w.to) }

// String returns the window as a person would say it.
func (w Window) String() string {
	if w.zone == nil {
		return w.from.Format(time.RFC3339) + " to " + w.to.Format(time.RFC3339)
	}
	return fmt.Sprintf("%s %s to %s %s", w.days, clock(w.begin), clock(w.end), w.zone)
}

// String returns the days in short, from Monday on.
func (d Days) String() string {
	if d == 0 || d == 1<<7-1 {
		return "daily"
	}
	var all []string
	for i := range 7 {
		if w := time.Weekday((i + 1) % 7); d.Has(w) {
			all = append(all, strings.ToLower(w.String()[:3]))
		}
	}
	return strings.Join(all, ",")
}

// clock writes a time of the day.
func clock(d time.Duration) string {
	if d > day {
		d -= day
	}
	return fmt.Sprintf("%02d:%02d", d/time.Hour, d%time.Hour/time.Minute)
}

// span is a stretch of time. The end is not in it.
type span struct{ from, to time.Time }

func (s span) has(t time.Time) bool { return !t.Before(s.from) && t.Before(s.to) }

// reach is how many days around a time have the spans that matter to it: a window that is open begins at most two days
// before, and days that begin anew or are skipped move dates by at most one more.
const reach = 3

// spans calls do with the spans of the window that begin on days around a time, up to so many days ahead. They come in
// order of time, and do returns whether it wants more.
func (w Window) spans(t time.Time, ahead int, do func(span) bool) {
	if w.zone == nil {
		do(span{w.from, w.to})
		return
	}
	year, month, date := t.In(w.zone).Date()
	first := time.Date(year, month, date, 0, 0, 0, 0, time.UTC)
	for i := -reach; i <= ahead; i++ {
		midnight := first.AddDate(0, 0, i)
		if !w.days.Has(midnight.Weekday()) {
			continue
		}
		s := span{reached(midnight.Add(w.begin), w.zone), passed(midnight.Add(w.end), w.zone)}
		if s.from.Before(s.to) && !do(s) {
			return
		}
	}
}

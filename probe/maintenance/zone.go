package maintenance

import "time"

// margin is more than any clock is ahead of UTC or behind it.
const margin = 36 * time.Hour

// A reading of a clock is written as the time in UTC with the same date and hour.

// reached returns the first instant at which the clock of a zone shows a reading, or a later one.
func reached(reading time.Time, zone *time.Location) time.Time {
	for t := reading.Add(-margin).In(zone); ; {
		_, until := t.ZoneBounds()
		if shown := behind(reading, t); shown.After(t) {
			t = shown
		}
		if until.IsZero() || t.Before(until) {
			return t.Round(0)
		}
		t = until
	}
}

// passed returns the instant from which on the clock of a zone shows no reading before this one.
func passed(reading time.Time, zone *time.Location) time.Time {
	for t := reading.Add(margin).In(zone); ; {
		since, _ := t.ZoneBounds()
		if shown := behind(reading, t); shown.Before(t) {
			t = shown
		}
		if since.IsZero() || t.After(since) {
			return t.Round(0)
		}
		// The clock shows this reading or a later one all the time since then, so it is up to the time before.
		before := since.Add(-time.Nanosecond)
		if shown := behind(reading, before); shown.After(before) {
			return since.Round(0)
		}
		t = before
	}
}

// behind returns the instant at which a clock shows a reading that is set as at a time.
func behind(reading, t time.Time) time.Time {
	_, offset := t.Zone()
	return reading.Add(-time.Duration(offset) * time.Second).In(t.Location())
}

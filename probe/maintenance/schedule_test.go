package maintenance_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/wsprobe/wsprobe/probe/maintenance"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func recurring(t testing.TB, days maintenance.Days, from, to, zoneName string) maintenance.Window {
	t.Helper()
	w, err := maintenance.Recurring(days, ofDay(t, from), ofDay(t, to), zone(t, zoneName))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func ofDay(t testing.TB, text string) time.Duration {
	t.Helper()
	var hour, minute int
	if _, err := fmt.Sscanf(text, "%d:%d", &hour, &minute); err != nil {
		t.Fatal(err)
	}
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
}

func once(t testing.TB, from, to string) maintenance.Window {
	t.Helper()
	w, err := maintenance.Once(at(t, from), at(t, to))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// openings are the next changes from a time on, as the zone shows them: open, close, open and so on.
func openings(s *maintenance.Schedule, from time.Time, zone *time.Location, n int) (all []string) {
	for range n {
		next, ok := s.Next(from)
		if !ok {
			return append(all, "never")
		}
		all = append(all, next.In(zone).Format("Mon 02 15:04 -0700"))
		from = next
	}
	return all
}

// TestClocksThatAreSet: the windows of days on which real clocks were put forward or back.
func TestClocksThatAreSet(t *testing.T) {
	for _, c := range []struct {
		name, zone, asked string
		from, to          string
		want              string
	}{
		{"begins_in_the_skipped_hour", "Europe/Berlin", "2027-03-28T00:00:00+01:00", "02:30", "03:30", "[Sun 28 03:00 +0200 Sun 28 03:30 +0200]"},
		{"ends_in_the_skipped_hour", "Europe/Berlin", "2027-03-28T00:00:00+01:00", "01:30", "02:30", "[Sun 28 01:30 +0100 Sun 28 03:00 +0200]"},
		{"lies_in_the_skipped_hour", "Europe/Berlin", "2027-03-28T00:00:00+01:00", "02:10", "02:50", "[Mon 29 02:10 +0200 Mon 29 02:50 +0200]"},
		{"begins_in_the_repeated_hour", "Europe/Berlin", "2026-10-25T00:00:00+02:00", "02:30", "03:30", "[Sun 25 02:30 +0200 Sun 25 03:30 +0100]"},
		{"ends_in_the_repeated_hour", "Europe/Berlin", "2026-10-25T00:00:00+02:00", "01:30", "02:30", "[Sun 25 01:30 +0200 Sun 25 02:30 +0100]"},
		{"lies_in_the_repeated_hour", "Europe/Berlin", "2026-10-25T00:00:00+02:00", "02:10", "02:50", "[Sun 25 02:10 +0200 Sun 25 02:50 +0100]"},
		{"midnight_is_skipped", "America/Sao_Paulo", "2018-11-03T12:00:00-03:00", "00:00", "02:00", "[Sun 04 01:00 -0200 Sun 04 02:00 -0200]"},
		{"24_is_skipped", "America/Sao_Paulo", "2018-11-03T12:00:00-03:00", "22:00", "24:00", "[Sat 03 22:00 -0300 Sun 04 01:00 -0200]"},
		{"the_hour_before_midnight_is_repeated", "America/Sao_Paulo", "2018-02-17T12:00:00-02:00", "23:00", "24:00", "[Sat 17 23:00 -0200 Sun 18 00:00 -0300]"},
		{"half_an_hour_is_skipped", "Australia/Lord_Howe", "2026-10-03T23:00:00+10:30", "02:15", "03:15", "[Sun 04 02:30 +1100 Sun 04 03:15 +1100]"},
		{"half_an_hour_is_repeated", "Australia/Lord_Howe", "2026-04-04T23:00:00+11:00", "01:00", "01:45", "[Sun 05 01:00 +1100 Sun 05 01:45 +1030]"},
		{"summer_ends_for_a_fast", "Africa/Casablanca", "2026-02-15T00:00:00+01:00", "02:15", "02:45", "[Sun 15 02:15 +0100 Sun 15 02:45 +0000]"},
		{"a_day_is_skipped", "Pacific/Apia", "2011-12-29T12:00:00-10:00", "22:00", "02:00", "[Thu 29 22:00 -1000 Sat 31 02:00 +1400]"},
		{"over_midnight_into_summer", "Europe/Berlin", "2027-03-27T12:00:00+01:00", "22:00", "04:00", "[Sat 27 22:00 +0100 Sun 28 04:00 +0200]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := maintenance.New(recurring(t, 0, c.from, c.to, c.zone))
			if got := fmt.Sprint(openings(s, at(t, c.asked), zone(t, c.zone), 2)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestWindowsAddUp(t *testing.T) {
	weekend := maintenance.On(time.Saturday, time.Sunday)
	for _, c := range []struct {
		name    string
		windows []maintenance.Window
		want    string
	}{
		{"none", nil, "[never]"},
		{"once", []maintenance.Window{once(t, "2026-12-01T22:00:00Z", "2026-12-02T03:00:00+01:00")}, "[Tue 01 22:00 +0000 Wed 02 02:00 +0000 never]"},
		{"over", []maintenance.Window{once(t, "2026-11-01T22:00:00Z", "2026-11-02T00:00:00Z")}, "[never]"},
		{"overlap", []maintenance.Window{once(t, "2026-12-01T01:00:00Z", "2026-12-01T03:00:00Z"), once(t, "2026-12-01T02:00:00Z", "2026-12-01T05:00:00Z")}, "[Tue 01 01:00 +0000 Tue 01 05:00 +0000 never]"},
		{"one_within_the_other", []maintenance.Window{once(t, "2026-12-01T01:00:00Z", "2026-12-01T05:00:00Z"), once(t, "2026-12-01T02:00:00Z", "2026-12-01T03:00:00Z")}, "[Tue 01 01:00 +0000 Tue 01 05:00 +0000 never]"},
		{"one_goes_on_for_the_other", []maintenance.Window{recurring(t, weekend, "20:00", "24:00", "UTC"), recurring(t, maintenance.On(time.Sunday), "00:00", "04:00", "UTC")}, "[Sat 05 20:00 +0000 Sun 06 04:00 +0000 Sun 06 20:00 +0000]"},
		{"weekend_as_a_whole", []maintenance.Window{recurring(t, weekend, "00:00", "24:00", "UTC")}, "[Sat 05 00:00 +0000 Mon 07 00:00 +0000 Sat 12 00:00 +0000]"},
		{"over_midnight_on_days", []maintenance.Window{recurring(t, maintenance.On(time.Friday), "23:30", "00:30", "UTC")}, "[Fri 04 23:30 +0000 Sat 05 00:30 +0000 Fri 11 23:30 +0000]"},
		{"far_ahead", []maintenance.Window{once(t, "2027-12-01T01:00:00Z", "2027-12-01T03:00:00Z")}, "[never]"},
		{"always", []maintenance.Window{recurring(t, 0, "00:00", "12:00", "UTC"), recurring(t, 0, "12:00", "24:00", "Europe/Berlin"), recurring(t, 0, "11:00", "24:00", "UTC")}, "[never]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := fmt.Sprint(openings(maintenance.New(c.windows...), at(t, "2026-11-30T12:00:00Z"), time.UTC, 3)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestUntil: the end of maintenance is that of all windows that follow each other, and nothing outside of one.
func TestUntil(t *testing.T) {
	s := maintenance.New(once(t, "2026-12-01T01:00:00Z", "2026-12-01T03:00:00Z"), once(t, "2026-12-01T03:00:00Z", "2026-12-01T04:00:00Z"))
	for asked, want := range map[string]string{
		"2026-12-01T00:59:59Z": "0001-01-01T00:00:00Z", "2026-12-01T01:00:00Z": "2026-12-01T04:00:00Z",
		"2026-12-01T03:59:59Z": "2026-12-01T04:00:00Z", "2026-12-01T04:00:00Z": "0001-01-01T00:00:00Z",
		"2026-12-01T02:00:00Z": "2026-12-01T04:00:00Z", // the clock was set back
	} {
		if got := s.Until(at(t, asked)); !got.Equal(at(t, want)) {
			t.Errorf("at %s: until %v, want %s", asked, got, want)
		}
	}
	if always := maintenance.New(recurring(t, 0, "00:00", "24:00", "UTC")); !always.At(time.Now()) || !always.Until(time.Now()).IsZero() {
		t.Error("maintenance without an end has one")
	}
}

func TestWrongWindows(t *testing.T) {
	now := time.Now()
	if _, err := maintenance.Once(now, now); err == nil {
		t.Error("a window without a length is one")
	}
	for _, wrong := range [][2]time.Duration{{time.Hour, time.Hour}, {-1, time.Hour}, {24 * time.Hour, time.Hour}, {0, 25 * time.Hour}, {0, 0}} {
		if _, err := maintenance.Recurring(0, wrong[0], wrong[1], time.UTC); err == nil {
			t.Errorf("%v is a window", wrong)
		}
	}
}

func TestTexts(t *testing.T) {
	for want, w := range map[string]maintenance.Window{
		"2026-12-01T22:00:00Z to 2026-12-02T02:00:00Z":  once(t, "2026-12-01T22:00:00Z", "2026-12-02T02:00:00Z"),
		"sat,sun 22:00 to 02:00 Europe/Berlin":          recurring(t, maintenance.On(time.Sunday, time.Saturday), "22:00", "02:00", "Europe/Berlin"),
		"daily 00:00 to 24:00 UTC":                      recurring(t, 0, "00:00", "24:00", "UTC"),
		"mon,tue,wed,thu,fri 20:15 to 24:00 Asia/Tokyo": recurring(t, maintenance.On(1, 2, 3, 4, 5), "20:15", "24:00", "Asia/Tokyo"),
	} {
		if w.String() != want {
			t.Errorf("got %s, want %s", w, want)
		}
	}
}

// minutes is every minute of a time, with what the clock of a zone shows then.
type minutes struct {
	first   time.Time
	reading []int64 // in minutes, as if in UTC
}

func minutesOf(first time.Time, days int, zone *time.Location) minutes {
	m := minutes{first: first, reading: make([]int64, days*1440)}
	for i := range m.reading {
		now := first.Add(time.Duration(i) * time.Minute).In(zone)
		_, offset := now.Zone()
		m.reading[i] = now.Unix()/60 + int64(offset)/60
	}
	return m
}

// open marks the minutes of a window by what the package promises: from the first minute that shows from or later, up to
// the last one that shows a time before to.
func (m minutes) open(into []bool, days maintenance.Days, from, to int64) {
	const week = 7 * 1440
	if to <= from {
		to += 1440
	}
	for day := m.reading[0] - m.reading[0]%1440; day < m.reading[len(m.reading)-1]+1440; day += 1440 {
		if !days.Has(time.Unix(day*60, 0).UTC().Weekday()) {
			continue
		}
		about := int(day - m.reading[0])
		low, high := max(about-week/2, 0), min(about+week, len(m.reading))
		first, last := -1, -1
		for i := low; i < high; i++ {
			if first < 0 && m.reading[i] >= day+from {
				first = i
			}
			if m.reading[i] < day+to {
				last = i
			}
		}
		for i := first; first >= 0 && i <= last; i++ {
			into[i] = true
		}
	}
}

// TestAgainstEveryMinute compares schedules with a count of minutes, over times in which clocks were set.
func TestAgainstEveryMinute(t *testing.T) {
	years, rounds := []int{2026, 2027}, 4
	if testing.Short() {
		years, rounds = years[:1], 1
	}
	for _, c := range []struct {
		zone  string
		years []int
	}{
		{"Europe/Berlin", years}, {"America/New_York", years}, {"Australia/Lord_Howe", years}, {"Africa/Casablanca", years},
		{"Asia/Kathmandu", years[:1]}, {"America/Sao_Paulo", []int{2018}}, {"Pacific/Apia", []int{2011}}, {"UTC", years[:1]},
		{"Pacific/Kwajalein", []int{1993}}, // which skipped a day, too
	} {
		t.Run(c.zone, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(15, uint64(len(c.zone))))
			for _, year := range c.years {
				m := minutesOf(time.Date(year-1, 12, 20, 0, 0, 0, 0, time.UTC), 390, zone(t, c.zone))
				for range rounds {
					compare(t, m, random, c.zone)
				}
			}
		})
	}
}

// compare makes up a schedule and asks it for every minute but those of the first and the last days, which the count knows
// in part only.
func compare(t *testing.T, m minutes, random *rand.Rand, zoneName string) {
	t.Helper()
	want := make([]bool, len(m.reading))
	var windows []maintenance.Window
	for range 1 + random.IntN(3) {
		days := maintenance.Days(random.IntN(128))
		from := int64(random.IntN(5 * 60)) // where clocks are set
		if random.IntN(2) == 0 {
			from = int64(random.IntN(1440))
		}
		to := (from+1+int64(random.IntN(300)))%1440 + 1
		if random.IntN(4) == 0 {
			to = 1440
		}
		if to == from {
			to++
		}
		w, err := maintenance.Recurring(days, time.Duration(from)*time.Minute, time.Duration(to)*time.Minute, zone(t, zoneName))
		if err != nil {
			t.Fatal(err)
		}
		windows = append(windows, w)
		m.open(want, days, from, to)
	}
	s := maintenance.New(windows...)
	var change time.Time
	known := false
	for i := 10 * 1440; i < len(want)-10*1440; i++ {
		now := m.first.Add(time.Duration(i) * time.Minute)
		if s.At(now) != want[i] {
			t.Fatalf("%v at %v (%v): %v", windows, now, now.In(zone(t, zoneName)), s.At(now))
		}
		changed := want[i] != want[i-1]
		if known && changed != now.Equal(change) {
			t.Fatalf("%v: the next change was to be at %v, and at %v it is %v", windows, change, now, changed)
		}
		if i%97 == 0 || changed {
			change, known = s.Next(now)
		}
	}
}

// BenchmarkAt is the cost for a run of a probe with windows.
func BenchmarkAt(b *testing.B) {
	s := maintenance.New(recurring(b, 0, "22:00", "02:00", "Europe/Berlin"))
	now := at(b, "2026-12-01T12:00:00Z")
	b.ReportAllocs()
	for b.Loop() {
		s.At(now)
	}
}

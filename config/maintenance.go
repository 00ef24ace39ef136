package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe/maintenance"
)

const momentWanted = "must be a time of the day such as 22:00, or a time such as 2026-12-01T22:00:00Z"

var (
	ofDay = regexp.MustCompile(`^([01][0-9]|2[0-4]):([0-5][0-9])$`)
	dated = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}`)
)

// parseMoment understands a time of the day, or one with a date.
func parseMoment(_ *Field, text string) (moment, string) {
	if m := ofDay.FindStringSubmatch(text); m != nil && text <= "24:00" {
		d, err := time.ParseDuration(m[1] + "h" + m[2] + "m")
		return moment{ofDay: d, given: true}, problemOf(err)
	}
	at, err := time.Parse(time.RFC3339, text)
	switch {
	case err == nil:
		return moment{at: at, given: true}, ""
	case dated.MatchString(text):
		return moment{}, "must be a time with its offset, such as 2026-12-01T22:00:00Z or 2026-12-01T22:00:00+01:00, got " + excerpt.Quote(text)
	default:
		return moment{}, momentWanted + ", got " + excerpt.Quote(text)
	}
}

// decodeWindows reads the list maintenance.
func decodeWindows(r *reader, f *Field, p yamltree.Pair, where yamltree.Path, into **maintenance.Schedule, set *found) bool {
	var list []windowSettings
	faults := r.Count()
	if !decodeSections(r, windowSection, f, p, where, &list, set) {
		return false
	}
	windows := make([]maintenance.Window, 0, len(list))
	for i := range list {
		item := p.Value.Content[i]
		at := yamltree.Pair{Value: yamltree.Follow(item), ValueAt: item}
		unknown := r.Blind && !(list[i].from.given && list[i].to.given) // references, which are not resolved
		if unknown || set.faultyItems[[2]string{where.Key, fmt.Sprint(i)}] {
			continue
		}
		w, key, problem := r.window(&list[i])
		if problem != "" {
			place, path, _ := r.Entry(at, key, where.Step(i).Field(key))
			r.Used(place.Value, place.ValueAt, path, "%s", problem)
			continue
		}
		if w.Over(time.Now()) {
			place, path, _ := r.Entry(at, "to", where.Step(i).Field("to"))
			r.Warn(place.Value, place.ValueAt, path, "is over: the window will not open any more")
		}
		windows = append(windows, w)
	}
	if r.Count() > faults {
		return false
	}
	*into = maintenance.New(windows...)
	return true
}

// window makes a window, or says which key is wrong in which way.
func (r *reader) window(w *windowSettings) (window maintenance.Window, key, problem string) {
	once := !w.from.at.IsZero()
	switch {
	case !w.from.given:
		return window, "from", "is required"
	case !w.to.given:
		return window, "to", "is required"
	case once != !w.to.at.IsZero():
		return window, "to", "must have a date if from has one, and none if it has none"
	case once && w.days != nil:
		return window, "days", "is not allowed where from has a date: the window is open once"
	case once && w.zone != "":
		return window, "zone", "is not allowed where from has a date: the offset is in it"
	case once:
		window, err := maintenance.Once(w.from.at, w.to.at)
		return window, "to", problemOf(err)
	case w.from.ofDay >= 24*time.Hour:
		return window, "from", "must be before 24:00, got 24:00: write 00:00 and the day after"
	}
	days, problem := daysOf(w.days)
	if problem != "" {
		return window, "days", problem
	}
	zone, problem := r.zone(w.zone)
	if problem != "" {
		return window, "zone", problem
	}
	window, err := maintenance.Recurring(days, w.from.ofDay, w.to.ofDay, zone)
	return window, "to", problemOf(err)
}

// weekdays are the days by their names, from Sunday on as time.Weekday has them.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// daysOf returns a set of days. An empty list would be none, and is a mistake.
func daysOf(names []string) (maintenance.Days, string) {
	if names != nil && len(names) == 0 {
		return 0, "must have at least one day; every day needs no days"
	}
	var days maintenance.Days
	for _, name := range names {
		i := slices.Index(weekdays, name)
		if i < 0 {
			return 0, "must be of mon, tue, wed, thu, fri, sat, sun, got " + excerpt.Quote(name) + didYouMean(suggestChoice(name, weekdays))
		}
		days |= maintenance.On(time.Weekday(i))
	}
	return days, ""
}

// zone returns a time zone. Each is looked up once.
func (r *reader) zone(name string) (*time.Location, string) {
	if name == "" {
		return time.UTC, ""
	}
	if zone := r.zones[name]; zone != nil {
		return zone, ""
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, "is no time zone that is known, got " + excerpt.Quote(name) + didYouMean(suggestZone(name)) + zoneAdvice(name)
	}
	r.zones[name] = zone
	return zone, ""
}

var abbreviation = regexp.MustCompile(`^[A-Z]{2,5}$`)

// zoneAdvice says what to write in place of what is often taken for a zone.
func zoneAdvice(name string) string {
	switch {
	case name == "Local":
		return ": it would differ from machine to machine, so write a name such as Europe/Berlin"
	case strings.ContainsAny(name, "+-0123456789"):
		return ": an offset has no summer time, so write a name such as Europe/Berlin"
	case abbreviation.MatchString(name):
		return ": an abbreviation has no summer time, so write a name such as Europe/Berlin"
	}
	return ""
}

// areas are the first parts of the names of time zones.
var areas = []string{"Europe", "America", "Asia", "Africa", "Australia", "Pacific", "Atlantic", "Indian", "Antarctica", "America/Argentina", "Etc"}

// suggestZone guesses which zone was meant: one in other letters, or that of a city.
func suggestZone(name string) string {
	parts := strings.Split(strings.ReplaceAll(strings.TrimSpace(name), " ", "_"), "/")
	for i, part := range parts {
		words := strings.Split(strings.ToLower(part), "_")
		for j, word := range words {
			if word != "" && word != "of" && word != "au" && word != "es" {
				words[j] = strings.ToUpper(word[:1]) + word[1:]
			}
		}
		parts[i] = strings.Join(words, "_")
	}
	plain := strings.Join(parts, "/")
	city := parts[len(parts)-1]
	for _, guess := range append([]string{plain}, inAreas(city)...) {
		if _, err := time.LoadLocation(guess); err == nil && guess != "" && guess != "Local" {
			return guess
		}
	}
	return suggest(plain, commonZones)
}

func inAreas(city string) []string {
	all := make([]string, len(areas))
	for i, area := range areas {
		all[i] = area + "/" + city
	}
	return all
}

// commonZones are those that a name with a typing error is compared with.
var commonZones = []string{
	"Europe/London", "Europe/Dublin", "Europe/Lisbon", "Europe/Madrid", "Europe/Paris", "Europe/Brussels", "Europe/Amsterdam",
	"Europe/Berlin", "Europe/Zurich", "Europe/Vienna", "Europe/Rome", "Europe/Prague", "Europe/Warsaw", "Europe/Budapest",
	"Europe/Copenhagen", "Europe/Oslo", "Europe/Stockholm", "Europe/Helsinki", "Europe/Athens", "Europe/Bucharest", "Europe/Kyiv",
	"Europe/Istanbul", "Europe/Moscow", "Africa/Cairo", "Africa/Johannesburg", "Africa/Lagos", "Africa/Nairobi", "Africa/Casablanca",
	"Asia/Jerusalem", "Asia/Dubai", "Asia/Riyadh", "Asia/Tehran", "Asia/Karachi", "Asia/Kolkata", "Asia/Dhaka", "Asia/Bangkok",
	"Asia/Jakarta", "Asia/Singapore", "Asia/Manila", "Asia/Hong_Kong", "Asia/Shanghai", "Asia/Taipei", "Asia/Seoul", "Asia/Tokyo",
	"Australia/Perth", "Australia/Brisbane", "Australia/Sydney", "Australia/Melbourne", "Pacific/Auckland", "Pacific/Honolulu",
	"America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Anchorage", "America/Toronto",
	"America/Vancouver", "America/Mexico_City", "America/Bogota", "America/Lima", "America/Santiago", "America/Sao_Paulo",
	"America/Argentina/Buenos_Aires",
}

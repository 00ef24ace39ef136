package config

import (
	"time"

	"github.com/wsprobe/wsprobe/probe/maintenance"
)

// maxWindows bounds the maintenance windows of a probe.
const maxWindows = 100

// windowSettings are what a configuration says about a maintenance window.
type windowSettings struct {
	from, to moment
	days     []string
	zone     string
}

// moment is a time of the day, or with a date.
type moment struct {
	at    time.Time     // zero without a date
	ofDay time.Duration // since midnight
	given bool
}

// windowSection is an element of the list maintenance of a probe.
var windowSection = newSection("maintenance", "probes[].maintenance[].", false, []field[windowSettings]{
	{Field: Field{Path: "from", Kind: Moment, Required: true,
		Doc: "beginning: once, as 2026-12-01T22:00:00Z, or again and again, as 22:00"},
		value: momentAt(func(w *windowSettings) *moment { return &w.from })},
	{Field: Field{Path: "to", Kind: Moment, Required: true,
		Doc: "end, in the form of from; of a window that recurs, on the next day if it is before from, and 24:00 at the latest"},
		value: momentAt(func(w *windowSettings) *moment { return &w.to })},
	{Field: Field{Path: "days", Kind: List, Max: 7,
		Doc: "days on which a window that recurs begins: mon, tue, wed, thu, fri, sat, sun; every day if it is absent"},
		value: listAt(func(w *windowSettings) *[]string { return &w.days }), secret: public},
	{Field: Field{Path: "zone", Kind: Text, Default: "UTC", Max: 64,
		Doc: "time zone of a window that recurs, such as Europe/Berlin; it follows summer time"},
		value: textAt(func(w *windowSettings) *string { return &w.zone }, nil), secret: public},
})

// windowsAt is a schedule. It is in no digest: to move a window costs no history.
func windowsAt[T any](at func(*T) **maintenance.Schedule) value[T] {
	return collection(at, func(*digester, *maintenance.Schedule, string) {})
}

func momentAt[T any](at func(*T) *moment) value[T] {
	return scalar(at, parseMoment, func(*digester, moment, string) {})
}

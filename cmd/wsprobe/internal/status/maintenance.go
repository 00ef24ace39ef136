package status

import (
	"time"

	"github.com/wsprobe/wsprobe/probe/maintenance"
)

// Maintain gives an entry the maintenance windows of its probe, nil for none.
func (e *Entry) Maintain(windows *maintenance.Schedule) { e.windows.Store(windows) }

// Maintained reports whether the probe is in maintenance. It waits for nothing.
func (e *Entry) Maintained(now time.Time) bool { return e.windows.Load().At(now) }

// maintain fills in whether the probe is in maintenance.
func (s *Status) maintain(windows *maintenance.Schedule, now time.Time) {
	if s.Maintenance = windows.At(now); !s.Maintenance {
		return
	}
	if until := windows.Until(now); !until.IsZero() {
		s.MaintenanceUntil = new(until.UTC())
	}
}

// until says how long maintenance goes on, for people.
func (s *Status) until() string {
	switch {
	case !s.Maintenance:
		return ""
	case s.MaintenanceUntil == nil:
		return "maintenance without an end"
	default:
		return "maintenance until " + s.MaintenanceUntil.Format("Mon 2 Jan 15:04 UTC")
	}
}

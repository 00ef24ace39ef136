package agent

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// sleepUntil sleeps until a time of the first day of a bubble, which begins at midnight UTC.
func sleepUntil(hour, minute int) {
	day := time.Now().UTC().Truncate(24 * time.Hour)
	time.Sleep(time.Until(day.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)))
	synctest.Wait()
}

// windowed is a probe with a daily window from one hour to another.
func windowed(line, from, to string) string {
	return strings.TrimSuffix(strings.TrimSpace(line), "}") + fmt.Sprintf(", maintenance: [{from: %q, to: %q}]}", from, to)
}

const (
	refusedLine = `{name: kept, url: "URL/refused", interval: 1m, interpretation: connection_success, thresholds: {unhealthy: "== 0"},
      dwell: {breach: 2m}}`
	echoLine = `{name: kept, url: "URL/echo", interval: 1m, interpretation: connection_success, thresholds: {unhealthy: "== 0"},
      dwell: {breach: 2m, recover: 5m}}`
)

// stands returns how a probe stands to its windows, as its metrics say.
func (b *bubble) stands(name string) metrics.Maintenance {
	return b.fleet.current()[name].series.Maintenance()
}

// told are the lines of the log about a probe, at the level info and above, without what comes behind the message.
func (b *bubble) told(name string) (all []string) {
	for line := range strings.Lines(b.log.String()) {
		if strings.Contains(line, "level=DEBUG") || !strings.Contains(strings.TrimSpace(line)+" ", " probe="+name+" ") {
			continue
		}
		_, message, _ := strings.Cut(line, " msg=")
		message, _, _ = strings.Cut(message, " probe=")
		all = append(all, strings.Trim(message, `"`))
	}
	return all
}

// TestMaintenanceBeginsAmidAnOutage: it ends the streak and the status at once, also between two runs. At its end both
// begin anew, and a failure is news again.
func TestMaintenanceBeginsAmidAnOutage(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.apply(windowed(refusedLine, "00:10", "00:20"))
		sleepUntil(0, 9)
		if row := b.row("kept"); b.stands("kept") != metrics.Outside || !strings.Contains(row, `"status": "unhealthy"`) || !strings.Contains(row, `"maintenance": false`) {
			t.Errorf("before: %d, %s", b.stands("kept"), row)
		}
		sleepUntil(0, 10)
		if b.stands("kept") != metrics.Within {
			t.Errorf("%d at the beginning", b.stands("kept"))
		}
		sleepUntil(0, 15)
		row := b.row("kept")
		for _, want := range []string{`"status": null`, `"maintenance": true,`, `"maintenance_until": "2000-01-01T00:20:00Z"`, `"reason": "ws_open_failed"`} {
			if !strings.Contains(row, want) {
				t.Errorf("within: no %s in %s", want, row)
			}
		}
		sleepUntil(0, 21)
		if row := b.row("kept"); b.stands("kept") != metrics.Outside || !strings.Contains(row, `"status": null`) {
			t.Errorf("just behind: %d, %s", b.stands("kept"), row)
		}
		sleepUntil(0, 24)
		if row := b.row("kept"); !strings.Contains(row, `"status": "unhealthy"`) {
			t.Errorf("behind: %s", row)
		}
		want := "[probe fails probe changed status maintenance began maintenance ended probe fails]"
		if got := fmt.Sprint(b.told("kept")); got != want {
			t.Errorf("told %s, want %s", got, want)
		}
	})
}

// TestMaintenanceOfAReload: windows that come, move and go hold at once, and cost no history.
func TestMaintenanceOfAReload(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.apply(refusedLine)
		sleepUntil(0, 8)
		before := b.fleet.current()["kept"]
		b.apply(windowed(refusedLine, "00:00", "00:30"))
		if m := b.fleet.current()["kept"]; m != before || m.series.Maintenance() != metrics.Within {
			t.Errorf("windows came: maintenance %d, another probe: %v", m.series.Maintenance(), m != before)
		}
		sleepUntil(0, 10)
		b.apply(windowed(refusedLine, "01:00", "02:00"))
		if got := before.series.Maintenance(); got != metrics.Outside {
			t.Errorf("windows moved: maintenance %d", got)
		}
		b.apply(refusedLine)
		if got := before.series.Maintenance(); got != metrics.NoWindows {
			t.Errorf("windows went: maintenance %d", got)
		}
		b.apply(windowed(refusedLine, "00:00", "00:30"))
		sleepUntil(0, 20)
		b.apply(strings.Replace(refusedLine, "interval: 1m", "interval: 2m", 1)) // another probe in the series of this one
		if got := b.fleet.current()["kept"].series.Maintenance(); got != metrics.NoWindows {
			t.Errorf("another probe: maintenance %d", got)
		}
	})
}

// TestMaintenanceThatHelps: a probe that is repaired in a window is healthy with its first run behind it.
func TestMaintenanceThatHelps(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.apply(windowed(refusedLine, "00:10", "00:20"))
		sleepUntil(0, 12)
		tracker := b.fleet.current()["kept"].health.tracker
		b.apply(windowed(echoLine, "00:10", "00:20")) // which has no past
		sleepUntil(0, 22)
		if row := b.row("kept"); !strings.Contains(row, `"status": "healthy"`) || tracker.State().Status != 0 {
			t.Errorf("%s", row)
		}
	})
}

// TestMaintenanceOfASession: a session stays open in maintenance. That it is cut is no failure, and no news.
func TestMaintenanceOfASession(t *testing.T) {
	t.Setenv("APPLY_TOKEN", "one")
	inBubble(t, func(b *bubble) {
		b.apply(windowed(fmt.Sprintf(heldLine, "100s"), "00:05", "00:10"))
		sleepUntil(0, 4)
		if told := b.told("kept"); len(told) == 0 {
			t.Error("a cut outside is no news")
		}
		sleepUntil(0, 5)
		began := len(b.told("kept"))
		b.callers.take()
		sleepUntil(0, 9)
		if got := b.callers.take(); len(got) < 4 {
			t.Errorf("within: %q", got)
		}
		if len(b.told("kept")) != began {
			t.Errorf("within: told %q", b.told("kept")[began:])
		}
		if row := b.row("kept"); !strings.Contains(row, `"maintenance": true`) {
			t.Errorf("within: %s", row)
		}
	})
}

// TestManyProbesInMaintenance: a window of many probes is a line of the log.
func TestManyProbesInMaintenance(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var lines []string
		for i := range 40 {
			lines = append(lines, windowed(strings.Replace(echoLine, "name: kept", fmt.Sprintf("name: p%02d", i), 1), "00:01", "00:02"))
		}
		b.apply(lines...)
		sleepUntil(0, 3)
		if n := strings.Count(b.log.String(), "maintenance began"); n != 1 || !strings.Contains(b.log.String(), "probes=40 first=p00 last=p39") {
			t.Errorf("%d lines in %s", n, b.log.String())
		}
	})
}

package journal_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/journal"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// TestStatusIsTold: what gets worse is a warning, what gets well is news, and what begins well is none.
func TestStatusIsTold(t *testing.T) {
	for _, c := range []struct {
		from, to health.Status
		want     string
	}{
		{health.Unknown, health.Healthy, ""},
		{health.Unknown, health.NoData, "level=WARN from=unknown to=no_data"},
		{health.Healthy, health.Degraded, "level=WARN from=healthy to=degraded"},
		{health.Unhealthy, health.Degraded, "level=WARN from=unhealthy to=degraded"}, // better, and not well
		{health.Degraded, health.Healthy, "level=INFO from=degraded to=healthy"},
	} {
		var out bytes.Buffer
		watch := journal.NewWatch(slog.New(slog.NewTextHandler(&out, nil)), "chat")
		watch.Observe(&metrics.Observation{Change: &health.Transition{From: c.from, To: c.to, Since: start, At: start.Add(time.Minute)}})
		_, line, _ := strings.Cut(strings.TrimSpace(out.String()), " ")
		want := strings.Replace(c.want, " from", ` msg="probe changed status" probe=chat from`, 1)
		if c.want != "" {
			want += " since=2026-11-21T12:00:00.000Z"
		}
		if line != want {
			t.Errorf("%v to %v: %q, want %q", c.from, c.to, line, want)
		}
	}
}

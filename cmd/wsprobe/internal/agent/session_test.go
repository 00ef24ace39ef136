package agent

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/journal"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// The events of a session that the tests are made of.
func opens(after time.Duration) session.Event {
	open := &probe.Result{Opened: true, Handshake: 5 * time.Millisecond}
	return session.Event{Kind: session.Opened, Open: open, Downtime: after}
}

func fails() session.Event {
	open := &probe.Result{Reason: reasons.OpenFailed, ErrorType: reasons.ConnectionRefused}
	return session.Event{Kind: session.OpenFailed, Open: open}
}

func ends(cause session.Cause, reason reasons.Code) session.Event {
	return session.Event{Kind: session.Ended, End: &session.End{Cause: cause, Reason: reason, Code: 1006}}
}

// TestMomentsOfASession: after each event, the connection, the success, the headline and the status are those that the
// session deserves, and an interval says the same.
func TestMomentsOfASession(t *testing.T) {
	pong, beat := session.Event{Kind: session.Ponged, RTT: time.Millisecond}, session.Event{Kind: session.Beat, RTT: 2 * time.Millisecond}
	wanted := session.Event{Kind: session.Received, Message: session.Message{Wanted: true}}
	for _, c := range []struct {
		name   string
		spec   session.Spec
		events []session.Event
		want   string // open, success, round trip in ms, reason; - before anything is known
	}{
		{"nothing yet", session.Spec{}, nil, "-"},
		{"open", session.Spec{}, []session.Event{opens(0)}, "open ok ok"},
		{"open that fails", session.Spec{}, []session.Event{fails()}, "down ws_open_failed"},
		{"Pong", session.Spec{}, []session.Event{opens(0), pong}, "open ok 1 ok"},
		{"Pong beside a heartbeat", session.Spec{Heartbeat: &session.Heartbeat{}}, []session.Event{opens(0), pong}, "open ok ok"},
		{"heartbeat", session.Spec{Heartbeat: &session.Heartbeat{}}, []session.Event{opens(0), beat, pong}, "open ok 2 ok"},
		{"cut", session.Spec{}, []session.Event{opens(0), pong, ends(session.ByFIN, reasons.ClosedEarly)}, "down ws_closed_early"},
		{"cut and open again", session.Spec{}, []session.Event{opens(0), pong, ends(session.ByFIN, reasons.ClosedEarly), opens(1)}, "open ok ok"},
		{"renewal under way", session.Spec{}, []session.Event{opens(0), ends(session.ByLifetime, reasons.OK)}, "-"},
		{"renewal that fails", session.Spec{}, []session.Event{opens(0), ends(session.ByLifetime, reasons.OK), fails()}, "down ws_open_failed"},
		{"renewal that opens first", session.Spec{}, []session.Event{opens(0), pong, opens(0)}, "open ok 1 ok"},
		{"and closes then", session.Spec{}, []session.Event{opens(0), pong, opens(0), ends(session.ByLifetime, reasons.OK)}, "open ok 1 ok"},
		{"old one that dies after the renewal", session.Spec{},
			[]session.Event{opens(0), opens(0), ends(session.ByFIN, reasons.ClosedEarly)}, "open ok ok"},
		{"new one that dies after the renewal", session.Spec{},
			[]session.Event{opens(0), opens(0), ends(session.ByLifetime, reasons.OK), ends(session.ByFIN, reasons.ClosedEarly)}, "down ws_closed_early"},
		{"deaf, and open again", session.Spec{}, []session.Event{opens(0), ends(session.BySilence, reasons.ReplyTimeout), opens(1), pong}, "open owing 1 ok"},
		{"deaf, and heard again", session.Spec{}, []session.Event{opens(0), ends(session.BySilence, reasons.ReplyTimeout), opens(1), wanted}, "open ok ok"},
		{"deaf, cut, and open again", session.Spec{}, []session.Event{opens(0), ends(session.BySilence, reasons.ReplyTimeout), opens(1),
			ends(session.ByFIN, reasons.ClosedEarly), opens(1)}, "open owing ok"},
		{"without a Pong, and open again", session.Spec{}, []session.Event{opens(0), ends(session.ByPing, reasons.ReplyTimeout), opens(1), wanted}, "open owing ok"},
		{"without a Pong, and with one again", session.Spec{}, []session.Event{opens(0), ends(session.ByPing, reasons.ReplyTimeout), opens(1), pong}, "open ok 1 ok"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := sessionMember(t, c.spec)
			for _, e := range c.events {
				m.happened(e)
			}
			if got := m.said(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// sessionMember is a member without a connection.
func sessionMember(t *testing.T, spec session.Spec) *member {
	t.Helper()
	sinks, err := telemetry.New(telemetry.Options{Protocol: "none", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	id := metrics.NewIdentity(metrics.Target{Name: "feed", Interpretation: probe.RoundTripLatency})
	return &member{identity: id, events: event.NewTracker(nil), telemetry: sinks, watch: journal.NewWatch(slog.New(slog.DiscardHandler), "feed"),
		series: sinks.Replace(nil, []*metrics.Identity{id})[0], entry: status.NewEntry(id), held: newHeld(nil, &spec)}
}

// said is what an interval tells.
func (m *member) said() string {
	h := m.held
	if len(h.open) == 0 && !h.down {
		return "-"
	}
	s := metrics.Session{Moment: metrics.SessionReported}
	o := m.observation(time.Now(), &s)
	words := []string{"down"}
	if s.Open {
		words = []string{"open", "owing"}
	}
	if s.OK {
		words[1] = "ok"
	}
	if o.Result.Replied {
		words = append(words, fmt.Sprint(probe.Millis(o.Result.RoundTrip)))
	}
	if o.Result.Opened != s.Open {
		words = append(words, "but opened", fmt.Sprint(o.Result.Opened))
	}
	return strings.Join(append(words, o.Result.Reason.String()), " ")
}

// TestThresholdsOfASession: they judge what is measured, at once when the session ends, and nothing before the first
// round trip.
func TestThresholdsOfASession(t *testing.T) {
	m := sessionMember(t, session.Spec{})
	m.health = &assessor{health.Thresholds{Healthy: health.Condition{Operator: health.Below, Bound: 100}},
		health.NewTracker(health.Dwell{}), probe.RoundTripLatency}
	var seen []string
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, e := range []session.Event{opens(0), {}, {Kind: session.Ponged, RTT: time.Millisecond}, ends(session.ByLifetime, reasons.OK), opens(0),
		ends(session.ByFIN, reasons.ClosedEarly), opens(1), {Kind: session.Ponged, RTT: time.Millisecond}} {
		if at = at.Add(time.Second); e.Kind == 0 {
			m.report(at)
		} else {
			e.At = at
			m.happened(e)
		}
		seen = append(seen, m.health.tracker.State().Status.String())
	}
	unknown := health.Unknown.String()
	want := []string{unknown, unknown, "healthy", "healthy", "healthy", "no_data", "no_data", "healthy"}
	if !slices.Equal(seen, want) {
		t.Errorf("got  %v\nwant %v", seen, want)
	}
}

package telemetry

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// moment tells of a moment of a session that was opened at some time.
func (p *observed) moment(opened, at time.Time, s metrics.Session, reason reasons.Code) {
	r := good(opened, time.Millisecond)
	r.Ended, r.Reason, r.Opened, r.Replied = at, reason, s.Open, s.Open
	p.tell(&metrics.Observation{Probe: p.identity, Result: r, Session: &s})
}

// holdAndLose has a session do everything once, and end as it went deaf.
func holdAndLose(p *observed, at time.Time) {
	open := probe.Result{Started: at, Ended: at.Add(time.Second)}
	end := &session.End{Cause: session.BySilence, Code: 4000, Reason: reasons.ReplyTimeout, ErrorType: reasons.Stale, Lifetime: time.Minute}
	for _, e := range []session.Event{
		{Kind: session.Opened, Open: &open, Downtime: time.Second},
		{Kind: session.Ponged, RTT: time.Millisecond},
		{Kind: session.Unanswered},
		{Kind: session.Received, Message: session.Message{Size: 100, Wanted: true, Gap: time.Second, Age: time.Second, Dated: true,
			Lost: 2, Repeated: true, Disordered: true, Late: true}},
		{Kind: session.Received, Message: session.Message{Size: 10}},
		{Kind: session.Ended, End: end},
	} {
		p.Note(&e, true)
	}
	p.moment(at, at.Add(time.Second), metrics.Session{Moment: metrics.SessionOpened, Open: true, OK: true}, reasons.OK)
	p.moment(at, at.Add(2*time.Second), metrics.Session{Moment: metrics.SessionAnswered, Open: true, OK: true}, reasons.OK)
	p.moment(at, at.Add(3*time.Second), metrics.Session{Moment: metrics.SessionReported, Open: true, OK: true, Aged: true, MessageAge: time.Second}, reasons.OK)
	p.moment(at, at.Add(time.Minute), metrics.Session{Moment: metrics.SessionEnded, End: end}, reasons.ReplyTimeout)
	p.moment(at, at.Add(time.Minute+time.Second), metrics.Session{Moment: metrics.SessionExplained, End: end}, reasons.ReplyTimeout)
}

// TestPointsOfASession: each moment has the points of what is new, what is still true goes on, and the end of a session
// ends what is true of an open one only.
func TestPointsOfASession(t *testing.T) {
	const ok, lost = "wsprobe.connection_success{ok}", "wsprobe.connection_success{ws_closed_early}"
	died := metrics.Session{Moment: metrics.SessionEnded, End: &session.End{Cause: session.ByFIN, Code: 1006}}
	planned := metrics.Session{Moment: metrics.SessionEnded, End: &session.End{Cause: session.ByLifetime, Code: 1000}}
	opened := metrics.Session{Moment: metrics.SessionOpened, Open: true, OK: true}
	answered := metrics.Session{Moment: metrics.SessionAnswered, Open: true, OK: true}
	reported := metrics.Session{Moment: metrics.SessionReported, Open: true, OK: true, Aged: true, MessageAge: 4 * time.Second}
	owing := metrics.Session{Moment: metrics.SessionReported, Open: true}
	down := metrics.Session{Moment: metrics.SessionReported}
	failed := metrics.Session{Moment: metrics.SessionEnded}
	phases, ended := "", ""
	for _, phase := range []string{"close}=1", "connect}=0.25", "dns}=0.25", "round_trip}=2", "tls}=0.25", "upgrade}=0.25"} {
		name, _, _ := strings.Cut(phase, "=")
		phases += " wsprobe.phase.duration{" + phase
		ended += " wsprobe.phase.duration{" + name + " ended"
	}
	for _, c := range []struct {
		name   string
		before []metrics.Session
		last   metrics.Session
		reason reasons.Code
		want   string
	}{
		{"open", nil, opened, reasons.OK,
			ok + "=1 wsprobe.handshake_latency=1" + phases + " wsprobe.session.open=1"},
		{"answer", []metrics.Session{opened}, answered, reasons.OK, "wsprobe.round_trip_latency=2"},
		{"interval", []metrics.Session{opened, answered}, reported, reasons.OK,
			ok + "=1 wsprobe.session.message.age=4 wsprobe.session.open=1 wsprobe.success=1"},
		{"interval of a session that still owes an answer", []metrics.Session{opened}, owing, reasons.OK,
			ok + "=1 wsprobe.session.open=1 wsprobe.success=0"},
		{"end", []metrics.Session{opened, answered, reported}, died, reasons.ClosedEarly,
			ok + " ended " + lost + "=0 wsprobe.handshake_latency ended" + ended +
				" wsprobe.round_trip_latency ended wsprobe.session.message.age ended wsprobe.session.open=0"},
		{"renewal", []metrics.Session{opened, answered, reported}, planned, reasons.OK, ""},
		{"open after a renewal", []metrics.Session{opened, answered, planned}, opened, reasons.OK,
			ok + "=1 wsprobe.handshake_latency=1" + phases + " wsprobe.session.open=1"},
		{"interval while it is down", []metrics.Session{opened, died}, down, reasons.ClosedEarly,
			lost + "=0 wsprobe.session.open=0 wsprobe.success=0"},
		{"open that failed", []metrics.Session{opened, died}, failed, reasons.ClosedEarly,
			lost + "=0" + phases + " wsprobe.session.open=0"},
		{"open after an end", []metrics.Session{opened, died}, opened, reasons.OK,
			ok + "=1 " + lost + " ended wsprobe.handshake_latency=1" + phases + " wsprobe.session.open=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			telemetry := newTest(t, Options{EndMarkers: true}, new(stub))
			p := telemetry.probe(chat())
			at := midnight
			for _, s := range c.before {
				reason := reasons.OK
				if !s.Open && !s.Planned() {
					reason = reasons.ClosedEarly
				}
				at = at.Add(time.Second)
				p.moment(midnight, at, s, reason)
			}
			runsOf(telemetry)
			p.moment(midnight, at.Add(time.Second), c.last, c.reason)
			if got := runsOf(telemetry); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// runsOf returns the points that wait, but for the streaks, in the order of their names.
func runsOf(telemetry *Telemetry) string {
	var points []string
	telemetry.producer.produce(func(scopes ...otlp.Scope) {
		for _, scope := range scopes {
			for _, f := range scope.Families {
				for _, p := range f.Points {
					if f.Name != table[metrics.ConsecutiveFailures].Name {
						points = append(points, f.Name+readable(p))
					}
				}
			}
		}
	})
	slices.Sort(points)
	return strings.Join(points, " ")
}

// readable is a point with what tells it apart.
func readable(p metrics.Point) string {
	text := ""
	for _, key := range []string{metrics.KeyReason, metrics.KeyPhase} {
		if v, has := p.Attributes.Value(key); has {
			text += "{" + v.String() + "}"
		}
	}
	if p.NoValue {
		return text + " ended"
	}
	return text + fmt.Sprintf("=%v", p.Value.Float())
}

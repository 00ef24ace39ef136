package event

import (
	"net/netip"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/probe/shape"
	"github.com/wsprobe/wsprobe/reasons"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 123456789, time.UTC)

// agent are the options of every test.
func agent(o shape.Options) Options {
	return Options{Shape: o, Location: "fra", Agent: "host-1:9090", Version: "1.2.3",
		Resource: []metrics.Attribute{metrics.Text("service.name", "wsprobe"), metrics.Text("service.instance.id", "host-1:9090")}}
}

func encoder(t testing.TB, o Options) *Encoder {
	t.Helper()
	e, err := NewEncoder(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// joined is a message of events that were sent before this often.
func joined(e *Encoder, replay int, events ...*Event) []byte {
	var parts []Part
	for _, ev := range events {
		form := e.Encode(ev)
		parts = append(parts, Part{Text: form.Text, Slot: form.Slot, Replay: replay})
	}
	return Join(nil, e.Name(), parts)
}

func chat() *metrics.Identity {
	return metrics.NewIdentity(metrics.Target{
		Name: "chat", Interpretation: probe.RoundTripLatency, Address: "chat.example.com", Port: 443, Scheme: "wss", Interval: time.Minute,
		Path: "/socket", URL: "wss://chat.example.com/socket?token=hunter2", Labels: map[string]string{"team": "web", "tier": "1"},
	})
}

// ran is the event of a run that is ok.
func ran() *Event {
	r := probe.Result{
		Started: noon.Add(-100 * time.Millisecond), Ended: noon, Opened: true, Handshake: 31250 * time.Microsecond,
		Replied: true, RoundTrip: 12500 * time.Microsecond, TimestampSource: probe.KernelTime, HTTPStatus: 101,
		Peer: netip.MustParseAddrPort("192.0.2.7:443").String(), CertificateExpiry: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		Trace: probe.Trace{ID: [16]byte{1, 2}, Run: [8]byte{3}, Sampled: true},
		Steps: []probe.Span{{End: time.Millisecond, State: probe.SpanEnded}, {}},
	}
	r.Phases[probe.PhaseConnect] = probe.Span{End: 10 * time.Millisecond, State: probe.SpanEnded}
	r.Phases[probe.PhaseTLS] = probe.Span{Start: 10 * time.Millisecond, End: 30 * time.Millisecond, State: probe.SpanEnded}
	r.Phases[probe.PhaseRoundTrip] = probe.Span{Start: 32 * time.Millisecond, End: 45 * time.Millisecond, State: probe.SpanEnded}
	return &Event{ID: "019b7e5f-8e7b-7000-8000-000000000001", Kind: "run", At: r.Ended, Changed: true,
		Observation: &metrics.Observation{Probe: chat(), Result: r, Health: health.State{Status: health.Healthy}}}
}

// failed is the event of a run that failed, with texts that are hard to write.
func failed() *Event {
	e := ran()
	e.ID, e.Changed = "019b7e5f-8e7b-7000-8000-000000000002", false
	r := &e.Observation.Result
	r.Reason, r.ErrorType, r.Replied = reasons.ReplyMismatch, reasons.ReplyMismatched, false
	r.Detail = "no \"match\": a=1, b\\2\r\n\tc\u2028d; \x01 <é 漢 🦊>"
	r.LastReply, r.Unmatched = "not UTF-8: \xff\xfe", 2
	r.CloseCode, r.CloseReason = 1008, "  bye, "
	r.Trace, r.Steps = probe.Trace{}, nil
	e.Observation.Health = health.State{}
	return e
}

// held is the event of a moment of a held session.
func held(moment metrics.Moment) *Event {
	e := ran()
	e.ID, e.Changed = "019b7e5f-8e7b-7000-8000-000000000003", false
	s := &metrics.Session{Moment: moment, Open: true, OK: true}
	if moment == metrics.SessionEnded || moment == metrics.SessionExplained {
		s.Open, s.OK = false, false
		s.End = &session.End{Cause: session.ByClose, Code: 1001, Lifetime: 90 * time.Second, IdleIn: time.Second, IdleOut: 2 * time.Second,
			InFlight: session.InFlight{Ping: true}, Totals: session.Totals{Messages: 7, Wanted: 6, Lost: 1, BytesIn: 1 << 40}}
		r := &e.Observation.Result
		r.Reason, r.ErrorType, r.Opened, r.Replied, r.CloseCode = reasons.ReplyTimeout, reasons.ReplyMismatched, false, false, 1001
	}
	if moment == metrics.SessionExplained {
		s.Finding = &session.Finding{Verdict: session.Drained, Sure: true}
	}
	e.Observation.Session = s
	e.Kind = kindOf(e.Observation)
	return e
}

// samples are events of every kind.
func samples() []*Event {
	all := []*Event{ran(), failed()}
	for moment := metrics.SessionOpened; moment <= metrics.SessionExplained; moment++ {
		all = append(all, held(moment))
	}
	all = append(all, &Event{ID: "019b7e5f-8e7b-7000-8000-000000000004", Kind: "run", Observation: &metrics.Observation{Probe: metrics.NewIdentity(metrics.Target{})}})
	return all
}

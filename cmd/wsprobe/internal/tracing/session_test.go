package tracing_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/tracing"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// at is an event of a session, after a time.
func at(after time.Duration, kind session.Kind, m session.Message) *session.Event {
	return &session.Event{Kind: kind, At: start.Add(after), Message: m}
}

// heldRun is what a run says of a session that was cut after a minute.
func heldRun() probe.Result {
	r := roundTrip()
	r.Phases[probe.PhaseRoundTrip], r.Phases[probe.PhaseClose] = probe.Span{}, probe.Span{}
	r.Ended, r.Reason, r.ErrorType, r.Detail = start.Add(time.Minute), reasons.ClosedEarly, reasons.UnexpectedEOF, "FIN"
	return r
}

// longSession is one of which every fact is known, and in which more happened than is kept.
func longSession() *tracing.Session {
	s := new(tracing.Session)
	for i := range 100 {
		s.Note(at(time.Duration(i)*ms, session.Unanswered, session.Message{}))
	}
	s.Explain(&metrics.Observation{Session: &metrics.Session{
		End: &session.End{Cause: session.ByFIN, Connection: "publisher", InFlight: session.InFlight{Ping: true},
			Totals: session.Totals{Lost: 1, Repeated: 1, Disordered: 1}},
		Finding: &session.Finding{Verdict: session.Replaced},
	}})
	return s
}

// story of the events of a span, times as offsets from the start.
func eventsOf(s sdktrace.ReadOnlySpan) []string {
	var all []string
	for _, e := range s.Events() {
		text := fmt.Sprint(e.Time.Sub(start), " ", e.Name)
		for _, kv := range e.Attributes {
			text += fmt.Sprint(" ", kv.Key, "=", kv.Value.AsInterface())
		}
		all = append(all, text)
	}
	return all
}

// TestSpanOfASession: it lasts from the attempt to the end, tells what happened, and has the spans of its open.
func TestSpanOfASession(t *testing.T) {
	s := new(tracing.Session)
	wanted := session.Message{Wanted: true}
	for _, e := range []*session.Event{
		at(70*ms, session.Opened, session.Message{}), at(80*ms, session.Received, session.Message{}),
		at(90*ms, session.Received, wanted), at(100*ms, session.Received, wanted),
		at(110*ms, session.Received, session.Message{Wanted: true, Lost: 3}), at(120*ms, session.Received, session.Message{Wanted: true, Repeated: true}),
		at(130*ms, session.Received, session.Message{Wanted: true, Disordered: true}), at(140*ms, session.Ponged, session.Message{}),
		at(150*ms, session.Unanswered, session.Message{}), at(160*ms, session.RenewalDue, session.Message{}),
		at(time.Minute, session.Ended, session.Message{}),
	} {
		s.Note(e)
	}
	s.Explain(&metrics.Observation{Session: &metrics.Session{End: &session.End{Cause: session.ByFIN, Lifetime: time.Minute},
		Finding: &session.Finding{Verdict: session.Stopped, Sure: true}}})
	r := heldRun()
	spans := builder().SessionSpans(chat, r, s)
	checkTree(t, spans, r.Trace)
	root := spans[len(spans)-1]
	if root.Name() != "session chat" || root.EndTime().Sub(root.StartTime()) != time.Minute || len(spans) != 5 || root.Status().Description != "FIN" {
		t.Errorf("%s of %v, %q, among %d spans", root.Name(), root.EndTime().Sub(root.StartTime()), root.Status().Description, len(spans))
	}
	if a := attributes(root); a["wsprobe.session.end"] != "fin" || a["wsprobe.session.verdict"] != "stopped" || a["wsprobe.session.lifetime"] != 60000.0 {
		t.Errorf("attributes %v", a)
	}
	want := []string{
		"70ms wsprobe.session.opened", "90ms wsprobe.session.message.first", "110ms wsprobe.session.message.lost wsprobe.session.lost=3",
		"120ms wsprobe.session.message.repeated", "130ms wsprobe.session.message.disordered", "150ms wsprobe.session.ping.unanswered",
		"160ms wsprobe.session.renewal.due", "1m0s wsprobe.session.ended",
	}
	if got := eventsOf(root); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	var known []string
	for _, e := range tracing.Events() {
		known = append(known, e.Name)
	}
	for _, e := range root.Events() {
		if !slices.Contains(known, e.Name) {
			t.Errorf("the table lacks %s", e.Name)
		}
	}
}

// TestEventsOfASessionAreBounded: the first ones stay, then the last ones, and the others are counted.
func TestEventsOfASessionAreBounded(t *testing.T) {
	spans := builder().SessionSpans(chat, heldRun(), longSession())
	root := spans[len(spans)-1]
	got := eventsOf(root)
	const unanswered = "ms wsprobe.session.ping.unanswered"
	if len(got) != tracing.MaxEvents || got[7] != "7"+unanswered || got[8] != "76"+unanswered || got[31] != "99"+unanswered {
		t.Errorf("%d events: %q", len(got), got)
	}
	if n := attributes(root)["wsprobe.session.events.dropped"]; n != int64(68) {
		t.Errorf("%v were dropped", n)
	}
}

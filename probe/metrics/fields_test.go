package metrics_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func chat() *metrics.Identity {
	return metrics.NewIdentity(metrics.Target{
		Name: "chat", Interpretation: probe.RoundTripLatency, Address: "chat.example.com", Port: 443, Scheme: "wss", Interval: time.Minute,
		Path: "/socket", URL: "wss://chat.example.com/socket?token=hunter2", Labels: map[string]string{"team": "web"},
	})
}

// told is an observation of which every fact is known.
func told() *metrics.Observation {
	r := probe.Result{
		Started: noon, Ended: noon.Add(time.Second), Reason: reasons.ReplyMismatch, ErrorType: reasons.ReplyMismatched, Detail: "no match",
		Opened: true, Handshake: time.Millisecond, Replied: true, RoundTrip: 2 * time.Millisecond, TimestampSource: probe.KernelTime,
		Lag: time.Second, StartDelay: time.Second, Trace: probe.Trace{ID: [16]byte{1}}, Steps: []probe.Span{{State: probe.SpanEnded}},
		Peer: "[2001:db8::1]:443", CertificateExpiry: noon, HTTPStatus: 101, Body: "body", Subprotocol: "chat", Extensions: "deflate",
		CloseCode: 1002, CloseReason: "masked", CloseByProbe: true, Unmatched: 1, LastReply: "pong",
	}
	r.Phases[probe.PhaseConnect] = probe.Span{End: time.Millisecond, State: probe.SpanEnded}
	return &metrics.Observation{Probe: chat(), Result: r, Health: health.State{Status: health.Degraded}, Maintained: true}
}

// TestSessionFacts: a line has the most telling facts of a session, a record has each of them once, and a run has none.
func TestSessionFacts(t *testing.T) {
	o := told()
	if got := o.SessionRecord(); got != nil {
		t.Errorf("a run has %v", got)
	}
	o.Session = &metrics.Session{
		End: &session.End{Cause: session.ByClose, Connection: "publisher", Lifetime: 90 * time.Second, InFlight: session.InFlight{Heartbeat: true, Ping: true},
			Totals: session.Totals{Messages: 7, Lost: 1, Repeated: 2, Disordered: 3}},
		Finding: &session.Finding{Verdict: session.Drained, Sure: true},
	}
	var keys []string
	for _, fact := range o.SessionRecord() {
		keys = append(keys, fact.Key)
	}
	if want := metrics.SessionKeys(); !slices.Equal(keys, want) {
		t.Errorf("a record has %q, want %q", keys, want)
	}
	want := "[cause=close connection=publisher lifetime_ms=90000 idle_in_ms=0 idle_out_ms=0 in_flight=ping, heartbeat messages=7 lost=1 repeated=2 disordered=3 " +
		"verdict=drained sure=true]"
	if got := fmt.Sprint(o.SessionLine()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestEveryFactHasItsType: each field of the table can be known, and its value is of the type that the table says.
func TestEveryFactHasItsType(t *testing.T) {
	kinds := map[metrics.Type][]slog.Kind{
		metrics.TypeText: {slog.KindString}, metrics.TypeNumber: {slog.KindInt64, slog.KindFloat64}, metrics.TypeBool: {slog.KindBool},
		metrics.TypeTime: {slog.KindTime}, metrics.TypeNumbers: {slog.KindAny}, metrics.TypeNamed: {slog.KindAny},
	}
	o := told()
	for _, f := range metrics.Fields() {
		v, known := f.Value(o)
		if !known || !slices.Contains(kinds[f.Type], v.Kind()) {
			t.Errorf("%s %s is %v, a %v, want a %s", f.Key, f.Attribute, v, v.Kind(), f.Type)
		}
		if f.Key == "" && f.Attribute == "" || f.Key != "" && f.Doc == "" {
			t.Errorf("%+v has no key or no doc", f)
		}
	}
}

// TestUnknownFactsAreAbsent: of a result without facts JSON has every key, null for most, and the other outlets the
// rest.
func TestUnknownFactsAreAbsent(t *testing.T) {
	empty := metrics.Observation{Probe: metrics.NewIdentity(metrics.Target{})}
	if got := keys(empty.Line()); !slices.Equal(got, []string{"reason"}) {
		t.Errorf("a line has %v", got)
	}
	if got := keys(empty.Record()); !slices.Equal(got, []string{"wsprobe.reason"}) {
		t.Errorf("a record has %v", got)
	}
	want := []string{"wsprobe.reason", "wsprobe.start_delay", "wsprobe.lag", "wsprobe.local_overload"}
	if got := keys(empty.Span()); !slices.Equal(got, want) {
		t.Errorf("a span has %v, want %v", got, want)
	}
	object := asObject(t, &empty)
	for _, f := range metrics.Fields() {
		value, there := object[f.Key]
		if f.Key == "" {
			continue
		}
		if _, known := f.Value(&empty); !there || known == (value == nil) {
			t.Errorf("%s is %v, known: %v", f.Key, value, known)
		}
	}
}

// TestOutletsHaveTheTablesKeys: an outlet mentions each of its keys once, in the order that its list of keys has.
func TestOutletsHaveTheTablesKeys(t *testing.T) {
	o := told()
	for name, c := range map[string]struct {
		facts []metrics.Attribute
		keys  []string
	}{
		"record": {o.Record(), metrics.RecordKeys()}, "span": {o.Span(), metrics.SpanKeys()},
	} {
		if got := keys(c.facts); !slices.Equal(got, c.keys) {
			t.Errorf("%s: %v, want %v", name, got, c.keys)
		}
		if sorted := slices.Sorted(slices.Values(c.keys)); len(slices.Compact(sorted)) != len(c.keys) {
			t.Errorf("%s: a key stands twice in %v", name, c.keys)
		}
	}
}

// TestJSONIsOneObject: its keys come in the order of the table, texts keep their characters, and the query of the URL
// is gone.
func TestJSONIsOneObject(t *testing.T) {
	o := told()
	o.Result.Detail = "<a> & \"b\" \x7f \u2028"
	text, err := o.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "hunter2") || !strings.Contains(string(text), `"detail":"<a> & \"b\"`) {
		t.Errorf("got %s", text)
	}
	at := 0
	for _, f := range metrics.Fields() {
		if f.Key == "" {
			continue
		}
		found := strings.Index(string(text), fmt.Sprintf("%q:", f.Key))
		if found < at {
			t.Errorf("%s stands at %d, before %d", f.Key, found, at)
		}
		at = found
	}
	object := asObject(t, o)
	for key, want := range map[string]any{
		"detail": o.Result.Detail, "status": "degraded", "value": 2.0, "unit": "ms", "close_sent_by": "probe", "steps_ms": []any{0.0},
		"phases_ms": map[string]any{"connect": 1.0}, "connection_success": 1.0, "local_overload": true, "started_at": "2026-01-01T12:00:00Z",
	} {
		if !reflect.DeepEqual(object[key], want) {
			t.Errorf("%s is %v, want %v", key, object[key], want)
		}
	}
}

// TestPeers: the address of a peer is in one form, and what is no address has no attributes.
func TestPeers(t *testing.T) {
	for peer, want := range map[string]string{
		"192.0.2.7:443":           "192.0.2.7 443 ipv4",
		"[2001:db8::1]:8443":      "2001:db8::1 8443 ipv6",
		"[::ffff:192.0.2.7]:80":   "192.0.2.7 80 ipv4",
		"[fe80::1%eth0]:80":       "fe80::1%eth0 80 ipv6",
		"":                        "",
		"somewhere.example.com:1": "",
	} {
		o := metrics.Observation{Result: probe.Result{Peer: peer}}
		var got []string
		for _, a := range o.Peer() {
			got = append(got, a.Value.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %s", peer, got, want)
		}
	}
}

func keys(facts []metrics.Attribute) []string {
	all := make([]string, len(facts))
	for i, a := range facts {
		all[i] = a.Key
	}
	return all
}

func asObject(t *testing.T, o *metrics.Observation) map[string]any {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

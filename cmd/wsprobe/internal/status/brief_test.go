package status

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestBriefHasTheSameView changes one field of a result after the other: what is kept of it is shown like the whole.
func TestBriefHasTheSameView(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 123456789, time.UTC)
	ordinary := probe.Result{
		Started: noon, Ended: noon.Add(time.Second), Opened: true, Handshake: 3 * time.Millisecond, Replied: true,
		RoundTrip: 4 * time.Millisecond, TimestampSource: probe.KernelTime, Peer: "127.0.0.1:80", HTTPStatus: 101,
	}
	ordinary.Phases[probe.PhaseConnect] = probe.Span{Start: 1, End: 2001, State: probe.SpanEnded}
	if _, ok := NewBrief(&ordinary); !ok {
		t.Error("an ordinary result has no brief")
	}
	kind := reflect.TypeFor[probe.Result]()
	for i := range kind.NumField() {
		r := ordinary
		change(t, reflect.ValueOf(&r).Elem().Field(i))
		e := add(new(Board), "a", "ws://example.com/", probe.RoundTripLatency, time.Second)
		e.record(r, health.State{})
		whole := metrics.Observation{Probe: e.probe, Result: r}
		if got, want := asJSON(t, e.status().Last), asJSON(t, &whole); got != want {
			t.Errorf("%s is lost: got %s, want %s", kind.Field(i).Name, got, want)
		}
	}
}

func asJSON(t *testing.T, o *metrics.Observation) string {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// change gives a field of a result another value.
func change(t *testing.T, field reflect.Value) {
	t.Helper()
	switch value := field.Addr().Interface().(type) {
	case *time.Time:
		*value = time.Date(2027, 2, 3, 4, 5, 6, 7, time.UTC)
	case *probe.Phases:
		for i := range value {
			value[i] = probe.Span{Start: time.Duration(i), End: 5 * time.Millisecond, State: probe.SpanState(i % 3)}
		}
	case *probe.Trace:
		*value = probe.Trace{ID: [16]byte{1}, Run: [8]byte{2}, Upgrade: [8]byte{3}, Sampled: true}
	case *reasons.Clues: // which change no view of a run that was ok to the end
		value.Origin = true
	case *[]probe.Span:
		*value = []probe.Span{{End: time.Millisecond, State: probe.SpanEnded}}
	default:
		switch field.Kind() {
		case reflect.String:
			field.SetString("text")
		case reflect.Bool:
			field.SetBool(!field.Bool())
		case reflect.Int, reflect.Int64:
			field.SetInt(field.Int() + 2)
		case reflect.Uint8, reflect.Uint16:
			field.SetUint(field.Uint() + 2)
		default:
			t.Fatalf("no other value for a %s", field.Type())
		}
	}
}

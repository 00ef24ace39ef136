package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe/shape"
)

// TestShape: options choose fields, name them, and say in which form they are written.
func TestShape(t *testing.T) {
	for name, c := range map[string]struct {
		options shape.Options
		event   *Event
		want    string
	}{
		"only fields in the order of the event": {
			shape.Options{OnlyFields: []string{"reason", "id", "probe"}}, ran(),
			`{"id":"019b7e5f-8e7b-7000-8000-000000000001","probe":"chat","reason":"ok"}`},
		"fields within one": {
			shape.Options{OnlyFields: []string{"labels.team", "session.cause", "session.lost", "phases_ms.tls"}}, held(5),
			`{"labels":{"team":"web"},"phases_ms":{"tls":20},"session":{"cause":"close","lost":1}}`},
		"a session that is none": {
			shape.Options{OnlyFields: []string{"session.cause"}}, ran(), `{"session":null}`},
		"fields but some": {
			shape.Options{OnlyFields: []string{"labels", "probe", "phases_ms"}, ExceptFields: []string{"labels.team", "probe", "phases_ms.tls"}}, ran(),
			`{"labels":{"tier":"1"},"phases_ms":{"connect":10,"round_trip":13}}`},
		"other names, and more fields": {
			shape.Options{OnlyFields: []string{"probe", "reason", "timestamp"}, Rename: map[string]string{"probe": "check \"1\"", "reason": "probe"},
				DateKey: "date", Static: map[string]string{"team": "b", "env": "a"}}, ran(),
			`{"date":"2026-01-02T12:00:00.123456789Z","check \"1\"":"chat","probe":"ok","env":"a","team":"b"}`},
		"nothing at all": {
			shape.Options{OnlyFields: []string{"probe"}, ExceptFields: []string{"probe"}}, ran(), `{}`},
		"only the number of sends": {
			shape.Options{OnlyFields: []string{"replay"}}, ran(), `{"replay":12}`},
		"rows with a header": {
			shape.Options{Codec: shape.CSV, CSVHeader: true, CSVDelimiter: ";", CSVFields: []string{"probe", "labels.team", "replay", "labels", "detail", "session.cause", "phases_ms.tls", "env", "value"},
				Rename: map[string]string{"labels": "tags", "probe": "a;b"}, Static: map[string]string{"env": "x\"y"}}, ran(),
			"\"a;b\";tags.team;replay;tags;detail;session.cause;phases_ms.tls;env;value\nchat;web;12;\"{\"\"team\"\":\"\"web\"\",\"\"tier\"\":\"\"1\"\"}\";;;20;\"x\"\"y\";12.5\n"},
		"a row of one empty cell": {
			shape.Options{Codec: shape.CSV, CSVFields: []string{"detail"}}, ran(), "\"\"\n"},
		"a row of the number of sends": {
			shape.Options{Codec: shape.CSV, CSVFields: []string{"replay"}}, ran(), "12\n"},
		"a template": {
			shape.Options{Codec: shape.Text, Template: "{{probe}} ({{ labels.team }}) is {{reason}}, {{value}}{{unit}}{{detail}} #{{replay}} {{steps_ms}} {{changed}} {{session}}{{session.cause}}{{env}}.",
				Static: map[string]string{"env": "x"}, Rename: map[string]string{"probe": "check"}}, ran(),
			"chat (web) is ok, 12.5ms #12 [1,null] true x."},
		"a template with a text of several lines": {
			shape.Options{Codec: shape.Text, Template: "{{detail}}"}, failed(),
			`no "match": a=1, b\2\r\n\tc\u2028d; \x01 <é 漢 🦊>`},
		"keys that logfmt has no escape for": {
			shape.Options{Codec: shape.Logfmt, OnlyFields: []string{"replay"}, Static: map[string]string{"a b=\"c\x00é": "d=e", "empty": "", "null": "null"}}, ran(),
			"replay=12 a_b__c_é=\"d=e\" empty=\"\" null=\"null\"\n"},
		"a summary of no more than what is written": {
			shape.Options{Codec: shape.OTLPJSON, OnlyFields: []string{"id"}}, failed(),
			`{"timeUnixNano":"1767355200123456789","observedTimeUnixNano":"1767355200123456789","severityNumber":13,"severityText":"WARN","eventName":"wsprobe.run","body":{"stringValue":""},"attributes":[{"key":"log.record.uid","value":{"stringValue":"019b7e5f-8e7b-7000-8000-000000000002"}}]}`},
		"attributes with other names": {
			shape.Options{Codec: shape.OTLPJSON, OnlyFields: []string{"agent", "timestamp", "phases_ms.tls"}, Rename: map[string]string{"agent": "who", "phases_ms": "phases"}, DateKey: "date"}, ran(),
			`{"timeUnixNano":"1767355200123456789","observedTimeUnixNano":"1767355200123456789","severityNumber":9,"severityText":"INFO","eventName":"wsprobe.run","body":{"stringValue":""},"attributes":[{"key":"who","value":{"stringValue":"host-1:9090"}},{"key":"phases.tls","value":{"doubleValue":20}}]}`},
	} {
		e := encoder(t, agent(c.options))
		got := string(joined(e, 12, c.event))
		if c.options.Codec == shape.OTLPJSON {
			_, got, _ = strings.Cut(strings.TrimSuffix(got, tailJSON), `"logRecords":[`)
		}
		if got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

// TestTimes: each format holds for every time of an event, as a text or as a number.
func TestTimes(t *testing.T) {
	for format, want := range map[string][2]string{
		shape.RFC3339:   {`"2026-01-02T12:00:00.123456789Z"`, `"9999-12-31T23:59:59Z"`},
		shape.Unix:      {`1767355200`, `253402300799`},
		shape.UnixMS:    {`1767355200123`, `253402300799000`},
		shape.UnixUS:    {`1767355200123456`, `253402300799000000`},
		shape.UnixNS:    {`1767355200123456789`, fmt.Sprint(math.MaxInt64)},
		shape.UnixFloat: {`1767355200.123456`, `253402300799`},
		shape.JavaSQL:   {`"2026-01-02 12:00:00.123456"`, `"9999-12-31 23:59:59.000000"`},
	} {
		o := shape.Options{OnlyFields: []string{"timestamp", "certificate_expires_at"}, TimestampFormat: format}
		ev := ran()
		ev.At = ev.At.In(time.FixedZone("CET", 3600))
		if got, want := string(joined(encoder(t, agent(o)), 0, ev)), `{"timestamp":`+want[0]+`,"certificate_expires_at":`+want[1]+`}`; got != want {
			t.Errorf("%s: %s, want %s", format, got, want)
		}
		o.Codec = shape.Msgpack
		read := readMsgpack(t, append([]byte{0x91}, joined(encoder(t, agent(o)), 0, ev)...))
		var value any
		if err := json.Unmarshal([]byte(want[0]), &value); err != nil {
			t.Fatal(err)
		}
		if read[0]["timestamp"] != value {
			t.Errorf("%s: %v, want %s", format, read[0], want[0])
		}
	}
}

// TestMessages: one event of json and msgpack is an object unless batches are asked for, and the events of an encoding
// of before can still be joined.
func TestMessages(t *testing.T) {
	id := shape.Options{OnlyFields: []string{"id", "replay"}}
	for _, c := range []struct {
		codec   string
		batched bool
		events  int
		want    string
	}{
		{shape.JSON, false, 1, `{"id":"","replay":7}`},
		{shape.JSON, false, 2, `[{"id":"","replay":7},{"id":"","replay":7}]`},
		{shape.JSON, true, 1, `[{"id":"","replay":7}]`},
		{shape.JSONLines, true, 2, "{\"id\":\"\",\"replay\":7}\n{\"id\":\"\",\"replay\":7}\n"},
		{shape.Msgpack, false, 1, "\x82\xa2id\xa0\xa6replay\x07"},
		{shape.Msgpack, true, 1, "\x91\x82\xa2id\xa0\xa6replay\x07"},
		{shape.Msgpack, false, 2, "\x92\x82\xa2id\xa0\xa6replay\x07\x82\xa2id\xa0\xa6replay\x07"},
		{shape.Logfmt, true, 2, "id=\"\" replay=7\nid=\"\" replay=7\n"},
		{shape.CSV, true, 2, "id,replay\n,7\n,7\n"},
		{shape.Text, true, 2, "7\n7"},
	} {
		o := agent(id)
		o.Shape.Codec, o.Shape.Template, o.Shape.CSVHeader, o.Batched = c.codec, "{{replay}}", true, c.batched
		e := encoder(t, o)
		ev := ran()
		ev.ID = ""
		if got := string(joined(e, 7, slices.Repeat([]*Event{ev}, c.events)...)); got != c.want {
			t.Errorf("%d of %s: %q, want %q", c.events, e.Name(), got, c.want)
		}
		if e.Name() == "" || Binary(e.Name()) != (c.codec == shape.Msgpack) {
			t.Errorf("%q is binary: %v", e.Name(), Binary(e.Name()))
		}
	}
}

// TestNames: a name tells apart what cannot stand in one message.
func TestNames(t *testing.T) {
	name := func(o Options) string { return encoder(t, o).Name() }
	csv := func(delimiter string, fields ...string) string {
		return name(Options{Shape: shape.Options{Codec: shape.CSV, CSVFields: fields, CSVDelimiter: delimiter}})
	}
	if csv("", "id") == csv("", "probe") || csv("", "id", "probe") == csv(";", "id", "probe") || csv("", "id") != csv(",", "id") {
		t.Error("rows of other columns have one name")
	}
	o := Options{Shape: shape.Options{Codec: shape.OTLPProtobuf}}
	other := o
	other.Version = "2"
	if name(o) == name(other) {
		t.Error("records of other scopes have one name")
	}
}

// TestFaults: options that are wrong make no encoder.
func TestFaults(t *testing.T) {
	_, err := NewEncoder(Options{Shape: shape.Options{Codec: "gelf", OnlyFields: []string{"host"}}})
	var fault shape.Fault
	if !errors.As(err, &fault) || !strings.Contains(err.Error(), "OnlyFields[0]") {
		t.Errorf("got %v", err)
	}
}

package event

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-logfmt/logfmt"
	"github.com/vmihailenco/msgpack/v5"
	logscollector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/wsprobe/wsprobe/probe/shape"
)

// facts is an event as a reader has it.
type facts = map[string]any

// list is a message of json as encoding/json reads it.
func readJSON(t testing.TB, message []byte) (all []facts) {
	t.Helper()
	if err := json.Unmarshal(message, &all); err != nil {
		t.Fatalf("%v: %s", err, message)
	}
	return all
}

func readLines(t testing.TB, message []byte) (all []facts) {
	t.Helper()
	for line := range bytes.Lines(message) {
		all = append(all, readJSON(t, fmt.Appendf(nil, "[%s]", line))...)
	}
	return all
}

// readMsgpack reads a message, and makes its numbers those of JSON.
func readMsgpack(t testing.TB, message []byte) []facts {
	t.Helper()
	var all []facts
	in := bytes.NewReader(message)
	if err := msgpack.NewDecoder(in).Decode(&all); err != nil || in.Len() > 0 {
		t.Fatalf("%v, %d bytes left of %q", err, in.Len(), message)
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return readJSON(t, text)
}

// readLogfmt reads lines, whose values are texts.
func readLogfmt(t testing.TB, message []byte) (all []facts) {
	t.Helper()
	d := logfmt.NewDecoder(bytes.NewReader(message))
	for d.ScanRecord() {
		line := facts{}
		for d.ScanKeyval() {
			line[string(d.Key())] = string(d.Value())
		}
		all = append(all, line)
	}
	if err := d.Err(); err != nil {
		t.Fatalf("%v: %s", err, message)
	}
	return all
}

// readCSV reads rows below a header. Their values are texts.
func readCSV(t testing.TB, message []byte) (all []facts) {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(message)).ReadAll()
	if err != nil {
		t.Fatalf("%v: %s", err, message)
	}
	for _, row := range rows[1:] {
		line := facts{}
		for i, cell := range row {
			line[rows[0][i]] = cell
		}
		all = append(all, line)
	}
	return all
}

// flat returns an event in texts, as logfmt has it: without what is null, and with the names of both for fields within
// one.
func flat(o facts) facts {
	all := facts{}
	for name, value := range o {
		switch v := value.(type) {
		case nil:
		case map[string]any:
			for inner, value := range flat(v) {
				all[name+"."+inner] = value
			}
		default:
			all[name] = asText(v)
		}
	}
	return all
}

// cells returns an event in texts, as csv has it: empty if it is null, and objects in JSON.
func cells(o facts) facts {
	all := facts{}
	for name, value := range o {
		all[name] = asText(value)
		if _, is := value.(map[string]any); is {
			all[name] = value
		}
		if s, is := value.(string); is { // a reader of csv takes every line end for one
			all[name] = strings.ReplaceAll(s, "\r\n", "\n")
		}
	}
	return all
}

func asText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		text, _ := json.Marshal(v)
		return string(text)
	}
}

// TestCodecsSayTheSame: what a reader of each encoding finds in a message is what a reader of JSON finds.
func TestCodecsSayTheSame(t *testing.T) {
	write := func(codec string, replay int) []byte {
		o := agent(shape.Options{Codec: codec, CSVHeader: true})
		o.Batched = true
		return joined(encoder(t, o), replay, samples()...)
	}
	want := readJSON(t, write(shape.JSON, 5))
	for i, ev := range samples() {
		if o := want[i]; o["id"] != ev.ID || o["replay"] != 5.0 || o["event"] != ev.Kind {
			t.Errorf("%v is no %s %s that was sent 5 times", o, ev.Kind, ev.ID)
		}
	}
	for codec, c := range map[string]struct {
		read func(testing.TB, []byte) []facts
		as   func(facts) facts
	}{
		shape.JSONLines: {readLines, func(o facts) facts { return o }},
		shape.Msgpack:   {readMsgpack, func(o facts) facts { return o }},
		shape.Logfmt:    {readLogfmt, flat},
		shape.CSV:       {readCSV, cells},
	} {
		got := c.read(t, write(codec, 5))
		if len(got) != len(want) {
			t.Errorf("%s: %d events, want %d", codec, len(got), len(want))
			continue
		}
		for i := range want {
			for name, value := range c.as(want[i]) {
				text, is := got[i][name].(string)
				if _, object := value.(map[string]any); is && object { // in csv
					got[i][name] = readJSON(t, []byte("["+text+"]"))[0]
				}
				if !reflect.DeepEqual(got[i][name], value) {
					t.Errorf("%s: %s of event %d is %#v, want %#v", codec, name, i, got[i][name], value)
				}
				delete(got[i], name)
			}
			if len(got[i]) > 0 {
				t.Errorf("%s: event %d has also %v", codec, i, got[i])
			}
		}
	}
}

// request reads a message of an encoding of OTLP.
func request(t testing.TB, codec string, message []byte) *logscollector.ExportLogsServiceRequest {
	t.Helper()
	r := &logscollector.ExportLogsServiceRequest{}
	err := proto.Unmarshal(message, r)
	if codec == shape.OTLPJSON {
		err = protojson.Unmarshal(withBase64(t, message), r)
	}
	if err != nil {
		t.Fatalf("%s: %v: %q", codec, err, message)
	}
	return r
}

// withBase64 gives ids the form that protojson reads: OTLP has them hexadecimal.
func withBase64(t testing.TB, message []byte) []byte {
	t.Helper()
	var r map[string]any
	d := json.NewDecoder(bytes.NewReader(message))
	d.UseNumber()
	if err := d.Decode(&r); err != nil {
		t.Fatalf("%v: %s", err, message)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				walk(one)
			}
		case map[string]any:
			for key, one := range v {
				if key == "traceId" || key == "spanId" {
					var id []byte
					if _, err := fmt.Sscanf(one.(string), "%x", &id); err != nil {
						t.Fatal(err)
					}
					v[key] = id
				}
				walk(one)
			}
		}
	}
	walk(r)
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestOTLP: a request has the agent as its resource, and each event as a log record in the trace of its run, with each
// key once. Both encodings say the same.
func TestOTLP(t *testing.T) {
	var requests []*logscollector.ExportLogsServiceRequest
	for _, codec := range []string{shape.OTLPJSON, shape.OTLPProtobuf} {
		e := encoder(t, agent(shape.Options{Codec: codec, Static: map[string]string{"env": "pro\xff"}}))
		requests = append(requests, request(t, codec, joined(e, 200, samples()...)))
	}
	for _, record := range requests[0].ResourceLogs[0].ScopeLogs[0].LogRecords {
		for _, a := range record.Attributes {
			if v := a.Value.GetIntValue(); a.Key == "wsprobe.replay" && v == 200 {
				a.Value.Value = &common.AnyValue_IntValue{IntValue: 127} // as much as a byte holds
			}
		}
	}
	if !proto.Equal(requests[0], requests[1]) {
		t.Errorf("otlp_json says %v\n\notlp_protobuf says %v", requests[0], requests[1])
	}
	about := requests[1].ResourceLogs[0]
	if got := attributesOf(t, about.Resource.Attributes); got["service.instance.id"] != "host-1:9090" {
		t.Errorf("the resource is %v", got)
	}
	if scope := about.ScopeLogs[0].Scope; scope.Name != scopeName || scope.Version != "1.2.3" {
		t.Errorf("the scope is %v", scope)
	}
	records := about.ScopeLogs[0].LogRecords
	for i, ev := range samples() {
		got := attributesOf(t, records[i].Attributes)
		if got["log.record.uid"] != ev.ID || got["wsprobe.replay"] != int64(127) || got["env"] != "pro\uFFFD" || records[i].EventName != "wsprobe."+ev.Kind {
			t.Errorf("event %d is %v", i, records[i])
		}
	}
	first, second := records[0], records[1]
	if first.SeverityText != "INFO" || first.Body.GetStringValue() != "run: chat: ok" || first.TraceId[0] != 1 || first.SpanId[0] != 3 || first.Flags != 1 {
		t.Errorf("a run that is ok is %v", first)
	}
	if second.SeverityText != "WARN" || !strings.HasPrefix(second.Body.GetStringValue(), "run: chat: ws_reply_mismatch: reply_mismatch: no ") || second.TraceId != nil {
		t.Errorf("a run that failed is %v", second)
	}
	if got := attributesOf(t, first.Attributes); got["team"] != "web" || got["wsprobe.phases_ms.tls"] != 20.0 || got["wsprobe.reason"] != "ok" {
		t.Errorf("a run has %v", got)
	}
	if got := attributesOf(t, records[6].Attributes); got["wsprobe.session.end"] != "close" || got["wsprobe.session.bytes.in"] != int64(1<<40) {
		t.Errorf("the end of a session has %v", got)
	}
}

// attributesOf returns attributes as a map.
func attributesOf(t testing.TB, attributes []*common.KeyValue) facts {
	t.Helper()
	all := facts{}
	for _, a := range attributes {
		if _, twice := all[a.Key]; twice {
			t.Errorf("%s is there twice", a.Key)
		}
		switch v := a.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			all[a.Key] = v.StringValue
		case *common.AnyValue_IntValue:
			all[a.Key] = v.IntValue
		case *common.AnyValue_DoubleValue:
			all[a.Key] = v.DoubleValue
		case *common.AnyValue_BoolValue:
			all[a.Key] = v.BoolValue
		default:
			all[a.Key] = v
		}
	}
	return all
}

// TestTextIsUTF8: the messages that are no binary ones are UTF-8, whatever an endpoint said.
func TestTextIsUTF8(t *testing.T) {
	for _, codec := range shape.Codecs() {
		o := agent(shape.Options{Codec: codec, CSVHeader: true, Template: "{{last_reply}}", Static: map[string]string{"a": "\xff"}})
		o.Location, o.Version = "\xfe", "\xfd"
		e := encoder(t, o)
		if message := joined(e, 1, samples()...); !Binary(e.Name()) && !utf8.Valid(message) {
			t.Errorf("%s: %q", codec, message)
		}
	}
}

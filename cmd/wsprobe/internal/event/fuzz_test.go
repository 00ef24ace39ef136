package event

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/shape"
)

// FuzzEvent: whatever texts an event has, the readers of each encoding read them back.
func FuzzEvent(f *testing.F) {
	f.Add("chat", "detail", "label", "value", 1.5, int64(1), uint8(1))
	f.Add("a\"b\\c", "=\r\n,;|", "k.8 s=\"", "\xff\xfe\u2028", -0.5, int64(-1), uint8(127))
	f.Add("", "null", "", "'{{probe}}'", 1e300, int64(1)<<62, uint8(200))
	f.Fuzz(func(t *testing.T, name, detail, label, value string, number float64, ns int64, sends uint8) {
		ev := ran()
		ev.Observation.Probe = metrics.NewIdentity(metrics.Target{Name: name, Labels: map[string]string{label: value}, Interpretation: probe.RoundTripLatency})
		ev.Observation.Result.Detail, ev.Observation.Result.LastReply, ev.Observation.Result.Unmatched = detail, value, int(ns)
		ev.Observation.Result.Steps[0].End = 1
		static := map[string]string{"static": detail}
		write := func(codec string) []byte {
			o := agent(shape.Options{Codec: codec, CSVHeader: true, Static: static, Template: "{{probe}} {{detail}} {{labels}} {{replay}}"})
			o.Batched = true
			return joined(encoder(t, o), int(sends), ev, ev)
		}
		want := readJSON(t, write(shape.JSON))
		clean := func(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
		if o := want[1]; len(want) != 2 || o["probe"] != clean(name) || o["static"] != clean(detail) || o["replay"] != float64(sends) {
			t.Errorf("%q reads as %v", name, o)
		}
		if got := readLines(t, write(shape.JSONLines)); !reflect.DeepEqual(got, want) {
			t.Errorf("json_lines has %v, want %v", got, want)
		}
		for _, o := range want {
			o["replay"] = float64(min(sends, maxReplay))
		}
		if got := readMsgpack(t, write(shape.Msgpack)); !reflect.DeepEqual(got, want) {
			t.Errorf("msgpack has %v, want %v", got, want)
		}
		got := readLogfmt(t, write(shape.Logfmt))
		if len(got) != 2 || got[1]["probe"] != clean(name) || got[1]["static"] != clean(detail) || got[1]["labels."+string(appendKey(nil, clean(label)))] != clean(value) {
			t.Errorf("logfmt has %v, want %v", got, want)
		}
		got = readCSV(t, write(shape.CSV))
		lines := func(s string) string { return strings.ReplaceAll(clean(s), "\r\n", "\n") }
		if len(got) != 2 || got[1]["probe"] != lines(name) || got[1]["static"] != lines(detail) {
			t.Errorf("csv has %v, want %v", got, want)
		}
		for _, codec := range []string{shape.OTLPJSON, shape.OTLPProtobuf} {
			records := request(t, codec, write(codec)).ResourceLogs[0].ScopeLogs[0].LogRecords
			if got := attributesOf(t, records[1].Attributes); len(records) != 2 || got["wsprobe.name"] != clean(name) || got["static"] != clean(detail) {
				t.Errorf("%s has %v, want %v", codec, got, want)
			}
		}
		if text := write(shape.Text); !utf8.Valid(text) || strings.Count(string(text), "\n") != 1 {
			t.Errorf("a text is %q", text)
		}
	})
}

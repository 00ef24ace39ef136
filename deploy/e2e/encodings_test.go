package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-logfmt/logfmt"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// encodings are the codecs, each with the receiver of its stream, further settings, and software of others that reads
// its messages. The keys of what it reads are those of an event.
var encodings = map[string]struct {
	library  string
	settings map[string]any
	decode   func(t *testing.T, r *receiver) []map[string]any
}{
	"text":       {"ws", nil, decodeText},
	"json_lines": {"gorilla", map[string]any{"batch": batchOf20}, decodeJSON},
	"msgpack":    {"gobwas", map[string]any{"batch": batchOf20}, decodePython("msgpack")},
	"csv":        {"websocket", map[string]any{"batch": batchOf20}, decodePython("csv")},
	"logfmt":     {"tornado", map[string]any{"batch": batchOf20}, decodeLogfmt},
	"otlp_json": {"aiohttp", map[string]any{"batch": batchOf20}, decodeOTLP(func(text []byte) (plogotlp.ExportRequest, error) {
		request := plogotlp.NewExportRequest()
		return request, request.UnmarshalJSON(text)
	})},
	"otlp_protobuf": {"gws", map[string]any{"batch": batchOf20}, decodeOTLP(func(text []byte) (plogotlp.ExportRequest, error) {
		request := plogotlp.NewExportRequest()
		return request, request.UnmarshalProto(text)
	})},
}

var batchOf20 = map[string]any{"max_events": 20, "linger": "500ms"}

// compared are the fields that every encoding must have as JSON has them.
var compared = []string{"id", "event", "probe", "reason", "handshake_ms", "round_trip_ms", "connection_success"}

// TestEncodings sends the same events in every encoding, and has them read by software of others.
func TestEncodings(t *testing.T) {
	t.Parallel()
	w, got := newWitness(t), map[string]*receiver{}
	streams := []map[string]any{w.stream()}
	for codec, e := range encodings {
		got[codec] = newReceiver(t, e.library, "")
		encoding := map[string]any{"codec": codec}
		switch codec {
		case "csv":
			encoding["csv"] = map[string]any{"header": true, "fields": append(slices.Clone(compared), "detail", "labels")}
		case "text":
			encoding["template"] = "{{" + strings.Join(compared, "}}|{{") + "}}"
		}
		streams = append(streams, with(map[string]any{"name": codec, "url": "ws://" + got[codec].addr, "encoding": encoding}, e.settings))
	}
	probes := lab.NewEndpoint(t).Many(9)
	probes[0]["labels"] = map[string]string{"team": "größer, \"als\"\n"}
	probes = append(probes, map[string]any{"name": "closed", "url": "ws://" + closedPort(t) + "/"}, // its detail has spaces
		lab.Held("held", startTarget(t)))
	agent := startStreaming(t, probes, streams...)
	w.await(t, 80)
	stopAgent(t, agent.process)
	t.Run("schema", func(t *testing.T) { checkSchema(t, w.all()) })
	for codec, e := range encodings {
		t.Run(codec, func(t *testing.T) {
			byID := map[string]map[string]any{}
			for _, event := range e.decode(t, got[codec]) {
				byID[fmt.Sprint(event["id"])] = event
			}
			for _, want := range w.all() {
				event := byID[fmt.Sprint(want["id"])]
				for _, key := range compared {
					if a, b := plain(want[key]), plain(event[key]); event == nil || a != b {
						t.Fatalf("%s of %v is %q, want %q", key, want["id"], b, a)
					}
				}
			}
			t.Logf("%d events", len(byID))
		})
	}
}

// checkSchema lets a validator in Python compare all events with the schema of `wsprobe schema event`.
func checkSchema(t *testing.T, events []map[string]any) {
	t.Helper()
	schema := fileWith(t, "event.schema.json", "%s", wsprobe(t, 0, nil, "schema", "event"))
	var lines bytes.Buffer
	for _, e := range events {
		if err := json.NewEncoder(&lines).Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(needPython(t, "jsonschema"), servers(t, "validate.py"), schema)
	cmd.Stdin = &lines
	output, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(output)) != strconv.Itoa(len(events)) {
		t.Errorf("%v: %s", err, output)
	}
}

// plain is a value without its type, which not every encoding has.
func plain(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// decodeText splits a text at the signs that the template has between its fields.
func decodeText(t *testing.T, r *receiver) (all []map[string]any) {
	for _, m := range r.messages(t) {
		event := map[string]any{}
		for i, value := range strings.Split(strings.TrimSuffix(string(m.text), "\n"), "|") {
			event[compared[i]] = value
		}
		all = append(all, event)
	}
	return all
}

func decodeJSON(t *testing.T, r *receiver) (all []map[string]any) {
	for _, m := range r.messages(t) {
		decoder := json.NewDecoder(bytes.NewReader(m.text))
		for decoder.More() {
			var event map[string]any
			if err := decoder.Decode(&event); err != nil || m.binary {
				t.Fatalf("%v in %.200q (binary: %v)", err, m.text, m.binary)
			}
			all = append(all, event)
		}
	}
	return all
}

func decodePython(codec string) func(t *testing.T, r *receiver) []map[string]any {
	return func(t *testing.T, r *receiver) (all []map[string]any) {
		cmd := exec.Command(needPython(t, codec), servers(t, "decode.py"), codec, r.file)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		output, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, stderr.String())
		}
		decoder := json.NewDecoder(bytes.NewReader(output))
		for decoder.More() {
			var event map[string]any
			if err := decoder.Decode(&event); err != nil {
				t.Fatal(err)
			}
			all = append(all, event)
		}
		return all
	}
}

func decodeLogfmt(t *testing.T, r *receiver) (all []map[string]any) {
	for _, m := range r.messages(t) {
		lines := logfmt.NewDecoder(bytes.NewReader(m.text))
		for lines.ScanRecord() {
			event := map[string]any{}
			for lines.ScanKeyval() {
				event[string(lines.Key())] = string(lines.Value())
			}
			all = append(all, event)
		}
		if err := lines.Err(); err != nil {
			t.Fatalf("%v in %.200q", err, m.text)
		}
	}
	return all
}

// otlpKeys are the attributes of the compared fields. The kind of an event is the name of its record.
var otlpKeys = map[string]string{
	"id": "log.record.uid", "probe": "wsprobe.name", "reason": "wsprobe.reason", "handshake_ms": "wsprobe.handshake_latency",
	"round_trip_ms": "wsprobe.round_trip_latency", "connection_success": "wsprobe.connection_success",
}

func decodeOTLP(read func([]byte) (plogotlp.ExportRequest, error)) func(t *testing.T, r *receiver) []map[string]any {
	return func(t *testing.T, r *receiver) (all []map[string]any) {
		for _, m := range r.messages(t) {
			request, err := read(m.text)
			if err != nil {
				t.Fatalf("%v in %.200q", err, m.text)
			}
			for _, resource := range request.Logs().ResourceLogs().All() {
				for _, scope := range resource.ScopeLogs().All() {
					for _, record := range scope.LogRecords().All() {
						event := map[string]any{"event": strings.TrimPrefix(record.EventName(), "wsprobe.")}
						attributes := record.Attributes().AsRaw()
						for field, key := range otlpKeys {
							event[field] = attributes[key]
						}
						all = append(all, event)
					}
				}
			}
		}
		return all
	}
}

package config

import (
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/maintenance"
	"github.com/wsprobe/wsprobe/probe/session"
)

// written returns a value as one would write it in a file.
func written(f Field, pointer any) string {
	switch v := reflect.ValueOf(pointer).Elem().Interface().(type) {
	case time.Duration:
		if v == 0 && f.Min > 0 { // outside every range: it stands for nothing
			return ""
		}
		if f.Kind == Milliseconds {
			return fmt.Sprint(v.Milliseconds())
		}
		return v.String()
	case int64:
		if f.Kind == Size {
			return shortSize(v)
		}
		return fmt.Sprint(v)
	case int:
		if v == 0 { // outside every range: it stands for nothing
			return ""
		}
		return fmt.Sprint(v)
	case *maintenance.Schedule:
		if v == nil {
			return ""
		}
		return fmt.Sprint(v.Windows())
	case *url.URL:
		if v == nil {
			return ""
		}
		return v.String()
	case slog.Level:
		return strings.ToLower(v.String())
	case map[string]string, map[string]any, []string, []probe.Step, []session.Answer, map[string]connection:
		if reflect.ValueOf(v).Len() == 0 {
			return ""
		}
		return fmt.Sprint(v)
	default:
		return fmt.Sprint(v)
	}
}

// TestDefaults: the documented default of a field is the value it has in a file that does not mention it.
func TestDefaults(t *testing.T) {
	clearEnvironment(t)
	config, err := Load("testdata/good/minimal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	checkDefaults(t, agentSection, &config)
	checkDefaults(t, otlpSection, &config)
	checkDefaults(t, probeSection, &config.Probes[0])
	var thresholds health.Thresholds
	thresholdsSection.setDefaults(&thresholds)
	checkDefaults(t, thresholdsSection, &thresholds)
	var dwell health.Dwell
	dwellSection.setDefaults(&dwell)
	checkDefaults(t, dwellSection, &dwell)
	var auth authSettings
	authSection.setDefaults(&auth)
	checkDefaults(t, authSection, &auth)
	for _, section := range []*section[tlsSettings]{tlsSection, probeTLSSection} {
		var settings tlsSettings
		section.setDefaults(&settings)
		checkDefaults(t, section, &settings)
	}
	var spooling Config // in memory the default is another one
	spoolSection.setDefaults(&spooling)
	checkDefaults(t, spoolSection, &spooling)
	checkDefaultsOfStream(t)
	if config.OTLP.TLS != nil {
		t.Error("TLS for an http:// endpoint")
	}
}

// checkDefaultsOfStream checks those that the sections of a stream fill in.
func checkDefaultsOfStream(t *testing.T) {
	t.Helper()
	var entry streamEntry
	streamSection.setDefaults(&entry)
	checkDefaults(t, streamSection, &entry)
	encodingSection.setDefaults(&entry.Encoding)
	csvSection.setDefaults(&entry.Encoding)
	checkDefaults(t, encodingSection, &entry.Encoding)
	checkDefaults(t, csvSection, &entry.Encoding)
	batchSection.setDefaults(&entry.Batch)
	checkDefaults(t, batchSection, &entry.Batch)
	checkDefaults(t, streamReconnectSection, &session.Reconnect{Min: session.DefaultReconnectMin, Max: session.DefaultReconnectMax})
}

func checkDefaults[T any](t *testing.T, s *section[T], from *T) {
	t.Helper()
	for _, f := range s.fields {
		if !f.value.kept() || f.Required || f.Kind == Section {
			continue
		}
		got, want := written(f.Field, f.value.at(from)), f.Default
		if f.Kind == Duration && want != "" {
			d, err := time.ParseDuration(want)
			if err != nil {
				t.Errorf("%s: default %q: %v", f.Path, want, err)
			}
			want = d.String()
		}
		if got != want {
			t.Errorf("%s: a minimal file gives %q, documented is %q", f.Path, got, want)
		}
	}
}

// TestFieldsAreThoseOfTheSpec holds the table to the limits and defaults of package probe.
func TestFieldsAreThoseOfTheSpec(t *testing.T) {
	fields := map[string]Field{}
	for _, f := range Fields() {
		if _, twice := fields[f.Path]; twice {
			t.Errorf("%s is there twice", f.Path)
		}
		fields[f.Path] = f
		if f.Doc == "" || strings.HasSuffix(f.Doc, ".") || strings.Contains(f.Doc, "\n") {
			t.Errorf("%s: documented by %q, want a phrase", f.Path, f.Doc)
		}
	}
	for path, want := range map[string]string{
		"probes[].timeout_ms":     "100 to 30000",
		"probes[].interval":       "1s to 24h",
		"probes[].name":           "1 to 128 characters",
		"probes[].protocols":      "at most 16",
		"probes[].interpretation": "handshake_latency, round_trip_latency, connection_success",
		"agent.location":          "at most 256 characters",
		"agent.max_concurrent":    "1 to 100000",
		"agent.max_sessions":      "1 to 1000000",
		"probes[].url":            "",
		"otlp.spool.max_bytes":    "64KiB to 1TiB",
		"otlp.spool.max_age":      "1s to 8760h",
	} {
		if got := fields[path].Range(); got != want {
			t.Errorf("range of %s: %q, want %q", path, got, want)
		}
	}
	if got, want := fields["probes[].timeout_ms"].Default, fmt.Sprint(probe.DefaultTimeout.Milliseconds()); got != want {
		t.Errorf("default of timeout_ms: %s, want %s", got, want)
	}
	if got := fields["otlp.tls.ca_file"]; got.Env != "WSPROBE_OTLP_TLS_CA_FILE" || got.Key() != "ca_file" {
		t.Errorf("otlp.tls.ca_file: variable %s, key %s", got.Env, got.Key())
	}
	// Every field of a Spec that a person may set has a key, and every key a field.
	checkNames(t, probeSection, reflect.TypeFor[probe.Spec]())
	checkNames(t, stepSection, reflect.TypeFor[probe.Step]())
	checkNames(t, sessionSection, reflect.TypeFor[session.Spec]())
	checkNames(t, heartbeatSection, reflect.TypeFor[session.Heartbeat]())
	checkNames(t, answerSection, reflect.TypeFor[session.Answer]())
	checkNames(t, reconnectSection, reflect.TypeFor[session.Reconnect]())
}

// checkNames holds the fields of a section to those of the type that its faults are about.
func checkNames[T any](t *testing.T, s *section[T], of reflect.Type) {
	for _, f := range s.fields {
		if _, ok := of.FieldByName(f.spec); f.spec != "" && !ok {
			t.Errorf("%s: %v has no field %s", f.Path, of, f.spec)
		}
	}
}

// TestDefaultsOfASession: the documented defaults are those that package session fills in.
func TestDefaultsOfASession(t *testing.T) {
	s := loadProbes(t, probeWith("session: {ping_interval: 1m, heartbeat: {send: x}, max_lifetime: 1h}"))["a"].Session
	s.PingInterval, s.MaxLifetime, s.Heartbeat.Send = 0, 0, ""
	checkDefaults(t, sessionSection, s)
	checkDefaults(t, heartbeatSection, s.Heartbeat)
	checkDefaults(t, reconnectSection, &s.Reconnect)
}

func TestSuggest(t *testing.T) {
	for word, want := range map[string]string{
		"timeout": "timeout_ms", "Timeout_MS": "timeout_ms", "timeoutms": "timeout_ms", "timeout_sm": "timeout_ms",
		"message": "send_message", "expect": "expect_message", "uri": "url", "header": "headers", "lables": "labels",
		"": "", "x": "", "description": "", strings.Repeat("timeout_ms", 1000): "",
	} {
		if got := suggest(word, probeSection.keys()); got != want {
			t.Errorf("suggest(%.20q) = %q, want %q", word, got, want)
		}
	}
	interpretations := []string{"handshake_latency", "round_trip_latency", "connection_success"}
	for word, want := range map[string]string{
		"roundtrip_latency": "round_trip_latency", "Round Trip": "round_trip_latency", "handshake": "handshake_latency",
		"connection_sucess": "connection_success", "latency": "", "": "", "co": "", strings.Repeat("x", 1_000_000): "",
	} {
		if got := suggestChoice(word, interpretations); got != want {
			t.Errorf("suggestChoice(%.20q) = %q, want %q", word, got, want)
		}
	}
}

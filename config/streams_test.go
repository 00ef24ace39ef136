package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/probe/shape"
)

// streamWith is a file with one stream, of these fields.
func streamWith(fields ...string) string {
	all := []string{"name: s", "url: 'wss://h/'"}
	for _, f := range fields {
		if key, _, _ := strings.Cut(f, ":"); key == "name" || key == "url" {
			all = append(all[:0:0], all...)
			for i := range all {
				if strings.HasPrefix(all[i], key+":") {
					all[i] = f
				}
			}
		} else if f != "" {
			all = append(all, f)
		}
	}
	return "probes: [{name: a, url: 'wss://h/', labels: {team: core}}]\nstreams: [{" + strings.Join(all, ", ") + "}]"
}

func loadStream(t *testing.T, variables map[string]string, fields ...string) Stream {
	t.Helper()
	config, err := loadWith(t, streamWith(fields...), variables)
	if err != nil {
		t.Fatal(err)
	}
	return config.Streams[0]
}

// TestStream: a stream has its fields and defaults, and nothing of the defaults block.
func TestStream(t *testing.T) {
	clearEnvironment(t)
	config, err := Load("testdata/good/streams.yaml")
	if err != nil {
		t.Fatal(err)
	}
	least, full := config.Streams[0], config.Streams[1]
	least.Opening.UserAgent, least.Digest = "", Digest{}
	want := Stream{
		Name: "wall.example.com", Timeout: 10 * time.Second,
		Encoding:     Encoding{Codec: "json", TimestampFormat: "rfc3339", DateKey: "timestamp", CSVDelimiter: ","},
		Batch:        Batch{MaxEvents: 1, MaxBytes: 1 << 20, Linger: time.Second},
		PingInterval: 30 * time.Second, PingTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, Acknowledgements: "pong", AckPath: "id",
		Buffer:  StreamBuffer{Type: "memory", MaxEvents: 10_000, MaxSize: 16 << 20, WhenFull: "drop_oldest"},
		Workers: 1, Reconnect: session.Reconnect{Min: 500 * time.Millisecond, Max: time.Minute}, Drain: 2 * time.Second, HealthCheck: "log",
	}
	want.Opening.URL, want.Opening.Compression, want.Opening.IPVersion = "wss://wall.example.com/in", "off", "any"
	if !reflect.DeepEqual(least, want) {
		t.Errorf("a stream with a URL alone is\n%+v, want\n%+v", least, want)
	}
	o := full.Opening
	if o.URL != "wss://lake.example.com:8443/v1?key=abc" || o.Headers["X-Team"] != "core" || len(o.Headers) != 1 || o.Authorize == nil || o.TLS.ServerName != "lake.example.com" ||
		o.Protocols[0] != "events.v1" || o.ExpectProtocol != "events.v1" || o.Proxy.Host != "proxy.example.com:3128" || o.Compression != "on" || o.ConnectTo != "10.0.0.1:443" || o.IPVersion != "4" {
		t.Errorf("the way to the endpoint is %+v", o)
	}
	if full.ShownURL() != "wss://lake.example.com:8443/v1?[redacted]" {
		t.Errorf("the URL is shown as %s", full.ShownURL())
	}
	if want := (Selection{Probes: []string{"feed-*", "*-b"}, Labels: map[string]string{"team": "core"}, Reasons: []string{"ok", "ws_open_failed"}, Changes: true}); !reflect.DeepEqual(full.Select, want) {
		t.Errorf("the selection is %+v", full.Select)
	}
	if want := (StreamBuffer{Type: "disk", Dir: "/var/lib/wsprobe/lake", MaxEvents: 1_000_000, MaxSize: 1 << 30, WhenFull: "drop_newest"}); full.Buffer != want {
		t.Errorf("the buffer is %+v", full.Buffer)
	}
	if full.Timeout != 5*time.Second || full.Workers != 4 || full.AckPath != "data.ids" || full.Encoding.Rename["probe"] != "monitor" || !full.Ready || full.Drain != 5*time.Second {
		t.Errorf("the stream is %+v", full)
	}
	for i, name := range []string{"csv", "text", "alias", "merged"} {
		if got := config.Streams[i+2]; got.Name != name {
			t.Errorf("stream %d is %s", i+2, got.Name)
		}
	}
	if got := config.Streams[4]; got.Reconnect.Max != 5*time.Minute || got.Encoding.Rename["probe"] != "monitor" {
		t.Errorf("the stream with an alias is %+v", got)
	}
	if got := config.Streams[5]; got.Encoding.Codec != "msgpack" || got.Buffer.MaxSize != 256<<20 || got.Buffer.MaxEvents != 0 {
		t.Errorf("the stream with a merge key is %+v", got)
	}
	if want := []string{"https://wall.example.com", "http://localhost:8080"}; !reflect.DeepEqual(config.Agent.Origins, want) {
		t.Errorf("the origins are %q", config.Agent.Origins)
	}
}

// TestOrigins: an origin is kept as a browser sends it.
func TestOrigins(t *testing.T) {
	for text, want := range map[string]string{
		"https://Wall.Example.com": "https://wall.example.com", "https://a/": "https://a", "https://a:443": "https://a", "http://a:80": "http://a",
		"http://a:443": "http://a:443", "http://[::1]:3000": "http://[::1]:3000", "chrome-extension://abc": "chrome-extension://abc",
		"a": "", "*": "", "null": "", "https://a/b": "", "https://a?b": "", "https://u@a": "", "https://*.a": "", "https://": "", "": "", "//a": "",
	} {
		if got, problem := originOf(text); got != want || (problem == "") != (want != "") {
			t.Errorf("%q is %q (%s), want %q", text, got, problem, want)
		}
	}
}

// TestSecretsOfStreams: what is put into a stream is no part of what is shown, and a digest knows a secret by its
// reference.
func TestSecretsOfStreams(t *testing.T) {
	for fields, rotates := range map[string]bool{
		"headers: {Authorization: 'Bearer ${env:V}'}": true, "auth: {strategy: bearer, token: '${env:V}'}": true, "url: 'wss://h/${env:V}/in?k=${env:V}'": true,
		"proxy_url: 'http://u:${env:V}@p'": true, "protocols: ['${env:V}']": true, "encoding: {static: {key: '${env:V}'}}": true,
		"name: '${env:V}'": false, "encoding: {rename: {probe: '${env:V}'}}": false, "buffer: {type: disk, dir: '/${env:V}'}": false, "url: 'wss://${env:V}/in'": false,
	} {
		one := loadStream(t, map[string]string{"V": "swordfish"}, fields)
		other := loadStream(t, map[string]string{"V": "pufferfish"}, fields)
		if (one.Digest == other.Digest) != rotates {
			t.Errorf("%s: another content makes another digest: %v, want %v", fields, one.Digest != other.Digest, !rotates)
		}
		if rotates && strings.Contains(one.ShownURL(), "swordfish") {
			t.Errorf("%s: shown as %s", fields, one.ShownURL())
		}
		if sent := !strings.HasPrefix(fields, "proxy_url"); rotates && sent && !strings.Contains(strings.Join(one.Opening.Secrets, " "), "swordfish") {
			t.Errorf("%s: the secrets are %q", fields, one.Opening.Secrets)
		}
	}
}

// TestCredentialsOfStreams: a file of a token is read at each open, and `check` tells of one that cannot be read.
func TestCredentialsOfStreams(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	config, err := loadWith(t, streamWith("auth: {strategy: bearer, token_file: "+token+"}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	faults := config.TryCredentials(t.Context())
	if len(faults) != 1 || faults[0].Path != "streams[0].auth.token_file" || !strings.HasPrefix(faults[0].Problem, "an open would fail now: ") {
		t.Errorf("without the file: %v", faults)
	}
	for _, content := range []string{"one", "other"} {
		if err := os.WriteFile(token, []byte(content+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := config.Streams[0].Opening.Authorize(t.Context()); got != "Bearer "+content || err != nil {
			t.Errorf("got %q (%v), want %q", got, err, content)
		}
	}
	if faults := config.TryCredentials(t.Context()); faults != nil {
		t.Errorf("with the file: %v", faults)
	}
}

// TestProxyOfStreams: the proxy of the environment holds where a stream has none of its own.
func TestProxyOfStreams(t *testing.T) {
	variables := map[string]string{"HTTPS_PROXY": "http://proxy.example.com:3128", "NO_PROXY": "h2"}
	if got := loadStream(t, variables).Opening.Proxy; got == nil || got.Host != "proxy.example.com:3128" {
		t.Errorf("the proxy is %v", got)
	}
	for _, fields := range []string{"proxy_url: ''", "url: 'wss://h2/'", "url: 'ws://h/'"} {
		if got := loadStream(t, variables, fields).Opening.Proxy; got != nil {
			t.Errorf("%s: the proxy is %v", fields, got)
		}
	}
}

// TestStreamsWithoutSecrets: references are taken for right wherever they stand.
func TestStreamsWithoutSecrets(t *testing.T) {
	const file = `
agent: {origins: ["https://${env:WALL}"]}
probes: [{name: a, url: wss://example.com/}]
streams:
  - url: ${env:URL}
  - url: wss://${env:HOST}/${env:KEY}
    headers: {A: "${env:A}"}
    auth: {strategy: basic, user: "${env:U}", password: "${env:P}"}
    tls: {ca_file: missing.pem}
    probes: ["${env:P}"]
    labels: {a: "${env:A}"}
    reasons: ["${env:R}"]
    encoding: {codec: "${env:CODEC}", only_fields: ["${env:F}"], static: {a: "${env:A}"}, template: "${env:T}"}
    batch: {max_events: "${env:N}"}
    ping_interval: ${env:I}
    acknowledgements: ${env:ACK}
    acknowledgement_path: ${env:PATH}
    buffer: {type: disk, dir: "${env:DIR}", max_size: "${env:S}MiB"}
  - {name: "${env:N}", url: "wss://${env:HOST}/", buffer: {type: disk, dir: "${env:DIR}"}}
  - {name: "${env:N}", url: "wss://${env:HOST}/", encoding: {codec: csv, csv: {fields: ["${env:F}", id], delimiter: "${env:D}"}}}
  - {name: text, url: "wss://h/", encoding: {codec: text, template: "${env:T} {{probe}}"}}
`
	if got := checkBlind(t, file); got != "" {
		t.Error(got)
	}
	if got := checkBlind(t, streamWith("encoding: {only_fields: [nothing, '${env:F}']}")); !strings.Contains(got, "only_fields[0]: must be a field of an event") {
		t.Errorf("got %q", got)
	}
}

// streamChanges are two values of every field of a stream, with what else they need.
var streamChanges = map[string]struct{ needs, one, other string }{
	"name": {"", "", "name: b"}, "url": {"", "", "url: 'wss://h/a'"}, "headers": {"", "", "headers: {A: b}"}, "protocols": {"", "", "protocols: [a]"},
	"expect_protocol": {"protocols: [a]", "", "expect_protocol: a"}, "proxy_url": {"", "", "proxy_url: 'http://p:1'"}, "compression": {"", "", "compression: on"},
	"connect_to": {"", "", "connect_to: 'h:1'"}, "ip_version": {"", "", "ip_version: 4"}, "timeout_ms": {"", "", "timeout_ms: 500"},
	"probes": {"", "", "probes: [a]"}, "labels": {"", "", "labels: {team: core}"}, "reasons": {"", "", "reasons: [ok]"}, "events": {"", "", "events: changes"},
	"ping_interval": {"", "", "ping_interval: 1s"}, "ping_timeout": {"", "", "ping_timeout: 1s"}, "write_timeout": {"", "", "write_timeout: 1s"},
	"acknowledgements": {"", "", "acknowledgements: written"}, "acknowledgement_path": {"acknowledgements: message", "", "acknowledgement_path: a"},
	"workers": {"", "", "workers: 2"}, "drain": {"", "", "drain: 1s"}, "health_check": {"", "", "health_check: off"}, "ready": {"", "", "ready: true"},
	"encoding.codec": {"", "", "encoding: {codec: msgpack}"}, "encoding.only_fields": {"", "", "encoding: {only_fields: [id]}"},
	"encoding.except_fields": {"", "", "encoding: {except_fields: [id]}"}, "encoding.rename": {"", "", "encoding: {rename: {id: a}}"},
	"encoding.static": {"", "", "encoding: {static: {a: b}}"}, "encoding.timestamp_format": {"", "", "encoding: {timestamp_format: unix}"},
	"encoding.date_key":      {"", "", "encoding: {date_key: a}"},
	"encoding.csv.fields":    {"", "encoding: {codec: csv, csv: {fields: [id]}}", "encoding: {codec: csv, csv: {fields: [id, event]}}"},
	"encoding.csv.header":    {"", "encoding: {codec: csv, csv: {fields: [id]}}", "encoding: {codec: csv, csv: {fields: [id], header: true}}"},
	"encoding.csv.delimiter": {"", "encoding: {codec: csv, csv: {fields: [id]}}", "encoding: {codec: csv, csv: {fields: [id], delimiter: ;}}"},
	"encoding.template":      {"", "encoding: {codec: text, template: a}", "encoding: {codec: text, template: b}"},
	"batch.max_events":       {"", "", "batch: {max_events: 2}"}, "batch.max_bytes": {"", "", "batch: {max_bytes: 2KiB}"}, "batch.linger": {"", "batch: {max_events: 2}", "batch: {max_events: 2, linger: 2s}"},
	"buffer.type": {"", "", "buffer: {type: disk, dir: a}"}, "buffer.dir": {"", "buffer: {type: disk, dir: a}", "buffer: {type: disk, dir: b}"},
	"buffer.max_events": {"", "", "buffer: {max_events: 5}"}, "buffer.max_size": {"", "", "buffer: {max_size: 1MiB}"}, "buffer.when_full": {"", "", "buffer: {when_full: drop_newest}"},
	"reconnect.min": {"", "", "reconnect: {min: 1s}"}, "reconnect.max": {"", "", "reconnect: {max: 2m}"},
}

// TestDigestOfStreamsHasEveryField: whatever field of a stream is changed, it becomes another stream.
func TestDigestOfStreamsHasEveryField(t *testing.T) {
	for _, f := range Fields() {
		key, ofStream := strings.CutPrefix(f.Path, "streams[].")
		if !ofStream || f.Kind == Section {
			continue
		}
		change, known := streamChanges[key]
		if ofProbe, shared := fieldChanges[key]; !known && shared { // of tls and auth
			change, known = ofProbe, true
		}
		if !known {
			t.Errorf("streamChanges has no two values of %s", key)
			continue
		}
		variables := map[string]string{"ONE": "swordfish", "OTHER": "swordfish"}
		one := loadStream(t, variables, change.needs, change.one)
		if other := loadStream(t, variables, change.needs, change.other); one.Digest == other.Digest || one.Digest == (Digest{}) {
			t.Errorf("%s: %q and %q have the same digest", key, change.one, change.other)
		}
	}
	written := "timeout_ms: 10000, events: all, encoding: {codec: json, date_key: timestamp}, batch: {max_events: 1, max_bytes: 1024KiB}, ping_interval: 30000ms, " +
		"buffer: {type: memory, max_events: 10000, max_size: 16MiB}, reconnect: {max: 60s}, tls: {min_version: '1.2'}, auth: {strategy: none}, headers: {}"
	if loadStream(t, nil, written).Digest != loadStream(t, nil).Digest {
		t.Error("defaults that are written make another stream")
	}
}

// TestEventWords: every word of others leads to fields that are there, and hides none.
func TestEventWords(t *testing.T) {
	for word, meant := range eventWords {
		for field := range strings.SplitSeq(meant, " or ") {
			if !shape.Known(field) || shape.Known(word) {
				t.Errorf("%s leads to %s", word, field)
			}
		}
		if bareKey.Replace(strings.ToLower(word)) != word {
			t.Errorf("%s is never found", word)
		}
	}
}

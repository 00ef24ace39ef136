package config

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// digestOf returns the digest of the first probe of a file.
func digestOf(t *testing.T, file string, variables map[string]string) Digest {
	t.Helper()
	config, err := loadWith(t, file, variables)
	if err != nil {
		t.Fatal(err)
	}
	if config.Probes[0].Digest == (Digest{}) {
		t.Fatal("no digest")
	}
	return config.Probes[0].Digest
}

const encryptedKey = "tls: {cert_file: testdata/tls/cert.pem, key_file: testdata/tls/key-encrypted.pem, key_password: "

// fieldChanges are two values of every field of a probe, with what else they need.
var fieldChanges = map[string]struct{ needs, one, other string }{
	"name":                                {"url: 'wss://h/'", "name: a", "name: b"},
	"url":                                 {"name: a", "url: 'wss://h/a?b'", "url: 'wss://h/a?c'"},
	"interval":                            {"", "", "interval: 61s"},
	"interpretation":                      {"", "", "interpretation: connection_success"},
	"timeout_ms":                          {"", "", "timeout_ms: 10001"},
	"ping_mode":                           {"interpretation: round_trip_latency", "send_message: x", "ping_mode: frame"},
	"send_message":                        {"interpretation: round_trip_latency", "send_message: x", "send_message: y"},
	"expect_message":                      {"interpretation: round_trip_latency, send_message: x", "", "expect_message: y"},
	"expect_pattern":                      {"interpretation: round_trip_latency, send_message: x", "", "expect_pattern: y"},
	"expect_json":                         {"interpretation: round_trip_latency, send_message: x", "expect_json: {a: '1'}", "expect_json: {a: 1}"},
	"exchange":                            {"interpretation: round_trip_latency", "send_message: x", "exchange: [{send: x, expect: ''}]"},
	"exchange[].send":                     {"", "exchange: [{send: x, expect: y}]", "exchange: [{send: y, expect: y}]"},
	"exchange[].expect":                   {"", "exchange: [{expect: y}]", "exchange: [{expect: z}]"},
	"exchange[].expect_pattern":           {"", "exchange: [{expect_pattern: y}]", "exchange: [{expect: y}]"},
	"exchange[].expect_json":              {"", "exchange: [{expect_json: {a: b}}]", "exchange: [{expect_json: {b: b}}]"},
	"exchange[].timeout_ms":               {"", "exchange: [{expect: y}]", "exchange: [{expect: y, timeout_ms: 10}]"},
	"exchange[].measure":                  {"", "exchange: [{send: x, expect: y}, {send: x, expect: y, measure: true}]", "exchange: [{send: x, expect: y, measure: true}, {send: x, expect: y}]"},
	"message_format":                      {"interpretation: round_trip_latency, send_message: '00aa'", "message_format: hex", "message_format: base64"},
	"protocols":                           {"", "protocols: [a, b]", "protocols: [b, a]"},
	"expect_protocol":                     {"protocols: [a, b]", "", "expect_protocol: a"},
	"headers":                             {"", "headers: {A: b}", "headers: {A: c}"},
	"expect_status":                       {"", "", "expect_status: 401"},
	"stay_open_ms":                        {"", "", "stay_open_ms: 10"},
	"connect_to":                          {"", "", "connect_to: 'h:443'"},
	"proxy_url":                           {"", "proxy_url: 'http://u:a@p:1'", "proxy_url: 'http://u:b@p:1'"},
	"ip_version":                          {"", "", "ip_version: 4"},
	"auth.strategy":                       {"", "", "auth: {strategy: bearer, token: a}"},
	"auth.user":                           {"", "auth: {strategy: basic, user: a, password: b}", "auth: {strategy: basic, user: b, password: b}"},
	"auth.password":                       {"", "auth: {strategy: basic, user: a, password: b}", "auth: {strategy: basic, user: a, password: c}"},
	"auth.password_file":                  {"", "auth: {strategy: basic, user: a, password_file: b}", "auth: {strategy: basic, user: a, password_file: c}"},
	"auth.token":                          {"", "auth: {strategy: bearer, token: a}", "auth: {strategy: bearer, token: b}"},
	"auth.token_file":                     {"", "auth: {strategy: bearer, token_file: a}", "auth: {strategy: bearer, token_file: b}"},
	"prepare":                             {"", "", "prepare: {url: /a}"},
	"prepare.method":                      {"", "prepare: {url: /a}", "prepare: {url: /a, method: POST}"},
	"prepare.url":                         {"", "prepare: {url: /a}", "prepare: {url: /b}"},
	"prepare.headers":                     {"", "prepare: {url: /a, headers: {A: b}}", "prepare: {url: /a, headers: {A: c}}"},
	"prepare.body":                        {"", "prepare: {url: /a, body: b}", "prepare: {url: /a, body: c}"},
	"prepare.expect_status":               {"", "prepare: {url: /a}", "prepare: {url: /a, expect_status: 204}"},
	"prepare.capture":                     {"", "prepare: {url: /a}", "prepare: {url: /a, capture: {a: {json: b}}}"},
	"prepare.capture.NAME.json":           {"", "prepare: {url: /a, capture: {a: {json: b}}}", "prepare: {url: /a, capture: {a: {json: c}}}"},
	"prepare.capture.NAME.pattern":        {"", "prepare: {url: /a, capture: {a: {pattern: (b)}}}", "prepare: {url: /a, capture: {a: {pattern: (c)}}}"},
	"prepare.capture.NAME.header":         {"", "prepare: {url: /a, capture: {a: {header: b}}}", "prepare: {url: /a, capture: {a: {header: c}}}"},
	"prepare.capture.NAME.cookie":         {"", "prepare: {url: /a, capture: {a: {cookie: b}}}", "prepare: {url: /a, capture: {a: {cookie: c}}}"},
	"auth.token_url":                      {"", "auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: b}", "auth: {strategy: oauth2, token_url: 'https://j/', client_id: a, client_secret: b}"},
	"connections.NAME.auth.token_url":     {"exchange: [{send: a, on: s}]", "connections: {s: {auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: b}}}", "connections: {s: {auth: {strategy: oauth2, token_url: 'https://j/', client_id: a, client_secret: b}}}"},
	"auth.client_id":                      {"", "auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: b}", "auth: {strategy: oauth2, token_url: 'https://i/', client_id: c, client_secret: b}"},
	"connections.NAME.auth.client_id":     {"exchange: [{send: a, on: s}]", "connections: {s: {auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: b}}}", "connections: {s: {auth: {strategy: oauth2, token_url: 'https://i/', client_id: c, client_secret: b}}}"},
	"auth.client_secret":                  {"", "auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: b}", "auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: c}"},
	"connections.NAME.auth.client_secret": {"exchange: [{send: a, on: s}]", "connections: {s: {auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: b}}}", "connections: {s: {auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: c}}}"},
	"auth.client_secret_file":             {"", "auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret_file: b}", "auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret_file: c}"},
	"connections.NAME.auth.client_secret_file": {"exchange: [{send: a, on: s}]", "connections: {s: {auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret_file: b}}}", "connections: {s: {auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret_file: c}}}"},
	"auth.scopes":                       {"", "auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: b}", "auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: b, scopes: [x]}"},
	"connections.NAME.auth.scopes":      {"exchange: [{send: a, on: s}]", "connections: {s: {auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: b}}}", "connections: {s: {auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: b, scopes: [x]}}}"},
	"auth.audience":                     {"", "auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: b}", "auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: b, audience: x}"},
	"connections.NAME.auth.audience":    {"exchange: [{send: a, on: s}]", "connections: {s: {auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: b}}}", "connections: {s: {auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: b, audience: x}}}"},
	"auth.client_auth":                  {"", "auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: b}", "auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: b, client_auth: post}"},
	"connections.NAME.auth.client_auth": {"exchange: [{send: a, on: s}]", "connections: {s: {auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: b}}}", "connections: {s: {auth: {strategy: oauth2, token_url: 'https://i/', client_id: a, client_secret: b, client_auth: post}}}"},
	"tls.ca_file":                       {"", "", "tls: {ca_file: testdata/tls/cert.pem}"},
	"tls.cert_file":                     {"", "", "tls: {cert_file: testdata/tls/cert.pem, key_file: testdata/tls/key.pem}"},
	"tls.key_file":                      {"", "tls: {cert_file: testdata/tls/cert.pem, key_file: testdata/tls/key.pem}", "tls: {cert_file: testdata/tls/cert.pem, key_file: ./testdata/tls/key.pem}"},
	// Two references to the same password.
	"tls.key_password":                    {"", encryptedKey + "'${env:ONE}'}", encryptedKey + "'${env:OTHER}'}"},
	"tls.server_name":                     {"", "", "tls: {server_name: b}"},
	"tls.insecure_skip_verify":            {"", "", "tls: {insecure_skip_verify: true}"},
	"tls.verify_hostname":                 {"", "", "tls: {verify_hostname: false}"},
	"tls.min_version":                     {"", "", "tls: {min_version: '1.3'}"},
	"tls.alpn":                            {"", "", "tls: {alpn: []}"},
	"exchange[].on":                       {"", "exchange: [{send: a}]", "exchange: [{send: a, on: s}]"},
	"connections":                         {"exchange: [{send: a, on: s}]", "connections: {}", "connections: {s: {url: 'ws://a/'}}"},
	"connections.NAME.url":                {"exchange: [{send: a, on: s}]", "connections: {s: {url: 'ws://a/'}}", "connections: {s: {url: 'ws://b/'}}"},
	"connections.NAME.headers":            {"exchange: [{send: a, on: s}]", "connections: {s: {headers: {A: b}}}", "connections: {s: {headers: {A: c}}}"},
	"connections.NAME.protocols":          {"exchange: [{send: a, on: s}]", "connections: {s: {protocols: [a]}}", "connections: {s: {protocols: [b]}}"},
	"connections.NAME.auth.strategy":      {"exchange: [{send: a, on: s}]", "connections: {s: {}}", "connections: {s: {auth: {strategy: none}}}"},
	"connections.NAME.auth.user":          {"exchange: [{send: a, on: s}]", "connections: {s: {auth: {strategy: basic, user: a, password: p}}}", "connections: {s: {auth: {strategy: basic, user: b, password: p}}}"},
	"connections.NAME.auth.password":      {"exchange: [{send: a, on: s}]", "connections: {s: {auth: {strategy: basic, user: a, password: p}}}", "connections: {s: {auth: {strategy: basic, user: a, password: q}}}"},
	"connections.NAME.auth.password_file": {"exchange: [{send: a, on: s}]", "connections: {s: {auth: {strategy: basic, user: a, password_file: p}}}", "connections: {s: {auth: {strategy: basic, user: a, password_file: q}}}"},
	"connections.NAME.auth.token":         {"exchange: [{send: a, on: s}]", "connections: {s: {auth: {strategy: bearer, token: p}}}", "connections: {s: {auth: {strategy: bearer, token: q}}}"},
	"connections.NAME.auth.token_file":    {"exchange: [{send: a, on: s}]", "connections: {s: {auth: {strategy: bearer, token_file: p}}}", "connections: {s: {auth: {strategy: bearer, token_file: q}}}"},
	"compression":                         {"", "", "compression: 'on'"},
	"max_message_bytes":                   {"", "", "max_message_bytes: 1"},
	"thresholds.healthy":                  {"", "", "thresholds: {healthy: '< 200'}"},
	"thresholds.unhealthy":                {"", "thresholds: {unhealthy: '> 200'}", "thresholds: {unhealthy: '> 201'}"},
	"dwell.breach":                        {"thresholds: {healthy: '< 200'}", "", "dwell: {breach: 1s}"},
	"dwell.recover":                       {"thresholds: {healthy: '< 200'}", "dwell: {recover: 2s}", "dwell: {recover: 1s}"},
	"labels":                              {"", "labels: {a: b}", "labels: {a: c}"},

	"session.ping_interval":                    {"", "session: {ping_interval: 1s}", "session: {ping_interval: 2s}"},
	"session.ping_timeout":                     {"", "session: {ping_interval: 1s}", "session: {ping_interval: 1s, ping_timeout: 2s}"},
	"session.heartbeat.send":                   {"", "session: {heartbeat: {send: x}}", "session: {heartbeat: {send: y}}"},
	"session.heartbeat.expect":                 {"", "session: {heartbeat: {send: x}}", "session: {heartbeat: {send: x, expect: y}}"},
	"session.heartbeat.expect_pattern":         {"", "session: {heartbeat: {send: x, expect: y}}", "session: {heartbeat: {send: x, expect_pattern: y}}"},
	"session.heartbeat.expect_json":            {"", "session: {heartbeat: {send: x, expect_json: {a: 1}}}", "session: {heartbeat: {send: x, expect_json: {a: '1'}}}"},
	"session.heartbeat.steps":                  {"", "session: {heartbeat: {steps: [{send: x, expect: y}]}}", "session: {heartbeat: {steps: [{send: x, expect: y}, {send: z}]}}"},
	"session.heartbeat.steps[].on":             {"", "session: {heartbeat: {steps: [{send: x, expect: y}]}}", "session: {heartbeat: {steps: [{send: x, expect: y, on: a}]}}"},
	"session.heartbeat.steps[].send":           {"", "session: {heartbeat: {steps: [{send: x, expect: y}]}}", "session: {heartbeat: {steps: [{send: z, expect: y}]}}"},
	"session.heartbeat.steps[].expect":         {"", "session: {heartbeat: {steps: [{send: x, expect: y}]}}", "session: {heartbeat: {steps: [{send: x, expect: z}]}}"},
	"session.heartbeat.steps[].expect_pattern": {"", "session: {heartbeat: {steps: [{send: x, expect: y}]}}", "session: {heartbeat: {steps: [{send: x, expect_pattern: y}]}}"},
	"session.heartbeat.steps[].expect_json":    {"", "session: {heartbeat: {steps: [{send: x, expect: y}]}}", "session: {heartbeat: {steps: [{send: x, expect_json: {y: 1}}]}}"},
	"session.heartbeat.steps[].measure":        {"", "session: {heartbeat: {steps: [{send: x, expect: y}]}}", "session: {heartbeat: {steps: [{send: x, expect: y, measure: true}]}}"},
	"session.heartbeat.interval":               {"", "session: {heartbeat: {send: x}}", "session: {heartbeat: {send: x, interval: 29s}}"},
	"session.heartbeat.timeout_ms":             {"", "session: {heartbeat: {send: x}}", "session: {heartbeat: {send: x, timeout_ms: 200}}"},
	"session.answers":                          {"", "session: {}", "session: {answers: [{expect: x, send: y}]}"},
	"session.answers[].expect":                 {"", "session: {answers: [{expect: x, send: y}]}", "session: {answers: [{expect: z, send: y}]}"},
	"session.answers[].expect_pattern":         {"", "session: {answers: [{expect: x, send: y}]}", "session: {answers: [{expect_pattern: x, send: y}]}"},
	"session.answers[].expect_json":            {"", "session: {answers: [{expect_json: {a: b}, send: y}]}", "session: {answers: [{expect_json: {a: c}, send: y}]}"},
	"session.answers[].send":                   {"", "session: {answers: [{expect: x, send: y}]}", "session: {answers: [{expect: x, send: z}]}"},
	"session.expect":                           {"", "session: {}", "session: {expect: x}"},
	"session.expect_pattern":                   {"", "session: {expect: x}", "session: {expect_pattern: x}"},
	"session.expect_json":                      {"", "session: {expect_json: {a: b}}", "session: {expect_json: {b: b}}"},
	"session.max_silence":                      {"", "session: {}", "session: {max_silence: 1m}"},
	"session.sequence":                         {"", "session: {}", "session: {sequence: a.b}"},
	"session.sent_at":                          {"", "session: {}", "session: {sent_at: a.b}"},
	"session.max_lifetime":                     {"", "session: {}", "session: {max_lifetime: 1h}"},
	"session.renew":                            {"", "session: {max_lifetime: 1h}", "session: {max_lifetime: 1h, renew: before}"},
	"session.reconnect.min":                    {"", "session: {}", "session: {reconnect: {min: 1s}}"},
	"session.reconnect.max":                    {"", "session: {}", "session: {reconnect: {max: 61s}}"},
}

// undigestedFields make no other probe of a probe.
var undigestedFields = map[string]bool{"enabled": true, "maintenance": true}

// probeWith is a file with one probe, of these fields.
func probeWith(fields ...string) string {
	text := strings.Join(slices.DeleteFunc(fields, func(s string) bool { return s == "" }), ", ")
	for _, required := range []string{"name: a", "url: 'wss://h/'"} {
		if key, _, _ := strings.Cut(required, " "); !strings.Contains(" "+text, " "+key) {
			text += ", " + required
		}
	}
	return "probes: [{" + strings.TrimPrefix(text, ", ") + "}]"
}

// TestDigestHasEveryField: whatever field of a probe is changed, it becomes another probe.
func TestDigestHasEveryField(t *testing.T) {
	variables := map[string]string{"ONE": "swordfish", "OTHER": "swordfish"}
	for _, f := range Fields() {
		key, ofProbe := strings.CutPrefix(f.Path, "probes[].")
		if !ofProbe || f.Kind == Section || undigestedFields[key] || strings.HasPrefix(key, "maintenance[") {
			continue
		}
		t.Run(key, func(t *testing.T) {
			change, known := fieldChanges[key]
			if !known {
				t.Fatal("fieldChanges has no two values of this field")
			}
			one := digestOf(t, probeWith(change.needs, change.one), variables)
			if other := digestOf(t, probeWith(change.needs, change.other), variables); other == one {
				t.Errorf("%q and %q have the same digest", change.one, change.other)
			}
		})
	}
}

// TestDigestOfTheSame: how a probe is written, and where, makes no difference.
func TestDigestOfTheSame(t *testing.T) {
	for _, test := range []struct{ name, one, other string }{
		{"order and comments", "probes: [{name: a, url: 'wss://h/', interval: 1m}]", "# c\nprobes:\n  - interval: 60s # d\n    url: wss://h/\n    name: a\n"},
		{"defaults", "probes: [{name: a, url: 'wss://h/'}]", probeWith("interval: 60s, timeout_ms: 10000, ping_mode: none, max_message_bytes: 1048576, " +
			"ip_version: any, stay_open_ms: 0, compression: 'off', message_format: text, headers: {}, labels: {}, protocols: [], " +
			"tls: {min_version: '1.2', alpn: [http/1.1], verify_hostname: true}, auth: {strategy: none}")},
		{"inherited", "defaults: {interval: 5s, headers: {A: b, C: d}, labels: {x: y}, protocols: [p], auth: {strategy: bearer, token: t}, tls: {min_version: '1.3'}, " +
			"thresholds: {healthy: '<5'}, dwell: {breach: 1s}}\nprobes: [{name: a, url: 'wss://h/'}]",
			probeWith("interval: 5s, headers: {C: d, A: b}, labels: {x: y}, protocols: [p], auth: {token: t, strategy: bearer}, tls: {min_version: '1.3'}, " +
				"thresholds: {healthy: ' < 5.0'}, dwell: {breach: 1000ms, recover: 0s}")},
		{"inherited in part", "defaults: {headers: {A: b, C: x}, thresholds: {healthy: '< 5'}}\nprobes: [{name: a, url: 'wss://h/', headers: {c: d}, thresholds: {unhealthy: '> 9'}}]",
			probeWith("headers: {A: b, c: d}, thresholds: {healthy: '< 5', unhealthy: '> 9'}")},
		{"inherited and useless", "defaults: {send_message: x, expect_message: y, dwell: {breach: 1s}, tls: {ca_file: testdata/tls/cert.pem}}\nprobes: [{name: a, url: 'ws://h/'}]",
			probeWith("url: 'ws://h/'")},
		{"aliases", "x-h: &h {A: b}\nprobes: [{name: a, url: 'wss://h/', headers: *h}]", probeWith("<<: {headers: {A: b}}")},
		{"enabled", probeWith("enabled: true"), probeWith("")},
		{"another place", "probes: [{name: a, url: 'wss://h/'}, {name: b, url: 'wss://h/'}]", "agent: {listen: ''}\n\nprobes: [{name: a, url: wss://h/}]"},
		{"session", probeWith("session: {}"), probeWith("ping_mode: none, session: {reconnect: {max: 60s, min: 500ms}, heartbeat: ~, answers: [], expect: ''}")},
		{"session of both", "defaults: {ping_mode: message, exchange: [{send: a}], session: {ping_interval: 1s, heartbeat: {send: x, expect: y}, expect: z}}\n" +
			"probes: [{name: a, url: 'wss://h/', session: {expect_pattern: w, heartbeat: {send: v, interval: 30s}}}]",
			probeWith("exchange: [{send: a}], session: {ping_timeout: 10s, ping_interval: 1000ms, expect_pattern: w, heartbeat: {send: v, timeout_ms: 10000}}")},
		{"session inherited and useless", "defaults: {session: {ping_interval: 1s}}\nprobes: [{name: a, url: 'wss://h/', stay_open_ms: 5}]", probeWith("stay_open_ms: 5")},
		{"maintenance", probeWith("interval: 60s"), probeWith("maintenance: [{from: '22:00', to: '23:00', days: [mon], zone: Europe/Berlin}]")},
		{"quotes", probeWith("expect_status: 401, ip_version: 4"), probeWith("expect_status: 401, ip_version: '4'")},
	} {
		t.Run(test.name, func(t *testing.T) {
			if digestOf(t, test.one, nil) != digestOf(t, test.other, nil) {
				t.Errorf("%s\nand\n%s\ndiffer", test.one, test.other)
			}
		})
	}
}

// TestDigestOfSecrets: a secret with another content is the same probe, and one from another place is not. What is no
// secret counts by its content, wherever that comes from.
func TestDigestOfSecrets(t *testing.T) {
	const roundTrip = "interpretation: round_trip_latency, "
	for name, test := range map[string]struct {
		fields     string // with a reference to V
		rotates    bool
		one, other string // the contents
	}{
		"header":            {fields: "headers: {A: 'x ${env:V}'}", rotates: true},
		"public header":     {fields: "headers: {origin: '${env:V}'}"},
		"subprotocol":       {fields: "protocols: [a, '${env:V}']", rotates: true},
		"message":           {fields: roundTrip + "send_message: '${env:V}', expect_json: {a: '${env:V}'}", rotates: true},
		"step":              {fields: roundTrip + "exchange: [{send: x, expect: y}, {send: '${env:V}', expect_json: {b: '${env:V}'}}]", rotates: true},
		"password":          {fields: "auth: {strategy: basic, user: u, password: '${env:V}'}", rotates: true},
		"token":             {fields: "auth: {strategy: bearer, token: '${env:V}'}", rotates: true},
		"query":             {fields: "url: 'wss://h/?token=${env:V}'", rotates: true},
		"path":              {fields: "url: 'wss://h/${env:V}/x'", rotates: true},
		"path of two parts": {fields: "url: 'wss://h/${env:V}'", other: "two/parts"},
		"host":              {fields: "url: 'wss://${env:V}/'"},
		"heartbeat":         {fields: "session: {heartbeat: {send: '${env:V}', expect_json: {a: '${env:V}'}}}", rotates: true},
		"session":           {fields: "session: {expect: '${env:V}', answers: [{expect: x, send: y}, {expect: x, send: 'a ${env:V}'}]}", rotates: true},
		"sequence":          {fields: "session: {sequence: '${env:V}'}"},
		"reconnect":         {fields: "session: {reconnect: {min: '${env:V}'}}", one: "5s", other: "6s"},
		"proxy password":    {fields: "proxy_url: 'http://u:${env:V}@p:1'", rotates: true},
		"proxy host":        {fields: "proxy_url: 'http://${env:V}:1'"},
		"name":              {fields: "name: '${env:V}'"},
		"label":             {fields: "labels: {a: '${env:V}'}"},
		"interval":          {fields: "interval: '${env:V}'", one: "5s", other: "6s"},
		"connect_to":        {fields: "connect_to: '${env:V}:1'"},
		"server name":       {fields: "tls: {server_name: '${env:V}'}"},
		"nothing yet":       {fields: "headers: {A: '${env:V}'}", one: "", other: "x"},
	} {
		t.Run(name, func(t *testing.T) {
			one, other := cmp.Or(test.one, "one"), cmp.Or(test.other, "other")
			if name == "nothing yet" {
				one = ""
			}
			for where, file := range map[string]string{"probe": probeWith(test.fields), "defaults": "defaults: {" + test.fields + "}\n" + probeWith()} {
				if where == "defaults" && (strings.HasPrefix(test.fields, "url") || strings.HasPrefix(test.fields, "name")) {
					continue
				}
				first := digestOf(t, file, map[string]string{"V": one, "W": one})
				second := digestOf(t, file, map[string]string{"V": other, "W": other})
				if (first == second) != test.rotates {
					t.Errorf("%s: another content makes another digest: %v, want %v", where, first != second, !test.rotates)
				}
				if renamed := digestOf(t, strings.ReplaceAll(file, ":V}", ":W}"), map[string]string{"W": one}); test.rotates && renamed == first && strings.Contains(file, ":V}") {
					t.Errorf("%s: another reference has the same digest", where)
				}
			}
		})
	}
}

// TestDigestOfOverriddenSecrets: a reference counts where it holds, in a map of headers or not.
func TestDigestOfOverriddenSecrets(t *testing.T) {
	const defaults = "defaults: {headers: {A: '${env:V}', B: '${env:V}'}, auth: {strategy: bearer, token: '${env:V}'}}\n"
	literal := defaults + probeWith("headers: {a: x, B: y}, auth: {token: z}")
	if one, other := digestOf(t, literal, map[string]string{"V": "x"}), digestOf(t, literal, map[string]string{"V": "other"}); one != other {
		t.Error("a reference counts though nothing of it holds")
	}
	if digestOf(t, literal, map[string]string{"V": "x"}) == digestOf(t, defaults+probeWith("headers: {a: x, B: z}, auth: {token: z}"), map[string]string{"V": "x"}) {
		t.Error("a header of the probe is taken for the reference of the defaults block")
	}
	half := defaults + probeWith("headers: {C: x}")
	if digestOf(t, half, map[string]string{"V": "x"}) != digestOf(t, half, map[string]string{"V": "other"}) {
		t.Error("a reference that is inherited beside a header of the probe counts by its content")
	}
	shared := "x: &h {A: '${env:V}'}\nprobes:\n  - {name: b, url: 'wss://h/', headers: *h}\n  - {name: a, url: 'wss://h/', headers: *h}\n"
	last := func(v string) Digest {
		config, err := loadWith(t, strings.Replace(shared, "x:", "x-h:", 1), map[string]string{"V": v})
		if err != nil {
			t.Fatal(err)
		}
		return config.Probes[1].Digest
	}
	if last("x") != last("other") {
		t.Error("a mapping that was read through another alias counts by the content of its references")
	}
}

// TestDigestOfFiles: files count by their names, and a proxy of the environment without its password.
func TestDigestOfFiles(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	rotated := func(fields string) (digests [2]Digest) {
		for i, content := range []string{"one\n", "other\n"} {
			if err := os.WriteFile(token, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			digests[i] = digestOf(t, probeWith(fields), nil)
		}
		return digests
	}
	for _, fields := range []string{"auth: {strategy: bearer, token_file: " + token + "}", "headers: {A: '${file:" + token + "}'}"} {
		if got := rotated(fields); got[0] != got[1] {
			t.Errorf("%s: the content counts", fields)
		}
	}
	proxy := func(url string) Digest { return digestOf(t, probeWith(), map[string]string{"HTTPS_PROXY": url}) }
	if proxy("http://u:one@p:1") != proxy("http://u:other@p:1") {
		t.Error("the password of a proxy of the environment counts")
	}
	if proxy("http://p:1") == proxy("http://q:1") || proxy("http://p:1") == digestOf(t, probeWith(), nil) {
		t.Error("a proxy of the environment does not count")
	}
	if proxy("http://p:1") != digestOf(t, probeWith("proxy_url: 'http://p:1'"), nil) {
		t.Error("a proxy counts differently by where it comes from")
	}
}

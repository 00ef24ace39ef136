package config

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestShownMapping: what is shown of a module. No literal secret is, and references stand for what they refer to.
func TestShownMapping(t *testing.T) {
	const module = `
<<: {timeout_ms: 5000}
interpretation: round_trip_latency
send_message: &m '{"op":"ping"}'
expect_json: {data.items.0.id: 7}
headers: {X-Token: "s3cret", Origin: "https://example.com", Authorization: Bearer s3cret}
protocols: [chat.v1, s3cret-token-of-more-than-32-characters]
auth: {strategy: basic, user: olga, password: s3cret}
proxy_url: http://olga:s3cret@proxy:3128
tls: {ca_file: ca.pem, key_password: s3cret}
labels: {team: web, le.x: "{{target.label.pod}}"}
exchange:
  - {send: *m}
connections:
  other: {url: "wss://other.example.com/?token=s3cret", headers: {X-Token: s3cret}, auth: {strategy: bearer, token: s3cret}}
thresholds: {healthy: "< 200"}
maintenance: [{days: [sat], from: "22:00", to: "02:00", zone: UTC}]
session:
  heartbeat: {steps: [{send: beat}]}
prepare: {url: "/login?pw=s3cret", headers: {X-Token: s3cret}, body: "pw=s3cret", capture: {sid: {cookie: session}}}
new_field: s3cret
`
	const want = `<<: {timeout_ms: 5000}
interpretation: round_trip_latency
send_message: '{"op":"ping"}'
expect_json: {data.items.0.id: 7}
headers: {X-Token: '[redacted]', Origin: "https://example.com", Authorization: '[redacted]'}
protocols: [chat.v1, '[redacted]']
auth: {strategy: basic, user: '[redacted]', password: '[redacted]'}
proxy_url: '[redacted]'
tls: {ca_file: '[redacted]', key_password: '[redacted]'}
labels: {team: web, le.x: "${env:POD}"}
exchange:
    - {send: '{"op":"ping"}'}
connections:
    other: {url: 'wss://other.example.com/?[redacted]', headers: {X-Token: '[redacted]'}, auth: {strategy: bearer, token: '[redacted]'}}
thresholds: {healthy: "< 200"}
maintenance: [{days: [sat], from: "22:00", to: "02:00", zone: UTC}]
session:
    heartbeat: {steps: [{send: beat}]}
prepare: {url: '/login?[redacted]', headers: {X-Token: '[redacted]'}, body: '[redacted]', capture: {sid: {cookie: session}}}
new_field: '[redacted]'
`
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(module), &root); err != nil {
		t.Fatal(err)
	}
	got := shownMapping(root.Content[0], func(n *yaml.Node) (string, bool) {
		return "${env:POD}", n.Value == "{{target.label.pod}}"
	})
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestEveryFieldIsShownOrHidden: the table decides about each field of a probe whether its values are shown.
func TestEveryFieldIsShownOrHidden(t *testing.T) {
	var s shower
	for _, f := range Fields() {
		path, ofProbe := strings.CutPrefix(f.Path, "probes[].")
		if !ofProbe {
			continue
		}
		if _, known := s.mark(path); !known {
			t.Errorf("%s: no mark says whether it is shown", f.Path)
		}
	}
}

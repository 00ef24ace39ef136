package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkBlind checks a text where no secret is there, in an empty directory.
func checkBlind(t *testing.T, text string) string {
	t.Helper()
	clearEnvironment(t)
	t.Chdir(t.TempDir())
	if err := os.WriteFile("wsprobe.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := CheckWithoutSecrets("wsprobe.yaml")
	if err == nil {
		return ""
	}
	return strings.ReplaceAll(err.Error(), "wsprobe.yaml:", "")
}

// TestWithoutSecrets: references are taken for right wherever they stand, and no file is missed.
func TestWithoutSecrets(t *testing.T) {
	const file = `
agent: {listen: "${env:LISTEN}", max_concurrent: "${env:N}", location: "eu-${env:ZONE}", shard: {index: "${env:I}", count: "${env:COUNT}"}}
otlp:
  endpoint: https://${env:OTLP_HOST}:${env:OTLP_PORT}
  protocol: ${env:PROTOCOL}
  headers: {Authorization: "Bearer ${file:otlp-token}", X-B: "${env:B}"}
  tls: {ca_file: otlp.pem, cert_file: "${env:CERT}", key_file: otlp.key, key_password: "${env:PW}"}
  spool: {max_bytes: "${env:MAX}MiB"}
defaults:
  tls: {ca_file: ca.pem, cert_file: client.pem, key_file: client.key}
  timeout_ms: ${env:TIMEOUT}
  labels: {team: "${env:TEAM}"}
probes:
  - {name: whole, url: "${env:URL}", headers: {X-Token: "${env:T}"}, thresholds: {healthy: "< ${env:MAX}"}}
  - {name: "${env:NAME}", url: "wss://example.com:${env:PORT}/${env:A}${env:B}?token=${file:/run/secrets/token}"}
  - {name: "${env:NAME}", url: "ws${env:S}://example.com/", tls: {server_name: "${env:SNI}"}}
  - {name: "${env:A}-chat", url: "wss://${env:HOST}.example.com/", interval: "${env:EVERY}"}
  - {name: "${env:B}-chat", url: "wss://10.0.0.${env:LAST}/", connect_to: "[${env:SIX}]:443", proxy_url: "http://${env:U}:${env:P}@proxy:${env:PORT}"}
  - name: messages
    url: wss://example.com/
    interpretation: round_trip_latency
    message_format: hex
    send_message: 00${env:BYTES}
    expect_message: ${env:BYTES}
  - name: json
    url: wss://example.com/
    interpretation: ${env:INTERPRETATION}
    send_message: a
    expect_json: {a: "${env:A}", b: "b-${env:B}"}
    protocols: ["${env:A}-x", "${env:B}-x"]
    expect_protocol: ${env:A}-x
  - name: pattern
    url: wss://example.com/
    interpretation: round_trip_latency
    exchange:
      - {send: "${env:LOGIN}", expect_pattern: "${env:PATTERN}"}
      - {send: "a ${env:A}", expect_json: {a: "${env:B}"}, timeout_ms: "${env:T}"}
  - {name: basic, url: "wss://example.com/", auth: {strategy: basic, user: "${env:U}", password: "${env:P}"}}
  - {name: bearer, url: "wss://example.com/", auth: {strategy: "${env:S}", token_file: none}}
  - {name: key, url: "wss://example.com/", tls: {cert_file: a.pem, key_file: a.key, key_password: "${env:P}"}}
`
	if got := checkBlind(t, file); got != "" {
		t.Error(got)
	}
}

// TestWithoutSecretsFinds: what is wrong whatever the references stand for is told all the same.
func TestWithoutSecretsFinds(t *testing.T) {
	const file = `probes:
  - {name: a, url: "https://example.com/?token=${env:TOKEN}"}
  - {name: a, url: "wss://user:${env:P}@example.com/"}
  - {name: c, url: "wss://example.com/", headers: {"X Y": "${env:T}"}, timeout: 5}
  - {name: d, url: "wss://example.com/", headers: {A: "${env:NO-NAME} ${ENV:A}"}}
  - {name: e, url: "wss://example.com/", tls: {key_file: a.key}}
  - {name: f, url: "wss://example.com/", auth: {strategy: basic, user: "${env:U}"}}
  - {name: g, url: "wss://example.com/", send_message: "a ${env:M}"}
`
	got := checkBlind(t, file)
	for _, want := range []string{
		"2:20: probes[0].url: must begin with wss:// instead of https://",
		"3:12: probes[1].name: must be unique",
		"3:20: probes[1].url: must not have user information",
		`4:52: probes[2].headers["X Y"]: `,
		"4:72: probes[2].timeout: is no field",
		"5:55: probes[3].headers.A: must have the name of a variable",
		"6:58: probes[4].tls.key_file: needs cert_file, too",
		"7:48: probes[5].auth.password: is required",
		"8:42: probes[6].send_message: is not allowed",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

// TestWithoutSecretsTakesTheRest: what is valid with its secrets is valid without them.
func TestWithoutSecretsTakesTheRest(t *testing.T) {
	clearEnvironment(t)
	for _, pattern := range []string{"testdata/good/*", "testdata/warn/*"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(err)
		}
		for _, file := range files {
			if _, err := CheckWithoutSecrets(file); err != nil {
				t.Error(err)
			}
		}
	}
}

package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
)

// TestSubstitutedKinds: a value that is substituted is whatever its field wants, in quotes or not.
func TestSubstitutedKinds(t *testing.T) {
	config, err := loadWith(t, `
agent: {max_concurrent: "${env:N}", log_level: "${env:LEVEL}"}
otlp: {endpoint: "https://collector", tls: {insecure_skip_verify: "${env:TRUE}"}}
probes:
  - name: ${env:N}
    url: ${env:SCHEME}://${env:HOST}:${env:N}/
    interval: ${env:N}s
    timeout_ms: ${env:N}00
    ip_version: "${env:FOUR}"
    protocols: ["${env:N}"]
    labels: {n: "${env:N}", t: "${env:TRUE}"}
    expect_status: ${env:N}1
    auth: {strategy: "${env:STRATEGY}", token: "${env:N}"}
`, map[string]string{"N": "40", "LEVEL": "debug", "SCHEME": "ws", "HOST": "127.0.0.1", "FOUR": "4", "TRUE": "true", "STRATEGY": "bearer"})
	if err != nil {
		t.Fatal(err)
	}
	p := config.Probes[0]
	if config.Agent.MaxConcurrent != 40 || !config.OTLP.TLS.InsecureSkipVerify || p.Name != "40" || p.Spec.URL != "ws://127.0.0.1:40/" ||
		p.Interval != 40*time.Second || p.Spec.Timeout != 4*time.Second || p.Spec.IPVersion != probe.IPv4 || p.Spec.Protocols[0] != "40" ||
		p.Labels["n"] != "40" || p.Labels["t"] != "true" || p.Spec.ExpectStatus != 401 {
		t.Errorf("%+v %+v", config.Agent, p)
	}
	if got, err := p.Spec.Authorize(t.Context()); got != "Bearer 40" || err != nil {
		t.Errorf("authorization %q, %v", got, err)
	}
}

// TestSecretsOfProbes: what was substituted in what an endpoint is told is a secret of the probe, wherever it was said;
// the rest is not.
func TestSecretsOfProbes(t *testing.T) {
	variables := map[string]string{"PORT": "8080"}
	for _, name := range []string{"SEND", "EXPECT", "PATTERN", "HEADER", "DEFAULT", "PROTOCOL", "USER", "PASSWORD", "STEP", "JSON", "PATH", "QUERY", "NAME", "LABEL", "HOST"} {
		variables[name+"_"] = strings.ToLower(name) + "-canary"
	}
	config, err := loadWith(t, `
defaults: {headers: {X: &anchored "a-${env:DEFAULT_}-b"}}
probes:
  - {name: "${env:NAME_}", url: "ws://${env:HOST_}:${env:PORT}/v1/${env:PATH_}?q=${env:QUERY_}", labels: {a: "${env:LABEL_}"},
     interpretation: round_trip_latency, send_message: "x${env:SEND_}y", expect_message: "${env:EXPECT_}",
     headers: {Y: "a ${env:HEADER_}", Z: *anchored, Origin: "https://${env:HOST_}", user-agent: "${env:HOST_}"}, protocols: ["p.${env:PROTOCOL_}"],
     auth: {strategy: basic, user: "${env:USER_}", password: "${env:PASSWORD_}"}}
  - {name: b, url: "ws://h/", interpretation: round_trip_latency, exchange: [{send: "${env:STEP_}", expect_json: {a: "${env:JSON_}"}}]}
  - {name: c, url: "ws://h/", interpretation: round_trip_latency, send_message: x, expect_pattern: "${env:PATTERN_}"}
`, variables)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"default-canary expect-canary header-canary password-canary path-canary protocol-canary send-canary user-canary",
		"default-canary json-canary step-canary",
		"default-canary pattern-canary",
	} {
		if got := strings.Join(config.Probes[i].Spec.Secrets, " "); got != want {
			t.Errorf("%s: secrets %q, want %q", config.Probes[i].Name, got, want)
		}
	}
	if got := config.Probes[0].ShownURL(); got != "ws://host-canary:8080/v1/[redacted]?[redacted]" {
		t.Errorf("shown as %s", got)
	}
}

// TestShownURL: of a URL is hidden what was substituted in its path, and the query. Words of a URL that was substituted
// as a whole are no secrets elsewhere.
func TestShownURL(t *testing.T) {
	for _, test := range []struct{ url, variable, shown, secrets string }{
		{"wss://h/plain", "", "wss://h/plain", ""},
		{"wss://h/a/${env:V}/b", "t0ken", "wss://h/a/[redacted]/b", "t0ken"},
		{"wss://h/a-${env:V}-b", "word", "wss://h/a-[redacted]-b", "word"},
		{"wss://h/${env:V}", "x/y1", "wss://h/[redacted]/[redacted]", "x y1"},
		{"wss://h${env:V}", "/x1", "wss://h/[redacted]", "x1"},
		{"wss://h/a?t=${env:V}", "t0ken", "wss://h/a?[redacted]", ""},
		{"wss://h/a${env:V}", "/b1?t=t0ken", "wss://h/a/[redacted]?[redacted]", "b1"},
		{"wss://${env:V}/a", "h:8443", "wss://h:8443/a", ""},
		{"${env:V}", "wss://h", "wss://h", ""},
		{"${env:V}", "wss://h/", "wss://h/", ""},
		{"${env:V}", "wss://h/socket/T0ken?q=x", "wss://h/[redacted]/[redacted]?[redacted]", "T0ken"},
		{"${env:V}/room", "wss://h/socket", "wss://h/[redacted]/room", ""},
		{"${env:V}/${env:V}", "ws", "", ""},
	} {
		config, err := loadWith(t, "probes: [{name: a, url: '"+test.url+"'}]", map[string]string{"V": test.variable})
		if test.shown == "" {
			if err == nil {
				t.Errorf("%s: accepted", test.url)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.url, err)
			continue
		}
		p := config.Probes[0]
		if got := p.ShownURL(); got != test.shown {
			t.Errorf("%s with %s: shown as %s, want %s", test.url, test.variable, got, test.shown)
		}
		if got := strings.Join(p.Spec.Secrets, " "); got != test.secrets {
			t.Errorf("%s with %s: secrets %q, want %q", test.url, test.variable, got, test.secrets)
		}
	}
}

// TestEveryTextIsSecretOrNot: the table decides for each field that holds text whether what is put in is a secret. The
// fields of a Spec that an endpoint is sent are told.
func TestEveryTextIsSecretOrNot(t *testing.T) {
	decided := decisions(t, agentSection) + decisions(t, shardSection) + decisions(t, scrapeSection) + decisions(t, probeEndpointSection) + decisions(t, otlpSection) + decisions(t, tlsSection) +
		decisions(t, spoolSection) + decisions(t, probeSection) + decisions(t, prepareSection) + decisions(t, captureSection) + decisions(t, probeTLSSection) + decisions(t, authSection) +
		decisions(t, authSection) + decisions(t, connectionSection) + // a connection has auth, and a heartbeat steps
		decisions(t, stepSection) + decisions(t, stepSection) + decisions(t, thresholdsSection) + decisions(t, dwellSection) +
		decisions(t, sessionSection) + decisions(t, heartbeatSection) + decisions(t, answerSection) + decisions(t, reconnectSection) + decisions(t, windowSection) +
		decisions(t, streamSection) + decisions(t, probeTLSSection) + decisions(t, authSection) + decisions(t, encodingSection) + // of streams
		decisions(t, csvSection) + decisions(t, batchSection) + decisions(t, bufferSection) + decisions(t, streamReconnectSection) +
		decisions(t, discoverSection) + decisions(t, httpSection) + decisions(t, probeTLSSection) + decisions(t, authSection) + decisions(t, dnsSection)
	texts := 0
	for _, f := range Fields() {
		if holdsText(f) {
			texts++
		}
	}
	if decided != texts {
		t.Errorf("%d of the %d fields with text are decided: is a section missing here?", decided, texts)
	}
}

func holdsText(f Field) bool {
	return f.Kind == Text || f.Kind == List || f.Kind == Map || f.Kind == Values
}

// decisions counts the fields of a section that hold text and have a decision.
func decisions[T any](t *testing.T, s *section[T]) (decided int) {
	toEndpoint := []string{"URL", "Send", "Expect", "ExpectPattern", "ExpectJSON", "Protocols", "ExpectProtocol", "Headers"}
	for i := range s.fields {
		f := &s.fields[i]
		switch {
		case !holdsText(f.Field):
		case f.secret == undecided:
			t.Errorf("%s: is what is put in a secret, and is an endpoint told it?", f.Path)
		case slices.Contains(toEndpoint, f.spec) && f.secret != sent && f.secret != sentInURL:
			t.Errorf("%s: an endpoint is told it", f.Path)
		default:
			decided++
		}
	}
	return decided
}

// TestSubstitutionIsBounded: a small file cannot stand for a huge one.
func TestSubstitutionIsBounded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(file, []byte(strings.Repeat("x", maxSecret)), 0o600); err != nil {
		t.Fatal(err)
	}
	many := strings.Repeat("${file:"+file+"}", 2000)
	_, err := loadWith(t, "probes: [{name: a, url: 'ws://h/', labels: {a: '"+many+"'}}]", nil)
	if err == nil || !strings.Contains(err.Error(), "probes[0].labels.a: makes more than 64 MiB of this file") {
		t.Errorf("got %.300v", err)
	}
}

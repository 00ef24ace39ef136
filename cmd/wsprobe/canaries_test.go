package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/agent"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/logtest"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// canaryFile has a secret in every place where a file can have one: each is substituted, or read at every run.
const canaryFile = `
agent: {listen: "@LISTEN@", log_level: debug}
otlp: {endpoint: "@OTLP@", interval: 1s, logs: true, traces: true, headers: {Authorization: "Bearer ${env:C_OTLP}"}}
defaults:
  interval: 1s
  timeout_ms: 400
  headers: {X-Key: "key-${env:C_DEFAULT}", Cookie: "id=${env:C_COOKIE}; a=b"}
  auth: {strategy: basic, user: "${env:C_USER}", password_file: "@DIR@/password"}
probes:
  - name: refused
    url: @TARGET@/refuse/${env:C_PATH}/x?token=${env:C_QUERY}
  - name: whole
    url: ${env:C_URL}
    auth: {strategy: bearer, token: "${env:C_TOKEN}"}
  - name: redirected
    url: @TARGET@/redirect/${file:@DIR@/path}
    interpretation: connection_success
  - name: broken
    url: @TARGET@/garbage/${env:C_PATH}
  - name: closed
    url: @TARGET@/close/${env:C_PATH}
    interpretation: round_trip_latency
    send_message: '{"token":"${env:C_SEND}"}'
    expect_message: ${env:C_EXPECT}
    auth: {strategy: bearer, token_file: "@DIR@/token"}
  - name: mismatched
    url: @TARGET@/reply/${env:C_PATH}
    interpretation: round_trip_latency
    send_message: '{"token":"${env:C_SEND}"}'
    expect_pattern: never-${env:C_EXPECT}
  - name: in steps
    url: @TARGET@/reply/${env:C_PATH}
    interpretation: round_trip_latency
    exchange:
      - {send: "${env:C_STEP} {{nonce}}", expect_json: {a: "${env:C_JSON}"}}
  - name: in hex
    url: @TARGET@/reply/x
    interpretation: round_trip_latency
    message_format: hex
    send_message: ${env:C_HEX}
    expect_message: "00"
  - name: picked
    url: @TARGET@/pick/x
    interpretation: connection_success
    protocols: ["v1.${env:C_PROTOCOL}"]
  - name: held
    url: @TARGET@/close/${env:C_PATH}
    session: {heartbeat: {send: '{"token":"${env:C_SEND}"}', expect: "${env:C_EXPECT}", interval: 200ms}, reconnect: {min: 100ms, max: 200ms}}
    auth: {strategy: bearer, token_file: "@DIR@/token"}
  - name: held by an exchange
    url: @TARGET@/reply/${env:C_PATH}
    exchange: [{send: "${env:C_STEP}", expect: "${env:C_STEP}"}]
    session: {expect_pattern: "never-${env:C_EXPECT}", max_silence: 300ms, reconnect: {min: 100ms, max: 200ms}}
  - name: held with an answer
    url: @TARGET@/reply/${env:C_PATH}
    exchange: [{send: "${env:C_SEND}"}]
    session: {heartbeat: {send: "${env:C_STEP}", expect: "${env:C_EXPECT}", interval: 100ms, timeout_ms: 300}, answers: [{expect: "${env:C_JSON}", send: "${env:C_SEND}"}]}
  - name: held and closed
    url: @TARGET@/close/${env:C_PATH}
    exchange: [{send: "${env:C_SEND}"}]
    auth: {strategy: bearer, token: "${env:C_TOKEN}"}
    session: {ping_interval: 1s}
  - name: unreadable
    url: @TARGET@/refuse/x
    auth: {strategy: bearer, token_file: "${env:C_FILE}"}
`

// runAgent runs an agent until stop is called, which waits for its end.
func runAgent(t *testing.T, cfg config.Config, log *logtest.Log) (running *agent.Agent, stop func()) {
	t.Helper()
	running, err := agent.New(cfg, agent.Options{Log: newLogger(log, cfg.Agent.LogFormat, cfg.Agent.LogLevel)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- running.Run(ctx) }()
	return running, func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// canaries are the secrets, by the variable that holds them.
var canaries = []string{"C_OTLP", "C_DEFAULT", "C_COOKIE", "C_USER", "C_QUERY", "C_PATH", "C_TOKEN", "C_SEND", "C_EXPECT",
	"C_STEP", "C_JSON", "C_PROTOCOL", "C_FILE"}

// writeCanaries sets the variables, and writes the files and the configuration, whose name it returns.
func writeCanaries(t *testing.T, target, listen, otlp string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range canaries {
		t.Setenv(name, strings.ToLower(name)+"-canary")
	}
	t.Setenv("C_URL", target+"/refuse/word/c-url-canary-7?t=c-url-canary-8")
	t.Setenv("C_HEX", fmt.Sprintf("%x", "c_hex-canary"))
	config := strings.NewReplacer("@TARGET@", target, "@DIR@", dir, "@LISTEN@", listen, "@OTLP@", otlp).Replace(canaryFile)
	for name, text := range map[string]string{
		"password": "c_password-canary\n", "token": "c_token_file-canary\n", "path": "c_path_file-canary\n", "wsprobe.yaml": config,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "wsprobe.yaml")
}

// parrots are endpoints that repeat everything they are told wherever there is a place for it.
func parrots() wstest.Script {
	opened := func(c *wstest.Conn, then func(told string)) {
		head := c.Request()
		told := fmt.Sprint(head.RequestURI, head.Header)
		c.Accept()
		then(told + " " + c.Message())
	}
	scripts := map[string]wstest.Script{
		"refuse": func(c *wstest.Conn) {
			told := fmt.Sprint(c.Request().RequestURI, c.Request().Header)
			c.Refuse(403, told, "X-Told: "+told)
		},
		"redirect": func(c *wstest.Conn) { c.Refuse(302, "", "Location: "+c.Request().RequestURI) },
		"garbage": func(c *wstest.Conn) {
			c.Raw(fmt.Sprint(c.Request().RequestURI, c.Request().Header) + "\r\n\r\n")
			c.FIN()
		},
		"close": func(c *wstest.Conn) {
			opened(c, func(told string) {
				at := strings.Index(told, "Bearer")
				c.Send(wstest.Close(4001, told[at:at+60]))
			})
			c.Watch()
		},
		"reply": func(c *wstest.Conn) {
			opened(c, func(told string) {
				c.Send(wstest.Text(told), wstest.Text(strings.Repeat("x", 240)+told[len(told)-40:]))
				c.Send(wstest.Text(told[max(0, len(told)-40):]))
			})
			c.Watch()
		},
		"pick": func(c *wstest.Conn) {
			c.Accept("Sec-WebSocket-Protocol: " + c.Request().Header.Get("Sec-WebSocket-Protocol"))
			c.Serve()
		},
	}
	return func(c *wstest.Conn) {
		kind, _, _ := strings.Cut(strings.TrimPrefix(c.Request().RequestURI, "/"), "/")
		scripts[kind](c)
	}
}

// noCanary wants no secret, whole, cut or encoded, in a text.
func noCanary(t *testing.T, what, text string) {
	t.Helper()
	lower := strings.ToLower(text)
	for _, canary := range []string{"-canary", "c_to", "c_pa", "c_se", "c_st", "c_qu", "c_us", fmt.Sprintf("%x", "c_hex"), "y19wyxnzd29yzc"} {
		if i := strings.Index(lower, canary); i >= 0 {
			t.Errorf("%s tells a secret (%s): ...%s...", what, canary, text[max(0, i-60):min(len(text), i+60)])
		}
	}
	if text == "" {
		t.Errorf("%s: nothing to look at", what)
	}
}

// TestNoCanaryEscapes: whatever is substituted in a file, endpoints that repeat it do not make wsprobe repeat it.
func TestNoCanaryEscapes(t *testing.T) {
	endpoints := wstest.Start(parrots())
	defer endpoints.Close()
	target := strings.TrimSuffix(endpoints.URL, "/")
	for _, args := range [][]string{{"check"}, {"once"}, {"once", "--json"}, {"once", "-v"}, {"once", "-v", "--json"}, {"once", "--listen", "100ms"},
		{"hold", "--probe", "held", "--for", "700ms"}, {"hold", "--probe", "held", "--for", "700ms", "--json"},
		{"hold", "--probe", "held and closed", "--for", "700ms"}, {"hold", "--probe", "held and closed", "--for", "700ms", "--json"}} {
		file := writeCanaries(t, target, "", "http://127.0.0.1:1")
		var stdout, stderr logtest.Log
		run(t.Context(), slices.Concat(args, []string{"-c", file}), &stdout, &stderr)
		noCanary(t, strings.Join(args, " "), stdout.String()+stderr.String())
		least := map[string]int{"once": 9, "hold": 2}[args[0]]
		if strings.Count(stdout.String(), "[redacted]") < least {
			t.Errorf("%v hides nothing: %s", args, stdout.String())
		}
	}
}

// TestNoCanaryEscapesTheAgent is the same for the agent: its log, its pages and what it exports.
func TestNoCanaryEscapesTheAgent(t *testing.T) {
	endpoints := wstest.Start(parrots())
	defer endpoints.Close()
	var got receiver.Inbox[receiver.Point]
	var records, spans []string
	back, err := receiver.Start(&receiver.Receiver{Point: got.Add, Record: func(r receiver.Record) { records = append(records, fmt.Sprint(r)) },
		Span: func(s receiver.Span) { spans = append(spans, fmt.Sprint(s)) }})
	if err != nil {
		t.Fatal(err)
	}
	file := writeCanaries(t, strings.TrimSuffix(endpoints.URL, "/"), "127.0.0.1:0", "http://"+back.Address)
	cfg, err := loadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	var log logtest.Log
	running, stop := runAgent(t, cfg, &log)
	for _, p := range cfg.Probes {
		awaitPoints(t, &got, 2, receiver.Of("wsprobe.connection_success", p.Name))
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, page := range []string{"/", "/api/v1/probes", "/readyz"} {
		resp, err := client.Get("http://" + running.ListenAddress() + page)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		noCanary(t, page, string(body))
	}
	stop()
	_ = back.Stop()
	noCanary(t, "the log", log.String())
	for _, p := range got.All() {
		noCanary(t, "the export", pointLine(p))
	}
	noCanary(t, "a log record", strings.Join(records, "\n"))
	noCanary(t, "a span", strings.Join(spans, "\n"))
	for _, name := range []string{"session held", "session held by an exchange", "probe refused"} {
		if !strings.Contains(strings.Join(spans, "\n"), name) {
			t.Errorf("no span %q arrived", name)
		}
	}
	if !strings.Contains(strings.Join(records, "\n"), "wsprobe.session.ended") || !strings.Contains(log.String(), "session ended: close frame 4001") {
		t.Error("nothing is told of the end of a session")
	}
	paths := make(map[any]bool)
	for _, p := range got.All() {
		paths[p.Attributes["url.path"]] = true
	}
	if !paths["/refuse/[redacted]/x"] || !paths["/[redacted]/[redacted]/[redacted]"] {
		t.Errorf("paths %v", paths)
	}
}

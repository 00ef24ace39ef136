package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/convert"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/logtest"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// files of other programs whose outputs go to ADDR. Each output has a path of its own.
const (
	vectorFile = `
[sinks.wall]
type = "websocket"
inputs = ["in"]
uri = "ws://ADDR/vector?room=1"
ping_interval = 1
ping_timeout = 1
auth = { strategy = "bearer", token = "${CONVERT_TOKEN}" }

[sinks.wall.encoding]
codec = "json"
only_fields = ["timestamp", "message", ".probe", "reason"]
timestamp_format = "unix_ms"

[sinks.table]
type = "websocket"
inputs = ["in"]
uri = "ws://user:pass@ADDR/csv"
encoding = { codec = "csv", csv = { fields = ["probe", "host", "reason"], delimiter = ";" } }
`
	fluentBitFile = `
[SERVICE]
    Flush  0.05
[OUTPUT]
    Name   websocket
    Host   HOST
    Port   PORT
    URI    /array
    Format json
    Header X-Team core
    Header Sec-WebSocket-Protocol events
[OUTPUT]
    Name   websocket
    Host   HOST
    Port   PORT
    URI    binary
[OUTPUT]
    Name   websocket
    Host   HOST
    Port   PORT
    URI    /lines
    Format json_lines
    json_date_key    at
    json_date_format java_sql_timestamp
`
	telegrafFile = `
[[outputs.websocket]]
  url = "ws://ADDR/telegraf"
  flush_interval = "50ms"
  data_format = "json"
  json_timestamp_units = "1s"
  [outputs.websocket.headers]
    Authorization = "Basic ${CONVERT_TOKEN}"
`
)

// outlet is what an output of another program promises of its requests and messages.
type outlet struct {
	opcode  byte
	header  http.Header
	message *regexp.Regexp
}

var outlets = map[string]outlet{
	"/vector?room=1": {wstest.OpText, http.Header{"Authorization": {"Bearer t0ken"}},
		regexp.MustCompile(`^\{"timestamp":1\d{12},"probe":"up","reason":"ok"\}$`)},
	"/csv": {wstest.OpText, http.Header{"Authorization": {"Basic dXNlcjpwYXNz"}},
		regexp.MustCompile(`^up;ok\r?\n$`)},
	"/array": {wstest.OpText, http.Header{"X-Team": {"core"}, "Sec-Websocket-Protocol": {"events"}},
		regexp.MustCompile(`^\[\{"id":"[^"]+",.*"date":1\d{9}\.\d+,.*"probe":"up",.*\}\]$`)},
	"/binary": {wstest.OpBinary, nil,
		regexp.MustCompile(`(?s)^[\x90-\x9f].*probe.*up`)},
	"/lines": {wstest.OpText, nil,
		regexp.MustCompile(`^\{.*"at":"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}".*\}\n?$`)},
	"/telegraf": {wstest.OpText, http.Header{"Authorization": {"Basic t0ken"}},
		regexp.MustCompile(`^\[\{"id":.*"timestamp":1\d{9},.*\}\]$`)},
}

// TestConvertedFilesRun runs an agent with the outputs of three programs. Each endpoint gets what it got from them:
// the request, the kind of message, the form of an event.
func TestConvertedFilesRun(t *testing.T) {
	t.Setenv("CONVERT_TOKEN", "t0ken")
	type arrival struct {
		path    string
		request *http.Request
		frame   wstest.Frame
	}
	arrivals := make(chan arrival, 1000)
	server := wstest.Start(func(c *wstest.Conn) {
		request := c.Request()
		if request.URL.Path == "/probe" {
			c.Accept()
			c.Serve()
		}
		c.Accept(protocolLine(request)...)
		for {
			f := c.Read()
			switch f.Opcode {
			case wstest.OpPing:
				c.Send(wstest.Pong(f.Payload))
			case wstest.OpClose:
				c.Send(wstest.Frame{Opcode: wstest.OpClose, Payload: f.Payload})
				return
			}
			select {
			case arrivals <- arrival{request.URL.RequestURI(), request, f}:
			default:
			}
		}
	})
	t.Cleanup(server.Close)
	cfg, err := config.Parse("wsprobe.yaml", convertedFiles(t, server.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	var log logtest.Log
	_, stop := runAgent(t, cfg, &log)
	defer stop()
	waiting, pinged := len(outlets), false
	seen := map[string]bool{}
	for timeout := time.After(patience); waiting > 0 || !pinged; {
		var a arrival
		select {
		case a = <-arrivals:
		case <-timeout:
			t.Fatalf("%d endpoints of %v got nothing\n%s", waiting, seen, log.String())
		}
		want, known := outlets[a.path]
		switch {
		case a.frame.Opcode == wstest.OpPing:
			pinged = pinged || a.path == "/vector?room=1"
		case !known:
			t.Fatalf("a request for %s", a.path)
		case !seen[a.path]:
			seen[a.path] = true
			waiting--
			if a.frame.Opcode != want.opcode || !want.message.MatchString(latin(want.opcode, a.frame.Payload)) {
				t.Errorf("%s: opcode %d, message %q", a.path, a.frame.Opcode, a.frame.Payload)
			}
			for name := range want.header {
				if got := a.request.Header.Get(name); got != want.header.Get(name) {
					t.Errorf("%s: %s is %q, want %q", a.path, name, got, want.header.Get(name))
				}
			}
			if bytes := []byte(a.frame.Payload); want.opcode == wstest.OpText && strings.HasPrefix(a.frame.Payload, "[") && !json.Valid(bytes) {
				t.Errorf("%s: %q is not JSON", a.path, bytes)
			}
		}
	}
}

// protocolLine picks the first subprotocol that a request offers.
func protocolLine(request *http.Request) []string {
	offered := request.Header.Get("Sec-WebSocket-Protocol")
	if offered == "" {
		return nil
	}
	return []string{"Sec-WebSocket-Protocol: " + offered}
}

// latin makes a character of each byte of a binary message, so that an expression can match it.
func latin(opcode byte, payload string) string {
	if opcode != wstest.OpBinary {
		return payload
	}
	var b strings.Builder
	for i := range len(payload) {
		b.WriteRune(rune(payload[i]))
	}
	return b.String()
}

// convertedFiles is a configuration with the outputs of all three files.
func convertedFiles(t *testing.T, addr string) []byte {
	t.Helper()
	host, port, _ := strings.Cut(addr, ":")
	place := strings.NewReplacer("ADDR", addr, "HOST", host, "PORT", port).Replace
	vector, err := convert.Vector([]convert.Source{{Name: "vector.toml", Data: []byte(place(vectorFile))}})
	if err != nil {
		t.Fatal(err)
	}
	fluentBit, err := convert.FluentBit([]convert.Source{{Name: "fluent-bit.conf", Data: []byte(place(fluentBitFile))}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	telegraf, err := convert.Telegraf([]convert.Source{{Name: "telegraf.conf", Data: []byte(place(telegrafFile))}})
	if err != nil {
		t.Fatal(err)
	}
	all := "streams:\n"
	for i, result := range []convert.Result{vector, fluentBit, telegraf} {
		section := strings.TrimPrefix(string(result.YAML), "streams:\n")
		all += strings.ReplaceAll(section, "- name: "+addr, fmt.Sprintf("- name: %d-%s", i, addr))
	}
	return fmt.Appendf(nil, `%s
agent: {listen: ""}
otlp: {protocol: none}
probes:
  - {name: up, url: "ws://%s/probe", interval: 1s, timeout_ms: 30000}
`, all, addr)
}

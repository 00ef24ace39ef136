package probe_test

import (
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe"
)

// TestPrepareFaults: each fault of a request, of its captures and of the places for them has a place and a problem.
func TestPrepareFaults(t *testing.T) {
	token := map[string]probe.Capture{"token": {JSON: "token"}}
	prepared := func(captures map[string]probe.Capture) *probe.Prepare {
		return &probe.Prepare{URL: "https://login.example.com/", Captures: captures}
	}
	capture := func(c probe.Capture) probe.Spec {
		return probe.Spec{Opening: probe.Opening{Prepare: prepared(map[string]probe.Capture{"x": c})}}
	}
	request := func(p probe.Prepare) probe.Spec { return probe.Spec{Opening: probe.Opening{Prepare: &p}} }
	text, group := "{{token}} {{nope}}", "(?P<token>.)"
	for name, test := range map[string]struct {
		spec probe.Spec
		want string
	}{
		"none":          {request(probe.Prepare{}), "Prepare.URL: is required"},
		"scheme":        {request(probe.Prepare{URL: "wss://x/"}), "Prepare.URL: must begin with https:// instead of wss://"},
		"other scheme":  {request(probe.Prepare{URL: "ftp://x/"}), "Prepare.URL: must begin with http:// or https://"},
		"two slashes":   {request(probe.Prepare{URL: "//x/"}), "Prepare.URL: must begin with http:// or https://"},
		"fragment":      {request(probe.Prepare{URL: "/x#y"}), "Prepare.URL: must not have a fragment; write %23 for a # in the path or query"},
		"blank":         {request(probe.Prepare{URL: "/x y"}), "Prepare.URL: must not contain blanks or control characters"},
		"percent":       {request(probe.Prepare{URL: "/%x"}), "Prepare.URL: must have two hexadecimal digits after each % (write %25 for a percent sign)"},
		"path":          {request(probe.Prepare{URL: "/x?y=%20"}), ""},
		"method":        {request(probe.Prepare{URL: "/x", Method: "get"}), `Prepare.Method: must be one of GET, HEAD, POST, PUT, PATCH, DELETE, got "get"`},
		"body":          {request(probe.Prepare{URL: "/x", Method: "GET", Body: "x"}), "Prepare.Body: is not allowed with method GET"},
		"long body":     {request(probe.Prepare{URL: "/x", Body: strings.Repeat("x", 70000)}), "Prepare.Body: must be at most 65536 bytes, got 70000"},
		"status":        {request(probe.Prepare{URL: "/x", ExpectStatus: 101}), "Prepare.ExpectStatus: must be between 200 and 599, got 101"},
		"header":        {request(probe.Prepare{URL: "/x", Headers: map[string]string{"X": "a\nb"}}), `Prepare.Headers["X"]: must not contain line breaks or other control characters`},
		"framing":       {request(probe.Prepare{URL: "/x", Headers: map[string]string{"Content-Length": "1"}}), `Prepare.Headers["Content-Length"]: is not allowed: it is about the body or the connection of another kind of request`},
		"no place":      {capture(probe.Capture{}), `Prepare.Captures["x"]: must have exactly one of json, pattern, header and cookie`},
		"two places":    {capture(probe.Capture{JSON: "a", Header: "b"}), `Prepare.Captures["x"]: must have exactly one of json, pattern, header and cookie`},
		"no group":      {capture(probe.Capture{Pattern: "a"}), `Prepare.Captures["x"]: pattern must have a group in parentheses around the text to capture`},
		"no expression": {capture(probe.Capture{Pattern: "(a"}), `Prepare.Captures["x"]: pattern must be a regular expression (RE2): missing closing )`},
		"no path":       {capture(probe.Capture{JSON: "{a,b}"}), `Prepare.Captures["x"]: json `},
		"no cookie":     {capture(probe.Capture{Cookie: "a b"}), `Prepare.Captures["x"]: cookie must be a token (RFC 6265 4.1.1)`},
		"no field":      {capture(probe.Capture{Header: "a b"}), `Prepare.Captures["x"]: header must be a token (RFC 7230 3.2.6)`},
		"name":          {probe.Spec{Opening: probe.Opening{Prepare: prepared(map[string]probe.Capture{"a-b": {JSON: "a"}})}}, `Prepare.Captures["a-b"]: must be named by letters, digits and underscores, no digit first`},
		"nonce":         {probe.Spec{Opening: probe.Opening{Prepare: prepared(map[string]probe.Capture{"nonce": {JSON: "a"}})}}, `Prepare.Captures["nonce"]: must not be named nonce: {{nonce}} is the text that is fresh in every run`},
		"taken": {probe.Spec{Opening: probe.Opening{Prepare: prepared(token)}, Exchange: []probe.Step{{Expect: new(""), Measure: true}, {ExpectPattern: group}}},
			`Prepare.Captures["token"]: must have another name than a group of a pattern in exchange`},
		"host":    {probe.Spec{Opening: probe.Opening{URL: "wss://{{token}}.example.com/", Prepare: prepared(token)}}, "URL: must not have a placeholder in its host or port"},
		"unknown": {probe.Spec{Opening: probe.Opening{URL: "wss://example.com/{{tok}}", Prepare: prepared(token)}}, "URL: has {{tok}}, which prepare does not capture (known: token)"},
		"unknown in a header": {probe.Spec{Opening: probe.Opening{Headers: map[string]string{"X": text}, Prepare: prepared(token)}},
			`Headers["X"]: has {{nope}}, which prepare does not capture (known: token)`},
		"unknown protocol": {probe.Spec{Opening: probe.Opening{Protocols: []string{"{{tok}}"}, Prepare: prepared(token)}}, `Protocols["0"]: has {{tok}}, which prepare does not capture (known: token)`},
		"unknown in a message": {probe.Spec{Opening: probe.Opening{Prepare: prepared(token)}, Interpretation: probe.RoundTripLatency, Send: text},
			`Send: has {{nope}}, which no pattern of an earlier step catches (known: token, nonce)`},
		"of a connection": {probe.Spec{Opening: probe.Opening{Prepare: prepared(token)}, Exchange: []probe.Step{{On: "two"}}, Connections: map[string]probe.Connection{"two": {URL: "wss://x/{{tok}}"}}},
			`Connections["two"].URL: has {{tok}}, which prepare does not capture (known: token)`},
		"all good": {probe.Spec{Opening: probe.Opening{URL: "wss://example.com/{{token}}?{{token}}", Headers: map[string]string{"X": "{{token}}"}, Protocols: []string{"{{token}}", "a-{{token}}"},
			ExpectProtocol: "a-{{token}}", Prepare: prepared(token)}, Interpretation: probe.RoundTripLatency, Send: "{{token}} {{nonce}}", Expect: "{{nonce}}"}, ""},
		"text without captures": {probe.Spec{Opening: probe.Opening{URL: "wss://example.com/%7B", Headers: map[string]string{"X": "{{token}}"}, Prepare: prepared(nil)},
			Interpretation: probe.RoundTripLatency, Send: "{{token}}"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if test.spec.URL == "" {
				test.spec.URL = "wss://example.com/"
			}
			var told []string
			for _, f := range test.spec.Validate() {
				told = append(told, f.Error())
			}
			if got := strings.Join(told, "\n"); got != test.want && !(test.want != "" && strings.HasPrefix(got, test.want) && strings.HasSuffix(test.want, " ")) {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if _, err := probe.New(test.spec); (err == nil) != (test.want == "") {
				t.Errorf("New: %v", err)
			}
		})
	}
}

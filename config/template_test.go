package config

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"
)

// TestTemplate: every value of a target stands where the template asks for it, and means itself.
func TestTemplate(t *testing.T) {
	clearEnvironment(t)
	t.Setenv("TOKEN", "secret-{{target.address}}")
	template, err := ParseTemplate("t.yaml", []byte(`
name: chat at {{target.address}}
url: wss://{{ target.address }}/{{target.label.path}}
interval: "{{target.label.every}}"
interpretation: round_trip_latency
timeout_ms: "{{target.label.ms}}"
connect_to: &address "{{target.address}}"
headers: {X-To: *address, Authorization: "Bearer ${env:TOKEN}-{{target.label.path}}"}
labels: {zone: "{{target.label.zone}}", kept: "{{name}} {{target}} {target.address}"}
protocols: ["v1.{{target.label.zone}}"]
exchange:
  - {send: "{{target.label.odd}} {{nonce}}", expect_pattern: "^{{target.label.odd}}(?P<id>.)"}
  - {send: "{{id}} {{\"{{\"}}target.address}}", expect_json: {a.b: "{{target.label.odd}}"}}
`))
	if err != nil {
		t.Fatal(err)
	}
	target := map[string]string{"address": "10.0.0.1:8080", "label.path": "v2", "label.every": "5s", "label.ms": "2000", "label.zone": "a.b", "label.odd": "{{nonce}}.*"}
	p, err := template.Probe(target)
	if err != nil {
		t.Fatal(err)
	}
	s := p.Spec
	if p.Name != "chat at 10.0.0.1:8080" || s.URL != "wss://10.0.0.1:8080/v2" || p.Interval != 5*time.Second || s.Timeout != 2*time.Second ||
		s.ConnectTo != "10.0.0.1:8080" || s.Protocols[0] != "v1.a.b" {
		t.Errorf("%+v", p)
	}
	if want := map[string]string{"X-To": "10.0.0.1:8080", "Authorization": "Bearer secret-{{target.address}}-v2"}; !maps.Equal(s.Headers, want) {
		t.Errorf("headers %v, want %v", s.Headers, want)
	}
	if want := map[string]string{"zone": "a.b", "kept": "{{name}} {{target}} {target.address}"}; !maps.Equal(p.Labels, want) {
		t.Errorf("labels %v, want %v", p.Labels, want)
	}
	if got := *s.Exchange[0].Send; got != `{{"{{"}}nonce}}.* {{nonce}}` {
		t.Errorf("sent: %s", got)
	}
	if got := s.Exchange[0].ExpectPattern; got != `^\{\{nonce\}\}\.\*(?P<id>.)` {
		t.Errorf("pattern: %s", got)
	}
	if got := *s.Exchange[1].Send; got != `{{id}} {{"{{"}}target.address}}` {
		t.Errorf("sent: %s", got)
	}
	if got := s.Exchange[1].ExpectJSON["a.b"]; got != `{{"{{"}}nonce}}.*` {
		t.Errorf("expected in JSON: %v", got)
	}
	if len(s.Secrets) != 1 || s.Secrets[0] != "secret-{{target.address}}" {
		t.Errorf("secrets %q", s.Secrets)
	}

	again, err := template.Probe(target)
	if err != nil || again.Digest != p.Digest {
		t.Errorf("the same target makes another probe: %v", err)
	}
	target["label.path"] = "v3"
	if other, err := template.Probe(target); err != nil || other.Digest == p.Digest || other.Spec.URL != "wss://10.0.0.1:8080/v3" {
		t.Errorf("another target makes the same probe: %s, %v", other.Spec.URL, err)
	}
}

// TestTemplateIsAProbe: without placeholders, a template makes what an entry of the list of probes does.
func TestTemplateIsAProbe(t *testing.T) {
	clearEnvironment(t)
	const entry = "{name: a, url: 'wss://h/x', tls: {ca_file: testdata/tls/cert.pem}, auth: {strategy: bearer, token: t}, thresholds: {healthy: '< 5'}}"
	config, err := loadText([]byte("probes: [" + entry + "]"))
	if err != nil {
		t.Fatal(err)
	}
	template, err := ParseTemplate("t.yaml", []byte(entry))
	if err != nil {
		t.Fatal(err)
	}
	p, err := template.Probe(nil)
	if err != nil {
		t.Fatal(err)
	}
	if p.Digest != config.Probes[0].Digest || p.Spec.TLS == nil || p.Spec.TLS.RootCAs == nil {
		t.Errorf("got %+v, want %+v", p, config.Probes[0])
	}
	if second, err := template.Probe(nil); err != nil || second.Spec.TLS.RootCAs != p.Spec.TLS.RootCAs {
		t.Errorf("the file of authorities is read for each target: %v", err)
	}
}

// TestTemplateFaults: what is wrong for every target is told when the template is read, and the rest for the target,
// each at its place in the template.
func TestTemplateFaults(t *testing.T) {
	clearEnvironment(t)
	for name, test := range map[string]struct {
		text   string
		target map[string]string
		read   string // what ParseTemplate says
		made   string // what Probe says
	}{
		"no YAML":           {text: "name: [", read: "t.yaml:1:7: did not find expected node content"},
		"no mapping":        {text: "- a", read: "t.yaml:1:1: must be a mapping, got a list"},
		"no name":           {text: "url: wss://{{target.a}}/", read: "t.yaml:1:1: name: is required"},
		"a field amiss":     {text: "name: a\nurls: x\nurl: wss://{{target.a}}/", read: "t.yaml:2:1: urls: is no field of a probe, did you mean url"},
		"a wrong value":     {text: "name: a\nurl: wss://{{target.a}}/\ntimeout_ms: 1", read: "t.yaml:3:13: timeout_ms: must be between 100 and 30000, got 1"},
		"a wrong scheme":    {text: "name: a\nurl: https://{{target.a}}/", read: "t.yaml:2:6: url: must begin with wss:// instead of https://"},
		"a wrong reference": {text: "name: a\nurl: wss://${env:NOTHING}/", read: "t.yaml:2:6: url: needs the variable NOTHING, which is not set"},
		"an odd port":       {text: "name: a\nurl: wss://h:{{target.port}}/", target: map[string]string{"port": "x"}, made: "t.yaml:2:6: url: must have a port between 1 and 65535"},
		"no such value":     {text: "name: a\nurl: wss://{{target.a}}/\nlabels:\n  b: '{{target.label.b}}'", target: map[string]string{"a": "h"}, made: "t.yaml:4:6: labels.b: needs target.label.b, which the target does not have"},
		"a long name":       {text: "name: '{{target.a}}'\nurl: wss://h/", target: map[string]string{"a": strings.Repeat("x", 129)}, made: "t.yaml:1:7: name: must be at most 128 characters, got 129"},
		"an empty name":     {text: "name: '{{target.a}}'\nurl: wss://h/", target: map[string]string{"a": ""}, made: "t.yaml:1:7: name: must not be empty"},
		"no number":         {text: "name: a\nurl: wss://h/\ntimeout_ms: '{{target.a}}'", target: map[string]string{"a": "soon"}, made: "t.yaml:3:13: timeout_ms: must be a whole number in decimal digits"},
		"no UTF-8":          {text: "name: '{{target.a}}'\nurl: wss://h/", target: map[string]string{"a": "\xff"}, made: "t.yaml:1:7: name: needs target.a to be UTF-8"},
		"no such file":      {text: "name: a\nurl: wss://h/\ntls:\n  ca_file: '{{target.a}}.pem'", target: map[string]string{"a": "nothing"}, made: `t.yaml:4:12: tls.ca_file: cannot read "nothing.pem"`},
		"in a step":         {text: "name: a\nurl: wss://h/\nexchange:\n  - expect: x\n    timeout_ms: '{{target.a}}'", target: map[string]string{"a": "0"}, made: "t.yaml:5:17: exchange[0].timeout_ms: must be between"},
		"a secret":          {text: "name: a\nurl: wss://h/\nproxy_url: '{{target.a}}://u:${file:testdata/secret}@p'", target: map[string]string{"a": "ftp"}, made: "t.yaml:3:12: proxy_url: must begin with"},
	} {
		t.Run(name, func(t *testing.T) {
			template, err := ParseTemplate("t.yaml", []byte(test.text))
			if test.read != "" {
				if err == nil || !strings.HasPrefix(err.Error(), test.read) || template != nil {
					t.Errorf("reading: got %v, want %s", err, test.read)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_, err = template.Probe(test.target)
			var faults *Error
			if !errors.As(err, &faults) || len(faults.Faults) != 1 || !strings.HasPrefix(err.Error(), test.made) {
				t.Errorf("making: got %v, want %s", err, test.made)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("a secret is repeated: %v", err)
			}
		})
	}
}

// TestTemplateIsBounded: targets cannot make a huge probe of a small template.
func TestTemplateIsBounded(t *testing.T) {
	clearEnvironment(t)
	template, err := ParseTemplate("t.yaml", []byte("name: a\nurl: wss://h/\nlabels: {a: '"+strings.Repeat("{{target.a}}", 80)+"'}"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = template.Probe(map[string]string{"a": strings.Repeat("x", 1<<20)})
	if err == nil || !strings.Contains(err.Error(), "labels.a: makes more than 64 MiB of this file") {
		t.Errorf("got %.300v", err)
	}
}

// TestTemplateWarnings: what can hardly be meant is told when the template is read.
func TestTemplateWarnings(t *testing.T) {
	clearEnvironment(t)
	template, err := ParseTemplate("t.yaml", []byte("name: a\nurl: wss://{{target.a}}/\ninterval: 5s\ntimeout_ms: 6000"))
	if err != nil || len(template.Warnings) != 1 || template.Warnings[0].Path != "interval" || template.Warnings[0].Line != 3 {
		t.Errorf("%v, %v", template, err)
	}
}

package config

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/config/discovery"
)

// moduleFile is a file with a module that has these lines, and a source that fills it.
func moduleFile(discover, module string) []byte {
	text := "discover:\n  - {name: d, module: m, files: ['*.json']" + discover + "}\nmodules:\n  - name: m\n"
	for line := range strings.Lines(module) {
		text += "    " + line
	}
	return []byte(text)
}

// discoverOf reads such a file.
func discoverOf(t *testing.T, discover, module string) *Discover {
	t.Helper()
	config, err := loadText(moduleFile(discover, module))
	if err != nil {
		t.Fatal(err)
	}
	return &config.Discover[0]
}

// TestModule: every value of a target stands where the module asks for it, and means itself.
func TestModule(t *testing.T) {
	clearEnvironment(t)
	t.Setenv("TOKEN", "secret-{{target.address}}")
	d := discoverOf(t, `, probe_name: "chat at {{target.address}}", url: "wss://{{ target.address }}/{{target.label.__path}}"`, `
interval: "{{target.label.every}}"
interpretation: round_trip_latency
timeout_ms: "{{target.label.ms}}"
connect_to: &address "{{target.address}}"
headers: {X-To: *address, Authorization: "Bearer ${env:TOKEN}-{{target.label.__path}}"}
labels: {area: "{{target.label.zone}}", kept: "{{name}} {{target}} {target.address}"}
protocols: ["v1.{{target.label.zone}}"]
exchange:
  - {send: "{{target.label.__odd}} {{nonce}}", expect_pattern: "^{{target.label.__odd}}(?P<id>.)"}
  - {send: "{{id}} {{\"{{\"}}target.address}}", expect_json: {a.b: "{{target.label.__odd}}"}}
`)
	target := discovery.Target{Address: "10.0.0.1:8080", Labels: map[string]string{"__path": "v2", "every": "5s", "ms": "2000", "zone": "a.b", "__odd": "{{nonce}}.*", "empty": ""}}
	p, err := d.Probe(target)
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
	if want := map[string]string{"area": "a.b", "zone": "a.b", "every": "5s", "ms": "2000", "kept": "{{name}} {{target}} {target.address}"}; !maps.Equal(p.Labels, want) {
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

	again, err := d.Probe(target)
	if err != nil || again.Digest != p.Digest {
		t.Errorf("the same target makes another probe: %v", err)
	}
	target.Labels["__path"] = "v3"
	if other, err := d.Probe(target); err != nil || other.Digest == p.Digest || other.Spec.URL != "wss://10.0.0.1:8080/v3" {
		t.Errorf("another target makes the same probe: %s, %v", other.Spec.URL, err)
	}
}

// TestModuleIsAProbe: a module with a name and a URL is what an entry of the list of probes is, with the same defaults.
func TestModuleIsAProbe(t *testing.T) {
	clearEnvironment(t)
	t.Setenv("TOKEN", "first")
	const entry = "tls: {ca_file: testdata/tls/cert.pem}, headers: {A: '${env:TOKEN}'}, thresholds: {healthy: '< 5'}, labels: {b: c}"
	file := "defaults: {interval: 7s, labels: {a: b}, headers: {B: '${env:TOKEN}'}, auth: {strategy: bearer, token: t}}\n" +
		"probes: [{name: a, url: 'wss://h/x?q=1', " + entry + "}]\nmodules: [{name: m, " + entry + "}]"
	config, err := loadText([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	p, err := config.Modules[0].Probe("a", "wss://h/x?q=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Probes[0]
	if p.Digest != want.Digest || p.ShownURL() != want.ShownURL() || p.Spec.TLS.RootCAs != want.Spec.TLS.RootCAs || !maps.Equal(p.Spec.Headers, want.Spec.Headers) {
		t.Errorf("got %+v, want %+v", p, want)
	}
	t.Setenv("TOKEN", "second")
	rotated, err := loadText([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if second, err := rotated.Modules[0].Probe("a", "wss://h/x?q=1", nil); err != nil || second.Digest != p.Digest || second.Spec.Headers["A"] != "second" {
		t.Errorf("a rotated secret makes another probe: %v", err)
	}
	config.Modules[0].SetUserAgent("mine")
	if p, err := config.Modules[0].Probe("{{target.x}}", "wss://h/{{target.x}}", nil); err != nil || p.Name != "{{target.x}}" || p.Spec.UserAgent != "mine" {
		t.Errorf("name and URL are not taken as they are: %+v, %v", p, err)
	}
}

// TestModuleFaults: a fault for any target is told when the file is read, and the rest for the target.
func TestModuleFaults(t *testing.T) {
	clearEnvironment(t)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.ring=canary")
	labels := func(all ...string) (target discovery.Target) {
		target = discovery.Target{Address: "h:1", Labels: map[string]string{}}
		for i := 0; i < len(all); i += 2 {
			target.Labels[all[i]] = all[i+1]
		}
		return target
	}
	for name, test := range map[string]struct {
		discover, module string
		target           discovery.Target
		read             string // what Parse says
		made             string // what Probe says
	}{
		"a field amiss":           {module: "urls: x", read: "w.yaml:5:5: modules[0].urls: is no field of a probe, did you mean url"},
		"a url":                   {module: "url: ws://h/", read: "w.yaml:5:5: modules[0].url: is not allowed in a module: the target has it"},
		"a wrong value":           {module: "timeout_ms: 1", read: "w.yaml:5:17: modules[0].timeout_ms: must be between 100 and 30000, got 1"},
		"a wrong scheme":          {discover: ", url: 'https://{{target.address}}/'", read: "w.yaml:2:50: discover[0].url: must begin with wss:// instead of https://"},
		"tls in vain":             {discover: ", url: 'ws://{{target.address}}/'", module: "tls: {insecure_skip_verify: true}", read: "w.yaml:5:5: modules[0].tls: is not allowed: the url is not wss://"},
		"no such authorities":     {module: "interval: '{{target.label.a}}'\ntls: {ca_file: nothing.pem}", read: `w.yaml:6:20: modules[0].tls.ca_file: cannot read "nothing.pem"`},
		"a wrong reference":       {module: "send_message: '${env:NOTHING}'", read: "w.yaml:5:19: modules[0].send_message: needs the variable NOTHING, which is not set"},
		"an odd port":             {discover: ", url: 'ws://h:{{target.label.p}}/'", target: labels("p", "x"), made: "w.yaml:2:50: url: must have a port between 1 and 65535"},
		"no such value":           {module: "labels:\n  b: '{{target.label.c}}'", target: labels(), made: "w.yaml:6:10: labels.b: needs target.label.c, which the target does not have"},
		"a long name":             {discover: ", probe_name: '{{target.label.a}}'", target: labels("a", strings.Repeat("x", 129)), made: "w.yaml:2:57: probe_name: must be at most 128 characters, got 129"},
		"an empty name":           {discover: ", probe_name: '{{target.label.a}}'", target: labels("a", ""), made: "w.yaml:2:57: probe_name: must not be empty"},
		"a name unseen":           {discover: ", probe_name: '{{target.label.__a}}'", target: labels("__a", "x\u202ey"), made: "w.yaml:2:57: probe_name: must consist of printable characters, got U+202E"},
		"no number":               {module: "timeout_ms: '{{target.label.a}}'", target: labels("a", "soon"), made: "w.yaml:5:17: timeout_ms: must be a whole number in decimal digits"},
		"no UTF-8":                {discover: ", probe_name: '{{target.label.__a}}'", target: labels("__a", "\xff"), made: "w.yaml:2:57: probe_name: needs target.label.__a to be UTF-8"},
		"no such file":            {discover: ", url: 'wss://h/'", module: "tls:\n  ca_file: '{{target.label.a}}.pem'", target: labels("a", "nothing"), made: `w.yaml:6:16: tls.ca_file: cannot read "nothing.pem"`},
		"in a step":               {module: "exchange:\n  - expect: x\n    timeout_ms: '{{target.label.a}}'", target: labels("a", "0"), made: "w.yaml:7:21: exchange[0].timeout_ms: must be between"},
		"a secret":                {module: "proxy_url: '{{target.label.a}}://u:${file:testdata/secret}@p'", target: labels("a", "ftp"), made: "w.yaml:5:16: proxy_url: must begin with"},
		"no address":              {target: discovery.Target{Address: "no host"}, made: "w.yaml:4:5: url: must not contain blanks or control characters"},
		"a label of ours":         {target: labels("server_address", "a"), made: "w.yaml:4:5: labels.server_address: is not allowed: it is an attribute that wsprobe sets itself"},
		"a label of the resource": {target: labels("deployment_ring", "a"), made: "w.yaml:4:5: labels.deployment_ring: is an attribute of OTEL_RESOURCE_ATTRIBUTES, too"},
		"a label misnamed":        {target: labels("_a", "a"), made: "w.yaml:4:5: labels._a: must be named by letters"},
		"a label for a terminal":  {target: labels("a", "\x1b[2J"), made: "w.yaml:4:5: labels.a: must consist of printable characters, got U+001B"},
		"a label too long":        {target: labels("a", strings.Repeat("x", 1025)), made: "w.yaml:4:5: labels.a: must be at most 1024 characters, got 1025"},
		"no session":              {module: "session: '{{target.label.x}}'", target: labels("x", "{{y}}"), made: "w.yaml:5:14: session: must be a mapping"},
		"no heartbeat":            {module: "session: {heartbeat: '{{target.label.x}}'}", target: labels("x", "{{y}}"), made: "w.yaml:5:26: session.heartbeat: must be a mapping"},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := Parse("w.yaml", moduleFile(test.discover, test.module))
			if test.read != "" {
				if err == nil || !strings.HasPrefix(err.Error(), test.read) || strings.Contains(err.Error(), "\n") {
					t.Errorf("reading: got %v, want %s", err, test.read)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_, err = config.Discover[0].Probe(test.target)
			var faults *Error
			if !errors.As(err, &faults) || len(faults.Faults) != 1 || !strings.HasPrefix(err.Error(), test.made) {
				t.Errorf("making: got %v, want %s", err, test.made)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("a secret is repeated: %v", err)
			}
			if _, err := config.Discover[0].Probe(test.target); err == nil || err.Error() != faults.Error() {
				t.Errorf("the second time: %v, first %v", err, faults)
			}
		})
	}
}

// TestModuleIsBounded: targets cannot make a huge probe of a small module.
func TestModuleIsBounded(t *testing.T) {
	clearEnvironment(t)
	d := discoverOf(t, "", "labels: {a: '"+strings.Repeat("{{target.address}}", 80)+"'}")
	_, err := d.Probe(discovery.Target{Address: strings.Repeat("x", 1<<20)})
	if err == nil || !strings.Contains(err.Error(), "labels.a: makes more than 64 MiB of this file") {
		t.Errorf("got %.300v", err)
	}
}

// TestModuleWarnings: what can hardly be meant is told when the file is read.
func TestModuleWarnings(t *testing.T) {
	clearEnvironment(t)
	config, err := loadText(moduleFile("", "interval: 5s\ntimeout_ms: 6000"))
	if err != nil || len(config.Warnings) != 1 || config.Warnings[0].Path != "modules[0].interval" || config.Warnings[0].Line != 5 {
		t.Errorf("%v, %v", config.Warnings, err)
	}
}

// TestDiscoverDefaults: without url and probe_name, a target is probed under its address and named by it.
func TestDiscoverDefaults(t *testing.T) {
	clearEnvironment(t)
	for name, test := range map[string]struct {
		discover       string
		target         discovery.Target
		url, shown, is string
	}{
		"host and port":       {target: discovery.Target{Address: "h:1"}, url: "ws://h:1", is: "d/h:1"},
		"a URL":               {target: discovery.Target{Address: "wss://h/a?token=x"}, url: "wss://h/a?token=x", is: "d/wss://h/a?[redacted]"},
		"behind a URL":        {discover: ", url: '{{target.address}}/b'", target: discovery.Target{Address: "wss://h/a"}, url: "wss://h/a/b", is: "d/wss://h/a"},
		"IPv6":                {discover: ", url: 'ws://{{target.host}}:{{target.port}}/'", target: discovery.Target{Address: "[::1]:80"}, url: "ws://[::1]:80/", is: "d/[::1]:80"},
		"parts of a URL":      {discover: ", url: 'wss://{{target.host}}:{{target.port}}/'", target: discovery.Target{Address: "https://h/metrics"}, url: "wss://h:443/", is: "d/https://h/metrics"},
		"the host of its own": {discover: ", probe_name: 'at {{target.host}}'", target: discovery.Target{Address: "10.0.0.1:1", Host: "pod"}, url: "ws://10.0.0.1:1", is: "at pod"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := discoverOf(t, test.discover, "interval: 5s").Probe(test.target)
			if err != nil || p.Spec.URL != test.url || p.Name != test.is || strings.Contains(p.ShownURL(), "token") {
				t.Errorf("%s at %s, shown as %s, %v", p.Name, p.Spec.URL, p.ShownURL(), err)
			}
		})
	}
}

// TestDiscoverDNS: a probe connects to the address and speaks to the name.
func TestDiscoverDNS(t *testing.T) {
	clearEnvironment(t)
	for name, test := range map[string]struct{ discover, want string }{
		"the name of the URL": {"url: 'wss://chat.default.svc/socket', dns: {}", "chat.default.svc A 443 wss://chat.default.svc/socket"},
		"names":               {"dns: {names: [a, b], port: 81, type: AAAA}", "a,b AAAA 81 ws://pod:81"},
		"records with ports":  {"url: 'wss://{{target.host}}:{{target.port}}/', dns: {names: [_ws._tcp.h], type: SRV}", "_ws._tcp.h SRV 0 wss://pod:81/"},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := loadText([]byte("modules: [{name: m}]\ndiscover: [{module: m, " + test.discover + "}]"))
			if err != nil {
				t.Fatal(err)
			}
			d := config.Discover[0]
			p, err := d.Probe(discovery.Target{Address: "10.0.0.1:81", Host: "pod", ConnectTo: "10.0.0.1:81"})
			dns := d.Source.DNS
			got := strings.Join(dns.Names, ",") + " " + dns.Type + " " + strconv.Itoa(dns.Port) + " " + p.Spec.URL
			if err != nil || got != test.want || p.Spec.ConnectTo != "10.0.0.1:81" || p.Name != "m/10.0.0.1:81" || d.Kind() != "dns" {
				t.Errorf("got %s, want %s, %+v, %v", got, test.want, p, err)
			}
		})
	}
}

// TestDiscoverDigest: what finds other targets is another source, but a secret in a reference can be rotated.
func TestDiscoverDigest(t *testing.T) {
	clearEnvironment(t)
	t.Setenv("TOKEN", "first")
	digest := func(entry string) Digest {
		t.Helper()
		config, err := loadText([]byte("modules: [{name: m}]\ndiscover: [{module: m, " + entry + "}]"))
		if err != nil {
			t.Fatal(err)
		}
		return config.Discover[0].Digest
	}
	seen := make(map[Digest]string)
	for _, entry := range []string{
		"files: [a.json]", "files: [a.json, b.json]", "files: [a.json], refresh: 5s", "files: [a.json], max_targets: 5", "dns: {names: [a], port: 1}", "dns: {names: [b], port: 1}",
		"dns: {names: [a], port: 2}", "dns: {names: [a], type: SRV}", "dns: {names: [a], port: 1, server: 'h:53'}", "http: {url: 'http://h/'}", "http: {url: 'https://h/'}",
		"http: {url: 'https://h/', tls: {insecure_skip_verify: true}}", "http: {url: 'https://h/', auth: {strategy: bearer, token: '${env:TOKEN}'}}",
		"http: {url: 'https://h/', headers: {A: '${env:TOKEN}'}}", "http: {url: 'https://h/', timeout_ms: 500}", "http: {url: 'https://h/?a=${env:TOKEN}'}",
	} {
		before := digest(entry)
		if other := seen[before]; other != "" {
			t.Errorf("%s and %s are the same", entry, other)
		}
		seen[before] = entry
		t.Setenv("TOKEN", "second")
		if digest(entry) != before {
			t.Errorf("%s: a rotated secret makes another source", entry)
		}
		t.Setenv("TOKEN", "first")
	}
	if digest("files: [a.json], url: 'ws://h/', probe_name: b") != digest("files: [a.json]") {
		t.Error("a source depends on what is made of its targets")
	}
}

// TestDiscoverAcrossFiles: a source finds its module in another file, with the defaults of that file, and the secret of
// its own. A certificate of a module is among the files that were read.
func TestDiscoverAcrossFiles(t *testing.T) {
	clearEnvironment(t)
	dir := t.TempDir()
	t.Setenv("TOKEN", "swordfish")
	for name, text := range map[string]string{
		"a.yaml": "defaults: {interval: 7s}\nmodules: [{name: m, tls: {ca_file: testdata/tls/cert.pem}, headers: {A: '${env:TOKEN}'}}]\n",
		"b.yaml": "# b\ndefaults: {interval: 9s}\ndiscover: [{module: m, url: 'wss://{{target.address}}/${env:TOKEN}', files: ['*.json']}]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(config.Files, "testdata/tls/cert.pem") {
		t.Errorf("files %q", config.Files)
	}
	d := &config.Discover[0]
	p, err := d.Probe(discovery.Target{Address: "h:1"})
	if err != nil || p.Interval != 7*time.Second || p.Spec.URL != "wss://h:1/swordfish" || p.ShownURL() != "wss://h:1/[redacted]" || p.Spec.Headers["A"] != "swordfish" {
		t.Errorf("%+v, shown as %s, %v", p, p.ShownURL(), err)
	}
	want := filepath.Join(dir, "b.yaml") + ":3:29: url: must not contain blanks or control characters"
	if _, err := d.Probe(discovery.Target{Address: "h h"}); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

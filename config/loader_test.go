package config

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// plain returns a configuration without the functions and certificates, which cannot be compared, and what these come
// to.
func plain(c Config) (Config, []string) {
	var said []string
	tell := func(config *tls.Config) {
		if config != nil {
			said = append(said, fmt.Sprint(config.ServerName, config.InsecureSkipVerify, config.MinVersion, config.NextProtos,
				len(config.Certificates), config.RootCAs != nil))
		}
	}
	c.Probes = slices.Clone(c.Probes)
	for i := range c.Probes {
		p := &c.Probes[i]
		if p.Spec.Authorize != nil {
			text, err := p.Spec.Authorize(context.Background())
			said = append(said, p.Name, text, fmt.Sprint(err))
		}
		tell(p.Spec.TLS)
		p.Spec.Authorize, p.Spec.Unauthorized, p.Spec.TLS, p.origin = nil, nil, nil, nil
		if p.Session != nil {
			held := *p.Session
			held.Authorize, held.Unauthorized, held.TLS = nil, nil, nil
			if len(p.connections) > 0 {
				held.Connections = nil
			}
			p.Session = &held
		}
		if len(p.connections) > 0 {
			p.connections, p.Spec.Connections = nil, nil
		}
	}
	tell(c.OTLP.TLS)
	c.OTLP.TLS, c.Streams, c.Modules, c.Discover = nil, nil, nil, nil // which are read anew by every load
	return c, said
}

// checkLoader loads the files of two directories one after the other, and wants what Load makes of the second. It
// returns how many probes were kept.
func checkLoader(t *testing.T, l *Loader, names ...string) {
	t.Helper()
	got, err := l.Load(names...)
	want, wantErr := Load(names...)
	if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
		t.Errorf("got %v\nwant %v", err, wantErr)
	}
	var faults, wantFaults *Error
	if errors.As(err, &faults) && errors.As(wantErr, &wantFaults) && !slices.Equal(faults.Files, wantFaults.Files) {
		t.Errorf("files %q, want %q", faults.Files, wantFaults.Files)
	}
	gotPlain, gotSaid := plain(got)
	wantPlain, wantSaid := plain(want)
	if !reflect.DeepEqual(gotPlain, wantPlain) || !slices.Equal(gotSaid, wantSaid) {
		t.Errorf("got  %+v %q\nwant %+v %q", gotPlain, gotSaid, wantPlain, wantSaid)
	}
}

// loaderBase is a file in which most of a probe can be kept, and something of each kind cannot.
const loaderBase = `agent: {listen: ""}
x-labels: &labels {team: chat}
defaults:
  headers: {Origin: "https://example.com", X-Token: "${file:token}"}
  labels: {from: defaults}
  auth: {strategy: bearer, token_file: bearer}
  tls: {insecure_skip_verify: true}
probes:   # all of them
  # a comment before the first
  - name: a
    url: wss://a.example.com/?q=1
    interpretation: round_trip_latency
    send_message: |-
      - name: x
        url: y
    expect_message: pong
  - {name: b, url: "ws://b.example.com/", labels: {pod: b-1}, enabled: false}

  - name: c
    url: wss://c.example.com/
    labels: *labels
  - name: d
    url: wss://d.example.com/
    headers: {X-Token: null, Authorization: "own"}
  - name: e
    url: wss://e.example.com/
    session: {ping_interval: 5s}
  - name: f
    url: wss://f.example.com/
    auth: {strategy: none}
    interval: 5s   # shorter than the timeout
  - name: "g-${file:token}"
    url: wss://g.example.com/
  - name: h
    url: wss://h.example.com/
    session: {ping_interval: 5s}
    connect_to: 10.0.0.1:443
    maintenance: [{days: [sat], from: "22:00", to: "02:00", zone: Europe/Berlin}]
streams:
  - {url: "wss://events.example.com/"}
`

// TestLoader: whatever changes from one load to the next, a Loader has the result of Load.
func TestLoader(t *testing.T) {
	clearEnvironment(t)
	t.Chdir(t.TempDir())
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("token", "one")
	write("bearer", "two")
	l := new(Loader)
	replace := strings.NewReplacer
	for _, change := range []struct {
		name string
		text string
		kept int // of 8, by the load
	}{
		{"the first", loaderBase, 5},
		{"nothing", loaderBase, 5},
		{"one more", strings.Replace(loaderBase, "streams:", "  - {name: i, url: 'wss://i.example.com/'}\nstreams:", 1), 6},
		{"one less", strings.Replace(loaderBase, "  - name: d\n    url: wss://d.example.com/\n    headers: {X-Token: null, Authorization: \"own\"}\n", "", 1), 4},
		{"another order", replace("name: a\n", "name: h\n", "name: h\n", "name: a\n").Replace(loaderBase), 5},
		{"a fault", strings.Replace(loaderBase, "name: d", "name: b", 1), 5},
		{"a warning", strings.Replace(loaderBase, "name: c", "interval: 5s\n    name: c", 1), 5},
		{"the defaults", strings.Replace(loaderBase, "from: defaults", "from: others", 1), 5},
		{"the rest", strings.Replace(loaderBase, `listen: ""`, `location: x`, 1), 5},
		{"an open quote", strings.Replace(loaderBase, "name: d", `name: "d`, 1), 5},
		{"a quote over two items", replace("url: wss://c.example.com/", `url: "wss://c.example.com/`, "url: wss://d.example.com/", `url: wss://d.example.com/"`).Replace(loaderBase), 5},
		{"an anchor in an item", replace("labels: {pod: b-1}", "labels: &labels {pod: b-1}", "x-labels: &labels {team: chat}\n", "").Replace(loaderBase), 4},
		{"an alias behind it", strings.Replace(loaderBase, "  - name: h\n", "  - &h {name: z, url: 'wss://z/'}\n  - name: h\n", 1) + "x-more: *h\n", 0},
		{"a tail without end", loaderBase + "otlp: {", 0},
		{"no list", "probes: [{name: a, url: 'wss://a/'}]\n", 0},
		{"a list at the margin", "probes:\n- name: a\n  url: wss://a.example.com/\n- name: b\n  url: wss://b.example.com/\n", 2},
		{"the same with other lines", "probes:\r\n- name: a\r\n  url: wss://a.example.com/\r\n- name: b\r\n  url: wss://b.example.com/\r\n", 2},
		{"a second document", "probes:\n- name: a\n  url: wss://a.example.com/\n---\nprobes: []\n", 2},
		{"no end of the line", "probes:\n- name: a\n  url: wss://a.example.com/", 1},
		{"twice", "probes:\n- name: a\n  url: wss://a.example.com/\n- name: a\n  url: wss://a.example.com/", 1},
		{"the base again", loaderBase, 5},
	} {
		write("a.yaml", change.text)
		t.Run(change.name, func(t *testing.T) {
			checkLoader(t, l, "a.yaml")
			if f := l.kept["a.yaml"]; change.kept > 0 && f.size() != change.kept {
				t.Errorf("kept %d, want %d", f.size(), change.kept)
			}
		})
	}
	for name, do := range map[string]func(){
		"a reference":  func() { write("token", "three") },
		"a file":       func() { write("bearer", "four") },
		"a variable":   func() { t.Setenv("HTTPS_PROXY", "http://proxy:1") },
		"another file": func() { write("b.yaml", "probes:\n  - name: z\n    url: wss://z.example.com/\n") },
		"its name":     func() { write("b.yaml", "probes:\n  - name: a\n    url: wss://z.example.com/\n") },
	} {
		t.Run(name, func(t *testing.T) {
			do()
			names := []string{"a.yaml"}
			if _, err := os.Stat("b.yaml"); err == nil {
				names = append(names, "b.yaml")
			}
			checkLoader(t, l, names...)
			checkLoader(t, l, names...)
		})
	}
}

// TestOrigin: two probes have the same origin only if everything about them is the same.
func TestOrigin(t *testing.T) {
	clearEnvironment(t)
	t.Chdir(t.TempDir())
	t.Setenv("ONE", "1")
	l := new(Loader)
	origins := func(text string) (origins []Origin) {
		t.Helper()
		if err := os.WriteFile("a.yaml", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := l.Load("a.yaml")
		if err != nil {
			t.Fatal(err)
		}
		for i := range cfg.Probes {
			origins = append(origins, cfg.Probes[i].Origin())
		}
		return origins
	}
	const rest = "probes:\n  - {name: a, url: 'wss://a/'}\n  - {name: b, url: 'wss://a/'}\n  - {name: c, url: 'wss://a/${env:ONE}'}\n  - {name: d, url: 'wss://a/', tls: {min_version: '1.3'}}\n"
	first := origins(rest)
	if !first[0].Known() || first[0] == first[1] || first[2].Known() || first[3].Known() {
		t.Errorf("%+v", first)
	}
	if again := origins(strings.Replace(rest, "name: b", "name: x", 1)); again[0] != first[0] || again[1] == first[1] {
		t.Errorf("%+v, then %+v", first, again)
	}
	if again := origins("defaults: {headers: {X-Token: '${env:ONE}'}}\n" + rest); again[0] == first[0] || !again[0].Known() {
		t.Errorf("%+v, then %+v", first, again)
	}
	with := origins("defaults: {headers: {X-Token: '${env:ONE}'}}\n" + rest)
	t.Setenv("ONE", "2")
	if rotated := origins("defaults: {headers: {X-Token: '${env:ONE}'}}\n" + rest); rotated[0] == with[0] {
		t.Error("a rotated secret has the same origin")
	}
}

// size is how many probes are kept.
func (k *keptFile) size() int {
	if k == nil {
		return 0
	}
	return len(k.probes)
}

// TestLoaderReadsNoPipeTwice: a reload does not wait for a pipe.
func TestLoaderReadsNoPipeTwice(t *testing.T) {
	l := new(Loader)
	if _, err := l.Load(os.DevNull); err == nil || strings.Contains(err.Error(), "regular") {
		t.Error(err)
	}
	if _, err := l.Load(os.DevNull); err == nil || err.Error() != os.DevNull+": is no regular file" {
		t.Error(err)
	}
}

// TestLoaderMemory: what a Loader keeps of probes as people with many write them is a small part of them.
func TestLoaderMemory(t *testing.T) {
	clearEnvironment(t)
	const n = 10_000
	file := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(file, manyProbes(n), 0o600); err != nil {
		t.Fatal(err)
	}
	l := new(Loader)
	cfg, err := l.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for i := range cfg.Probes {
		cfg.Probes[i].origin = nil // which the Loader would keep anyway
	}
	with := heap()
	runtime.KeepAlive(l)
	l = nil
	perProbe := (with - heap()) / n
	t.Logf("%d bytes per probe", perProbe)
	if perProbe > 200 {
		t.Errorf("%d bytes per probe", perProbe)
	}
	runtime.KeepAlive(cfg)
}

// TestLoaderOfMutations: lines that come, go, move and break make no difference between a Loader and Load.
func TestLoaderOfMutations(t *testing.T) {
	clearEnvironment(t)
	t.Chdir(t.TempDir())
	if err := errors.Join(os.WriteFile("token", []byte("one"), 0o600), os.WriteFile("bearer", []byte("two"), 0o600)); err != nil {
		t.Fatal(err)
	}
	marks := []string{`"`, "'", "|", ">", "[", "]", "{", "}", "#", "- ", "  ", "&a ", "*a", "? ", ": ", "---\n", "\n", "\t", "probes:\n", "!!map ", "<<: "}
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		l, text := new(Loader), loaderBase
		for range 10 {
			if err := os.WriteFile("a.yaml", []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if checkLoader(t, l, "a.yaml"); t.Failed() {
				t.Fatalf("after\n%s", text)
			}
			lines := strings.SplitAfter(text, "\n")
			i, j := random.IntN(len(lines)), random.IntN(len(lines))
			switch random.IntN(6) {
			case 0:
				lines = slices.Delete(lines, i, min(i+1+random.IntN(3), len(lines)))
			case 1:
				lines[i], lines[j] = lines[j], lines[i]
			case 2:
				lines = slices.Insert(lines, i, lines[j])
			case 3:
				at := random.IntN(len(lines[i]) + 1)
				lines[i] = lines[i][:at] + marks[random.IntN(len(marks))] + lines[i][at:]
			default: // and something that can be right
				lines[i] = strings.Replace(lines[i], ".example.com", fmt.Sprintf("-%d.example.com", j), 1)
			}
			if text = strings.Join(lines, ""); random.IntN(3) == 0 {
				text = loaderBase
			}
		}
	}
}

// FuzzLoader: a Loader that has loaded one text has the result of Load for another.
func FuzzLoader(f *testing.F) {
	clearEnvironment(f)
	f.Add([]byte(loaderBase), []byte(strings.Replace(loaderBase, "name: d", `name: "d`, 1)))
	f.Add([]byte("probes:\n  - name: a\n    url: ws://a/\n  - name: b\n    url: ws://b/\n"), []byte("probes:\n  - name: c\n    url: ws://a/\n  - name: b\n    url: ws://b/\n"))
	f.Add([]byte("probes:\n- {name: a, url: ws://a/}\n- {name: b, url: ws://b/}\nagent: {}\n"), []byte("probes:\n- {name: \"a\n- {name: b, url: ws://b/}\nagent: \"{}\n"))
	f.Fuzz(func(t *testing.T, before, after []byte) {
		l := new(Loader)
		file := filepath.Join(t.TempDir(), "a.yaml")
		for _, text := range [][]byte{before, after, before} {
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			checkLoader(t, l, file)
		}
	})
}

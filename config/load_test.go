package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/config/discovery"
)

// manyProbes is a configuration with n probes, as a person with many would generate it.
func manyProbes(n int) []byte {
	var b bytes.Buffer
	b.WriteString("defaults:\n  interval: 30s\n  headers: {Origin: 'https://example.com'}\n  labels: {team: chat}\nprobes:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - name: probe-%d\n    url: wss://host-%d.example.com/socket\n    interpretation: round_trip_latency\n"+
			"    send_message: '{\"op\":\"ping\"}'\n    expect_message: '\"op\":\"pong\"'\n", i, i)
	}
	return b.Bytes()
}

// TestMemory: what stays after Load is the probes, and what they have in common is there once.
func TestMemory(t *testing.T) {
	clearEnvironment(t)
	const n = 10_000
	text := manyProbes(n)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	config, err := loadText(text)
	if err != nil {
		t.Fatal(err)
	}
	perProbe := (int64(heap()) - int64(before)) / n
	if perProbe > 500 {
		t.Errorf("%d bytes per probe", perProbe)
	}
	pointer := func(m map[string]string) uintptr { return reflect.ValueOf(m).Pointer() }
	first, last := config.Probes[0], config.Probes[n-1]
	if pointer(first.Labels) != pointer(last.Labels) || pointer(first.Spec.Headers) != pointer(last.Spec.Headers) {
		t.Error("the maps of the defaults are not shared")
	}
	runtime.KeepAlive(config)
}

// TestHostileSizes: no small file keeps Load busy for long. What multiplies its size by itself would run into the time
// limit of go test; a limit of our own would only tell how busy the machine is.
func TestHostileSizes(t *testing.T) {
	if testing.Short() {
		t.Skip("slow with the race detector")
	}
	clearEnvironment(t)
	const probe = "  - {name: a, url: 'wss://example.com/', "
	repeat := strings.Repeat
	var chain strings.Builder
	chain.WriteString("probes:\n  - &p0 {name: p0, url: 'wss://example.com/'}\n")
	for i := 1; i < 5_000; i++ {
		fmt.Fprintf(&chain, "  - &p%d {<<: *p%d, name: p%d}\n", i, i-1, i)
	}
	var doubling strings.Builder
	doubling.WriteString("defaults:\n  headers: &l0 {a: b}\n  labels: &l1 {<<: [*l0, *l0]}\n  protocols: [x]\nprobes:\n")
	for i := 2; i < 40; i++ {
		fmt.Fprintf(&doubling, "  - &l%d {<<: [*l%d, *l%d, *l%d, *l%d]}\n", i, i-1, i-1, i-1, i-1)
	}
	var keys strings.Builder
	for i := range 5_000 {
		fmt.Fprintf(&keys, "k%d: x, ", i)
	}
	for name, text := range map[string]string{
		"deep lists":     "probes: " + repeat("[", 9_000) + repeat("]", 9_000),
		"deep mappings":  "probes: " + repeat("{a: ", 9_000) + repeat("}", 9_000),
		"deep keys":      repeat("? ", 9_000),
		"merge chain":    chain.String(),
		"merge doubling": doubling.String(),
		"many aliases":   "probes:\n  - &p {name: a, " + keys.String() + "}\n" + repeat("  - *p\n", 5_000),
		"many headers":   "defaults: {headers: &h {" + keys.String() + "}}\nprobes:\n" + repeat(probe+"headers: {<<: *h}}\n", 2_500),
		"aliased maps":   "defaults: {headers: &h {" + keys.String() + "}}\nprobes:\n" + repeat(probe+"headers: *h}\n", 2_500),
		"aliased lists":  "probes:\n" + probe + "protocols: &l [" + repeat("x, ", 2_000) + "]}\n" + repeat(probe+"protocols: *l}\n", 500),
		"unknown keys":   "probes:\n" + probe + keys.String() + "}\n",
		"same key":       "probes:\n" + probe + repeat("x: 1, ", 5_000) + "}\n",
		"same name":      "probes:\n" + repeat(probe+"}\n", 2_500),
		"long key":       "probes:\n  - {\"" + repeat("timeout_ms", 20_000) + "\": 1}\n",
		"many items":     "probes: [" + repeat("x, ", 10_000) + "]\n",
		"comments":       repeat("# x\n", 1<<18) + "probes: []\n",
		"broken at end":  string(manyProbes(5_000)) + "x: y: z\n",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := loadText([]byte(text))
			var faults *Error
			if !errors.As(err, &faults) {
				t.Fatalf("got %v, want faults", err)
			}
			t.Logf("%v for %d bytes and %d faults", time.Since(start).Round(time.Millisecond), len(text), len(faults.Faults))
		})
	}
}

// FuzzLoad holds every text to the laws of Load: it does not panic, what it accepts is valid, and what it refuses
// has a place.
func FuzzLoad(f *testing.F) {
	clearEnvironment(f)
	for _, pattern := range []string{"testdata/good/*", "testdata/bad/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) < 4<<10 { // long texts only slow the fuzzer down
				f.Add(data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		config, err := loadText(data)
		if err == nil {
			checkAccepted(t, config)
			return
		}
		var faults *Error
		if !errors.As(err, &faults) || len(faults.Faults) == 0 {
			t.Fatalf("%T: %v", err, err)
		}
		seen := make(map[Fault]bool)
		lines := 1 + bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) + strings.Count(string(data), "\u0085") +
			strings.Count(string(data), "\u2028") + strings.Count(string(data), "\u2029")
		for _, fault := range faults.Faults {
			if fault.Line < 1 || fault.Column < 1 || fault.Line > lines {
				t.Errorf("no place in the file: %v", fault)
			}
			if text := fault.String(); strings.ContainsAny(text, "\r\n") || printableProblem(text) != "" {
				t.Errorf("not one line of text: %q", text)
			}
			if seen[fault] {
				t.Errorf("twice: %v", fault)
			}
			seen[fault] = true
		}
	})
}

// checkAccepted checks what has to be true of every configuration that Load accepts.
func checkAccepted(t *testing.T, config Config) {
	if len(config.Probes) == 0 && len(config.Discover) == 0 && len(config.Agent.ProbeEndpoint.Targets) == 0 {
		t.Error("no probes")
	}
	for i := range config.Discover {
		p, err := config.Discover[i].Probe(discovery.Target{Address: "h:1", Host: "h", ConnectTo: "h:1", Labels: map[string]string{"a": "b"}})
		if err == nil && len(p.Spec.Validate()) > 0 {
			t.Errorf("a target makes a probe that is not valid: %v", p.Spec.Validate())
		}
	}
	names := make(map[string]bool)
	for _, p := range config.Probes {
		if p.Name == "" || names[p.Name] {
			t.Errorf("name %q is empty or there twice", p.Name)
		}
		names[p.Name] = true
		if p.Interval < time.Second || p.Interval > 24*time.Hour {
			t.Errorf("interval %v", p.Interval)
		}
		if faults := p.Spec.Validate(); faults != nil {
			t.Errorf("accepted, but Validate says %v", faults)
		}
		p.Spec.Authorize, p.Spec.Unauthorized = nil, nil // functions cannot be compared
		for name, c := range p.Spec.Connections {
			c.Authorize = nil
			p.Spec.Connections[name] = c
		}
		if !reflect.DeepEqual(p.Spec, p.Spec.WithDefaults()) {
			t.Error("the defaults are not filled in")
		}
	}
	if config.Agent.MaxConcurrent < 1 || config.OTLP.Interval < time.Second || config.OTLP.Timeout <= 0 || config.OTLP.Endpoint.Address == "" {
		t.Errorf("%+v %+v", config.Agent, config.OTLP)
	}
	if secure := config.OTLP.Exports() && config.OTLP.Endpoint.Secure; secure != (config.OTLP.TLS != nil) {
		t.Error("TLS does not go with the endpoint")
	}
}

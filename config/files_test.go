package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestFileSets reads directories with a configuration of several files. names.txt has the names to load, by default the
// directory itself. want.txt has the probes, the streams and the disabled probes in their order, or every fault.
func TestFileSets(t *testing.T) {
	clearEnvironment(t)
	dirs, err := filepath.Glob("testdata/files/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("the corpus has %d directories (%v)", len(dirs), err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Chdir(dir)
			names := []string{"."}
			if text, err := os.ReadFile("names.txt"); err == nil {
				names = strings.Fields(string(text))
			}
			got := strings.Join(outcome(t, names), "\n") + "\n"
			if *update {
				if err := os.WriteFile("want.txt", []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile("want.txt")
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// outcome sums up what these names load.
func outcome(t *testing.T, names []string) (lines []string) {
	t.Helper()
	cfg, err := Load(names...)
	var faults *Error
	if errors.As(err, &faults) {
		for _, f := range faults.Faults {
			lines = append(lines, "fault "+f.String())
		}
		return lines
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range cfg.Probes {
		lines = append(lines, "probe "+p.Name)
	}
	for _, s := range cfg.Streams {
		lines = append(lines, "stream "+s.Name)
	}
	for _, name := range cfg.Disabled {
		lines = append(lines, "disabled "+name)
	}
	return lines
}

// TestFilesAddUp: the sections of each file hold, and defaults for the file that has them.
func TestFilesAddUp(t *testing.T) {
	clearEnvironment(t)
	t.Chdir("testdata/files/adds_up")
	t.Setenv("WSPROBE_OTLP_TIMEOUT", "3s")
	cfg, err := Load("base.yaml", "more")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Agent.MaxConcurrent != 7 || cfg.OTLP.Interval.Seconds() != 7 || cfg.OTLP.Timeout.Seconds() != 3 {
		t.Errorf("agent %+v, otlp %+v", cfg.Agent, cfg.OTLP)
	}
	for i, want := range []struct {
		seconds float64
		from    string
	}{{5, "base"}, {60, ""}, {9, "b"}, {9, "b"}} {
		if p := cfg.Probes[i]; p.Interval.Seconds() != want.seconds || p.Labels["from"] != want.from {
			t.Errorf("%s: interval %v, labels %v", p.Name, p.Interval, p.Labels)
		}
	}
	files := []string{"base.yaml", "more", filepath.Join("more", "a.yml"), filepath.Join("more", "b.yaml")}
	if !slices.Equal(cfg.Files, files) || !slices.Equal(cfg.Sources, slices.DeleteFunc(files, func(f string) bool { return f == "more" })) {
		t.Errorf("files %q, sources %q", cfg.Files, cfg.Sources)
	}
}

// TestLinkedFiles: a directory as Kubernetes mounts it counts each file once, and so does a file that a link leads to.
func TestLinkedFiles(t *testing.T) {
	clearEnvironment(t)
	t.Chdir(t.TempDir())
	text := []byte(probesOnly)
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, name); err != nil {
			t.Skip("no links here:", err)
		}
	}
	version := filepath.Join("d", "..2026_01_01")
	if err := errors.Join(os.MkdirAll(version, 0o700), os.WriteFile(filepath.Join(version, "a.yaml"), text, 0o600)); err != nil {
		t.Fatal(err)
	}
	link("..2026_01_01", filepath.Join("d", "..data"))
	link(filepath.Join("..data", "a.yaml"), filepath.Join("d", "a.yaml"))
	if got := outcome(t, []string{"d"}); !slices.Equal(got, []string{"probe a"}) {
		t.Error(got)
	}
	link("..data", filepath.Join("d", "dir.yaml")) // a directory, whatever its name
	link("a.yaml", filepath.Join("d", "b.yaml"))
	link("nowhere", filepath.Join("d", "c.yaml"))
	twice := filepath.Join("d", "b.yaml") + ": is the same file as " + filepath.Join("d", "a.yaml") + ": every file is read once"
	missing := filepath.Join("d", "c.yaml") + ": no such file or directory"
	if got := outcome(t, []string{"d"}); !slices.Equal(got, []string{"fault " + twice, "fault " + missing}) {
		t.Error(got)
	}
	if got := outcome(t, nil); !slices.Equal(got, []string{"fault configuration: no file is named"}) {
		t.Error(got)
	}
}

// TestSizeOfAllFiles: the bound of a file is that of all of them.
func TestSizeOfAllFiles(t *testing.T) {
	clearEnvironment(t)
	t.Chdir(t.TempDir())
	half := []byte(strings.Repeat("# half of what is allowed\n", 34<<20/26) + probesOnly)
	for _, name := range []string{"a.yaml", "b.yaml"} {
		if err := os.WriteFile(name, half, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := outcome(t, []string{"a.yaml", "b.yaml"}); !slices.Equal(got, []string{"fault b.yaml: makes more than 64 MiB, with the files before it"}) {
		t.Error(got)
	}
}

// fileless are the fields whose description speaks of a file that they do not name.
var fileless = map[string]bool{"probes[].name": true, "streams[].name": true}

// TestFilesOfFields: each field that names a file tells so, and whoever waits for a change learns of the file, valid or
// not.
func TestFilesOfFields(t *testing.T) {
	clearEnvironment(t)
	for _, f := range Fields() {
		speaks := strings.HasSuffix(f.Path, "_file") || f.Kind == Text && strings.Contains(f.Doc, "file") && !fileless[f.Path]
		if speaks && !f.File {
			t.Errorf("%s: has no mark File, or belongs to fileless", f.Path)
		}
		if !f.File {
			continue
		}
		text, end := "", ""
		for part := range strings.SplitSeq(f.Path, ".") {
			key, list := strings.CutSuffix(part, "[]")
			if text += key + ": "; list {
				text, end = text+"[", "]"+end
			}
			text, end = text+"{", "}"+end
		}
		text = strings.TrimSuffix(text, "{") + "named-file" + strings.TrimPrefix(end, "}")
		_, err := loadText([]byte("{" + text + "}"))
		var faults *Error
		if !errors.As(err, &faults) || !slices.Contains(faults.Files, "named-file") {
			t.Errorf("%s: files %q in %s", f.Path, faults.Files, text)
		}
	}
}

// TestFilesLookedFor: what a configuration is read from is told in full, also if it is not valid, and each file once.
func TestFilesLookedFor(t *testing.T) {
	clearEnvironment(t)
	t.Chdir(t.TempDir())
	t.Setenv("WSPROBE_OTLP_TLS_CA_FILE", "variable.pem")
	t.Setenv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "standard.pem")
	text := "agent: {location: '${file:place}'}\notlp: {endpoint: 'https://h'}\n" +
		"defaults: {headers: {X: '${file:secret}'}, auth: {strategy: bearer, token_file: token}, tls: {ca_file: ca.pem}}\n" +
		"probes:\n  - {name: a, url: 'wss://h/', labels: {x: '${file:secret}'}}\n"
	if err := errors.Join(os.Mkdir("d", 0o700), os.WriteFile(filepath.Join("d", "a.yaml"), []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	want := []string{"d", filepath.Join("d", "a.yaml"), "nowhere.yaml", "place", "secret", "variable.pem", "standard.pem", "token", "ca.pem"}
	_, err := Load("d", "nowhere.yaml")
	var faults *Error
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	slices.Sort(want)
	got := slices.Sorted(slices.Values(faults.Files))
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if _, err := CheckWithoutSecrets("d"); err != nil {
		t.Error(err)
	}
}

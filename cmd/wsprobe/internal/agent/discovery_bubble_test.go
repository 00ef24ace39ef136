package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/config"
)

// found is an agent in a bubble with a directory of targets, none of which answers.
type found struct {
	*bubble
	dir string
}

// inFoundBubble lets do work with such an agent.
func inFoundBubble(t *testing.T, do func(*found)) {
	t.Helper()
	inBubble(t, func(b *bubble) { do(&found{b, t.TempDir()}) })
}

// write makes a file have these targets: addresses, or a group as file_sd has it.
func (f *found) write(name string, targets ...any) {
	f.t.Helper()
	var groups []any
	for _, target := range targets {
		if address, ok := target.(string); ok {
			target = map[string]any{"targets": []string{address}}
		}
		groups = append(groups, target)
	}
	text, err := json.Marshal(groups)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(f.dir, "next"), text, 0o600); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(f.dir, "next"), filepath.Join(f.dir, name)); err != nil {
		f.t.Fatal(err)
	}
	f.settle()
}

// labelled is a group of one target with labels.
func labelled(address string, labels ...string) any {
	all := make(map[string]string)
	for i := 0; i < len(labels); i += 2 {
		all[labels[i]] = labels[i+1]
	}
	return map[string]any{"targets": []string{address}, "labels": all}
}

// settle waits until changes are seen and applied.
func (f *found) settle() {
	time.Sleep(3 * time.Second)
	synctest.Wait()
}

// load reads a configuration whose files of targets are those of the directory.
func (f *found) load(text string) config.Config {
	f.t.Helper()
	text = "otlp: {protocol: none}\n" + strings.NewReplacer("DIR", f.dir, "URL/", f.endpoints.URL).Replace(text)
	cfg, err := config.Parse("wsprobe.yaml", []byte(text))
	if err != nil {
		f.t.Fatal(err)
	}
	for i := range cfg.Probes {
		cfg.Probes[i].Spec.Dial = f.endpoints.Dial
	}
	return cfg
}

// reload makes a configuration that of the agent.
func (f *found) reload(text string) {
	f.t.Helper()
	if _, err := f.Reload(f.load(text)); err != nil {
		f.t.Fatal(err)
	}
	f.settle()
}

// rows are the names of the probes that the page shows, in their order.
func (f *found) rows() string {
	w := httptest.NewRecorder()
	f.status.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/probes", nil))
	var answer struct{ Probes []struct{ Name string } }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		f.t.Fatal(err)
	}
	var names []string
	for _, p := range answer.Probes {
		names = append(names, p.Name)
	}
	return strings.Join(names, " ")
}

// want checks which probes there are.
func (f *found) want(rows string) {
	f.t.Helper()
	if got := f.rows(); got != rows {
		f.t.Errorf("probes %q, want %q", got, rows)
	}
}

// said counts the lines of the log that have all these texts.
func (f *found) said(texts ...string) (n int) {
	for line := range strings.Lines(f.log.String()) {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
			n++
		}
	}
	return n
}

const (
	foundModule = "modules: [{name: m, interval: 7s}]\n"
	foundFiles  = "discover: [{name: d, module: m, files: ['DIR/*.json'], refresh: 1s}]\n"
)

// TestTargetsComeAndGo: a target has a probe as long as it is in the file, and its probe is not disturbed by others. A
// file that cannot be read changes nothing, and one that is gone ends its targets.
func TestTargetsComeAndGo(t *testing.T) {
	inFoundBubble(t, func(f *found) {
		f.write("a.json", "127.0.0.1:1", "127.0.0.1:2")
		f.reload(foundModule + foundFiles + "probes: [{name: own, url: 'URL/echo', interval: 5s}]\n")
		f.want("own d/127.0.0.1:1 d/127.0.0.1:2")
		members := f.fleet.current()
		f.write("b.json", "127.0.0.1:3")
		f.write("a.json", labelled("127.0.0.1:1", "zone", "b"), "127.0.0.1:2")
		f.want("own d/127.0.0.1:1 d/127.0.0.1:2 d/127.0.0.1:3")
		now := f.fleet.current()
		if now["own"] != members["own"] || now["d/127.0.0.1:2"] != members["d/127.0.0.1:2"] || now["d/127.0.0.1:1"] == members["d/127.0.0.1:1"] {
			t.Error("a probe that stays is another one, or one with another label is not")
		}
		if zone := maps.Collect(now["d/127.0.0.1:1"].identity.Labels())["zone"]; zone != "b" {
			t.Errorf("zone %q", zone)
		}
		if err := os.WriteFile(filepath.Join(f.dir, "a.json"), []byte(`[{"targets": ["127.0.0.1:9"`), 0o600); err != nil {
			t.Fatal(err)
		}
		f.settle()
		f.want("own d/127.0.0.1:1 d/127.0.0.1:2 d/127.0.0.1:3")
		if f.said("a source of targets fails", "source=d", "a.json") != 1 {
			t.Errorf("nothing is told:\n%s", f.log.String())
		}
		f.write("a.json", "127.0.0.1:2")
		f.want("own d/127.0.0.1:2 d/127.0.0.1:3")
		if f.said("a source of targets works again", "source=d") != 1 {
			t.Errorf("nothing is told:\n%s", f.log.String())
		}
		if err := os.Remove(filepath.Join(f.dir, "b.json")); err != nil {
			t.Fatal(err)
		}
		f.settle()
		f.want("own d/127.0.0.1:2")
		if now := f.fleet.current(); now["own"] != members["own"] || now["d/127.0.0.1:2"] != members["d/127.0.0.1:2"] {
			t.Error("a probe that stays is another one")
		}
	})
}

// TestTargetsRejected: a target that cannot have a probe costs the others nothing, and is told once with the cause. It
// gets its probe when that is gone.
func TestTargetsRejected(t *testing.T) {
	inFoundBubble(t, func(f *found) {
		file := foundModule + "discover: [{name: d, module: m, probe_name: '{{target.label.n}}', files: ['DIR/*.json'], refresh: 1s}]\n"
		f.reload(file + "probes: [{name: own, url: 'URL/echo', interval: 5s}]\n")
		f.write("a.json", labelled("127.0.0.1:1", "n", "a"), labelled("127.0.0.1:2", "n", "a"), labelled("127.0.0.1:3", "n", "own"),
			labelled("no host?key=secret", "n", "b"), labelled("127.0.0.1:4", "n", "c", "wsprobe_name", "x"), labelled("127.0.0.1:5", "n", "d\u202ee"), "127.0.0.1:6",
			labelled("127.0.0.1:7", "n", "last"))
		f.want("own a last")
		for _, texts := range [][]string{
			{"target=127.0.0.1:2", "cause=duplicate", `another target has the name`},
			{"target=127.0.0.1:3", "cause=taken", `a probe of the configuration has the name`},
			{"cause=invalid", "url: must not contain blanks"},
			{"target=127.0.0.1:4", "cause=invalid", "labels.wsprobe_name: is not allowed: it is an attribute that wsprobe sets itself"},
			{"target=127.0.0.1:5", "cause=invalid", "must consist of printable characters, got U+202E"},
			{"target=127.0.0.1:6", "cause=invalid", "probe_name: needs target.label.n, which the target does not have"},
		} {
			if n := f.said(append(texts, "a target gets no probe", "source=d")...); n != 1 {
				t.Errorf("%q is told %d times:\n%s", texts, n, f.log.String())
			}
		}
		if s := (*f.discoverer.shown.Load())[0]; s.counts[causeInvalid] != 4 || s.counts[causeDuplicate] != 1 || s.counts[causeTaken] != 1 || s.probes != 2 {
			t.Errorf("%d probes, %v", s.probes, s.counts)
		}
		f.reload(file)
		f.want("a own last")
		f.write("a.json", labelled("127.0.0.1:2", "n", "a"))
		f.want("a")
		if got := f.fleet.current()["a"].identity.Target().Port; got != 2 {
			t.Errorf("the heir of a name is not probed, but port %d", got)
		}
	})
}

// TestTargetsOfALiar: the log has at most 20 lines of an update, and a source with too many targets changes nothing.
func TestTargetsOfALiar(t *testing.T) {
	inFoundBubble(t, func(f *found) {
		f.reload(foundModule + "discover: [{name: d, module: m, files: ['DIR/*.json'], refresh: 1s, max_targets: 500}]\n")
		var wrong []any
		for i := range 300 {
			wrong = append(wrong, labelled(fmt.Sprintf("127.0.0.1:%d", i+1), "_odd", "x"))
		}
		f.write("a.json", append(wrong, "127.0.0.1:9999")...)
		f.want("d/127.0.0.1:9999")
		if n := f.said("a target gets no probe"); n != 20 || f.said("more targets get no probe", "more=280") != 1 {
			t.Errorf("%d lines:\n%s", n, f.log.String())
		}
		f.write("b.json", append(slices.Clone(wrong), "127.0.0.1:8888")...)
		f.want("d/127.0.0.1:9999")
		if f.said("a source of targets fails", "max_targets") == 0 {
			t.Errorf("nothing is told:\n%s", f.log.String())
		}
	})
}

// TestTargetsFollowAReload: targets stay while a source is changed, and go with it when it is gone. What a module makes of
// them changes at once.
func TestTargetsFollowAReload(t *testing.T) {
	t.Setenv("DISCOVERED_TOKEN", "first")
	inFoundBubble(t, func(f *found) {
		const module = "modules: [{name: m, interval: 7s, headers: {A: '${env:DISCOVERED_TOKEN}'}}]\n"
		f.write("a.json", "127.0.0.1:1")
		f.reload(module + foundFiles)
		f.want("d/127.0.0.1:1")
		before, runner := f.fleet.current()["d/127.0.0.1:1"], f.discoverer.sources[0].runner
		first := before.prober.Load()
		if err := os.Setenv("DISCOVERED_TOKEN", "second"); err != nil {
			t.Fatal(err)
		}
		f.reload(module + foundFiles)
		if m := f.fleet.current()["d/127.0.0.1:1"]; m != before || m.prober.Load() == first || f.discoverer.sources[0].runner != runner {
			t.Error("a rotated secret does not hold, or the probe or its source is another one")
		}
		if _, err := f.Reload(f.load(strings.Replace(module, "7s", "9s", 1) + strings.Replace(foundFiles, "*.json", "a*.json", 1))); err != nil {
			t.Fatal(err)
		}
		f.want("d/127.0.0.1:1") // before the changed source has looked
		if m := f.fleet.current()["d/127.0.0.1:1"]; m == before || m.identity.Target().Interval != 9*time.Second {
			t.Error("the module is not the new one")
		}
		f.settle()
		f.want("d/127.0.0.1:1")
		if _, err := f.Reload(f.load(module + strings.Replace(foundFiles, "*.json", "none*.json", 1))); err != nil {
			t.Fatal(err)
		}
		f.want("d/127.0.0.1:1")
		f.settle()
		f.want("")
		f.reload(module + strings.Replace(foundFiles, "name: d", "name: e", 1))
		f.want("e/127.0.0.1:1")
		f.reload("probes: [{name: own, url: 'URL/echo', interval: 5s}]\n")
		f.want("own")
		if n := len(*f.discoverer.shown.Load()); n != 0 {
			t.Errorf("%d sources", n)
		}
	})
}

// TestTargetsFit: sessions of targets that do not fit are refused as a whole, also by a reload, and what runs stays.
func TestTargetsFit(t *testing.T) {
	inFoundBubble(t, func(f *found) {
		file := "agent: {max_sessions: 2}\nmodules: [{name: m, session: {ping_interval: 5s}}]\n" + foundFiles
		f.reload(file)
		f.write("a.json", "127.0.0.1:1", "127.0.0.1:2")
		f.want("d/127.0.0.1:1 d/127.0.0.1:2")
		f.write("a.json", "127.0.0.1:3", "127.0.0.1:4", "127.0.0.1:5")
		f.want("d/127.0.0.1:1 d/127.0.0.1:2")
		if f.said("an update of targets is refused", "more than agent.max_sessions, which is 2") != 1 {
			t.Errorf("nothing is told:\n%s", f.log.String())
		}
		if _, err := f.Reload(f.load(strings.Replace(file, "5s", "6s", 1))); err == nil {
			t.Error("a reload has the sessions that do not fit")
		}
		f.reload(strings.Replace(file, "2}", "3}", 1))
		f.want("d/127.0.0.1:3 d/127.0.0.1:4 d/127.0.0.1:5")
	})
}

// TestTargetsFlood: updates become one a second, and the last one counts.
func TestTargetsFlood(t *testing.T) {
	inFoundBubble(t, func(f *found) {
		f.reload("agent: {watch: 0s}\n" + foundModule + foundFiles) // else a file that changes all the time waits for ten looks
		for i := range 100 {
			text := fmt.Sprintf(`[{"targets": ["127.0.0.1:%d"]}]`, i+1)
			part := filepath.Join(f.dir, "a.part") // a file that is read while it is cut is not whole
			if err := errors.Join(os.WriteFile(part, []byte(text), 0o600), os.Rename(part, filepath.Join(f.dir, "a.json"))); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		f.settle()
		f.want("d/127.0.0.1:100")
		if n := f.said("targets changed"); n < 2 || n > 14 {
			t.Errorf("%d updates in 13 s", n)
		}
	})
}

// TestTargetsOfShards: each target falls to one agent of a set.
func TestTargetsOfShards(t *testing.T) {
	var names []string
	for index := range 3 {
		inFoundBubble(t, func(f *found) {
			var targets []any
			for i := range 30 {
				targets = append(targets, fmt.Sprintf("127.0.0.1:%d", i+1))
			}
			f.write("a.json", targets...)
			cfg := f.load(foundModule + foundFiles)
			now := *f.config()
			now.Agent.Shard = config.Shard{Index: index, Count: 3} // which a reload cannot change
			f.hold(now)
			if _, err := f.Reload(cfg); err != nil {
				t.Fatal(err)
			}
			f.settle()
			rows := strings.Fields(f.rows())
			if len(rows) == 0 || len(rows) == 30 {
				t.Errorf("shard %d has %d probes", index, len(rows))
			}
			names = append(names, rows...)
		})
	}
	slices.Sort(names)
	if len(names) != 30 || len(slices.Compact(names)) != 30 {
		t.Errorf("%d probes", len(names))
	}
}

// TestTargetsDoNotDisturb: beside targets that come and go, a probe has the same lines and results to the nanosecond.
func TestTargetsDoNotDisturb(t *testing.T) {
	var alone, among string
	for _, changes := range []bool{false, true} {
		inFoundBubble(t, func(f *found) {
			f.reload(foundModule + foundFiles + "probes: [" + flakyLine + "]\n")
			for i := range 50 {
				if changes {
					f.write("a.json", fmt.Sprintf("127.0.0.1:%d", i+1), "127.0.0.1:999")
				} else {
					f.settle()
				}
			}
			said := strings.Join(f.lines("kept"), "\n") + f.row("kept")
			if changes {
				among = said
			} else {
				alone = said
			}
		})
	}
	if strings.Count(alone, "\n") < 20 || among != alone {
		t.Errorf("among others:\n%s\nalone:\n%s", among, alone)
	}
}

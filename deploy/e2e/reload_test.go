package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// reloader is an agent whose files the test changes as others do.
type reloader struct {
	*testing.T
	agent     *lab.Process
	dir, file string // the folder, and wsprobe.yaml in it
	base      string // URL of the agent
}

// startReloader starts an agent that runs the probe one. The arguments of -c are names in its folder.
func startReloader(t *testing.T, prepare func(*reloader), names ...string) *reloader {
	t.Helper()
	t.Parallel()
	r := &reloader{T: t, dir: t.TempDir(), base: lab.FreeAddr(t)}
	r.file = r.path("wsprobe.yaml")
	prepare(r)
	args := []string{"run"}
	for _, name := range names {
		args = append(args, "-c", r.path(name))
	}
	r.agent = lab.StartWith(t, nil, built(t, agentBinary), args...)
	r.base = "http://" + r.base
	r.awaitProbes("one")
	return r
}

// oneFile is a folder with a file and nothing else.
func oneFile(r *reloader) { r.write(r.file, r.text("one")) }

func (r *reloader) path(name string) string { return filepath.Join(r.dir, name) }

// text is a configuration with probes of these names.
func (r *reloader) text(names ...string) string {
	text := fmt.Sprintf("agent: {listen: %q}\notlp: {protocol: none}\nprobes:\n", strings.TrimPrefix(r.base, "http://"))
	return text + entries(names...)
}

// entries are the entries of a list of probes.
func entries(names ...string) (text string) {
	for _, name := range names {
		text += fmt.Sprintf("  - {name: %s, url: \"ws://127.0.0.1:1/\", interval: 10s}\n", name)
	}
	return text
}

func (r *reloader) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// write writes a file in place, at once.
func (r *reloader) write(path, text string) {
	r.Helper()
	r.must(os.WriteFile(path, []byte(text), 0o600))
}

// get returns a page of the agent.
func (r *reloader) get(path string) string {
	r.Helper()
	resp, err := http.Get(r.base + path)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	r.must(err)
	return string(body)
}

// post asks for a reload.
func (r *reloader) post() (code int, text string) {
	r.Helper()
	resp, err := http.Post(r.base+"/-/reload", "", nil)
	r.must(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	r.must(err)
	return resp.StatusCode, string(body)
}

// probes are the names of the probes that run, in order.
func (r *reloader) probes() string {
	var page struct{ Probes []struct{ Name string } }
	if json.Unmarshal([]byte(r.get("/api/v1/probes")), &page) != nil {
		return ""
	}
	var names []string
	for _, p := range page.Probes {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// awaitProbes waits until these probes run.
func (r *reloader) awaitProbes(want string) {
	r.Helper()
	lab.Eventually(r.T, time.Minute, "probes "+want, func() (bool, string) {
		got := r.probes()
		return got == want, got
	})
}

// loads are the attempts so far that succeeded, and those that failed.
func (r *reloader) loads() (succeeded, failed int) {
	r.Helper()
	page := r.get("/metrics")
	for outcome, n := range map[string]*int{"success": &succeeded, "failure": &failed} {
		found := regexp.MustCompile(`(?m)^wsprobe_agent_config_loads_total\{wsprobe_config_outcome="` + outcome + `"\} (\d+)`).FindStringSubmatch(page)
		if found == nil {
			r.Fatalf("no loads with %s in\n%s", outcome, page)
		}
		*n, _ = strconv.Atoi(found[1])
	}
	return succeeded, failed
}

// wantLoads compares the attempts so far, and whether the agent is stale.
func (r *reloader) wantLoads(succeeded, failed int, stale bool) {
	r.Helper()
	if s, f := r.loads(); s != succeeded || f != failed {
		r.Errorf("%d loads succeeded, %d failed; want %d, %d\n%s", s, f, succeeded, failed, r.agent.Output())
	}
	var c struct{ Stale bool }
	r.must(json.Unmarshal([]byte(r.get("/api/v1/config")), &c))
	metric := regexp.MustCompile(`(?m)^wsprobe_agent_config_stale(\{[^}]*\})? ` + map[bool]string{true: "1", false: "0"}[stale] + `\b`)
	if c.Stale != stale || !metric.MatchString(r.get("/metrics")) {
		r.Errorf("the API says stale %v, and the metric may be another; want %v", c.Stale, stale)
	}
}

// awaitStale waits until the agent says that it is stale, or no more.
func (r *reloader) awaitStale(want bool) {
	r.Helper()
	lab.Eventually(r.T, time.Minute, fmt.Sprintf("stale: %v", want), func() (bool, string) {
		page := r.get("/api/v1/config")
		return strings.Contains(page, fmt.Sprintf(`"stale": %v`, want)), page
	})
}

// configMap makes the folder what the kubelet makes of a ConfigMap: files are links into ..data, which is a link.
func configMap(version string, text func(*reloader) string) func(*reloader) {
	return func(r *reloader) {
		r.must(os.Mkdir(r.path(version), 0o755))
		r.write(r.path(version+"/wsprobe.yaml"), text(r))
		old, _ := os.Readlink(r.path("..data"))
		r.must(os.Symlink(version, r.path("..data_tmp")))
		r.must(os.Rename(r.path("..data_tmp"), r.path("..data")))
		if old == "" {
			r.must(os.Symlink("..data/wsprobe.yaml", r.file))
			return
		}
		r.must(os.RemoveAll(r.path(old)))
	}
}

// TestReloadByWatch changes the files in the ways of editors, tools and the kubelet.
func TestReloadByWatch(t *testing.T) {
	t.Run("vim", func(t *testing.T) {
		r := startReloader(t, oneFile, "wsprobe.yaml")
		r.write(r.path("4913"), "")
		r.must(os.Remove(r.path("4913")))
		r.must(os.Rename(r.file, r.file+"~"))
		r.write(r.file, r.text("one", "two"))
		r.must(os.Remove(r.file + "~"))
		r.awaitProbes("one two")
		r.wantLoads(2, 0, false)
	})
	t.Run("sed -i", func(t *testing.T) {
		r := startReloader(t, oneFile, "wsprobe.yaml")
		r.must(exec.Command("sed", "-i", "s/name: one/name: two/", r.file).Run())
		r.awaitProbes("two")
		r.wantLoads(2, 0, false)
	})
	t.Run("in two parts", func(t *testing.T) {
		r := startReloader(t, oneFile, "wsprobe.yaml")
		text := r.text("two", "three")
		half := len(text) - len(entries("three"))
		r.write(r.file, text[:half])
		lab.Wait(t, 1500*time.Millisecond)
		r.write(r.file, text)
		r.awaitProbes("three two")
		r.wantLoads(2, 0, false)
	})
	t.Run("removed for a moment", func(t *testing.T) {
		r := startReloader(t, oneFile, "wsprobe.yaml")
		r.must(os.Remove(r.file))
		lab.Wait(t, 1500*time.Millisecond)
		oneFile(r)
		lab.Wait(t, 5*time.Second)
		r.wantLoads(1, 0, false)
	})
	t.Run("flips", func(t *testing.T) {
		r := startReloader(t, oneFile, "wsprobe.yaml")
		for i := range 100 {
			r.write(r.file, r.text("one", fmt.Sprint("flip", i)))
			lab.Wait(t, 10*time.Millisecond)
		}
		r.write(r.file, r.text("two"))
		r.awaitProbes("two")
		r.wantLoads(2, 0, false)
	})
	t.Run("ConfigMap", func(t *testing.T) { swapConfigMap(t, "wsprobe.yaml") })
	t.Run("ConfigMap as a directory", func(t *testing.T) { swapConfigMap(t, ".") })
	t.Run("directory", func(t *testing.T) {
		r := startReloader(t, oneFile, ".")
		r.write(r.path("more.yml"), "probes:\n"+entries("two"))
		r.write(r.path("README"), "not a configuration")
		r.awaitProbes("one two")
		r.must(os.Rename(r.path("more.yml"), r.path("more.yml.off")))
		r.awaitProbes("one")
		r.wantLoads(3, 0, false)
	})
	t.Run("secret", func(t *testing.T) {
		r := startReloader(t, func(r *reloader) {
			r.write(r.path("token"), "first")
			r.write(r.file, r.text("one")+"defaults: {headers: {X-Token: \"${file:"+r.path("token")+"}\"}}\n")
		}, "wsprobe.yaml")
		r.write(r.path("token"), "second")
		lab.Eventually(t, time.Minute, "a load that changes no probe", func() (bool, string) {
			return strings.Contains(r.agent.Output(), " added=0 removed=0 changed=0 unchanged=1 "), r.agent.Output()
		})
		r.wantLoads(2, 0, false)
	})
	t.Run("unreadable", func(t *testing.T) {
		if os.Geteuid() == 0 {
			t.Skip("root may read everything")
		}
		r := startReloader(t, oneFile, "wsprobe.yaml")
		r.must(os.Chmod(r.file, 0))
		r.awaitStale(true)
		r.must(os.Chmod(r.file, 0o600))
		r.awaitStale(false)
		r.wantLoads(1, 1, false)
	})
}

// swapConfigMap changes a ConfigMap twice, to and fro.
func swapConfigMap(t *testing.T, name string) {
	one := func(r *reloader) string { return r.text("one") }
	r := startReloader(t, configMap("..2026_11_28_10_00_00.1", one), name)
	configMap("..2026_11_28_10_01_00.2", func(r *reloader) string { return r.text("one", "two") })(r)
	r.awaitProbes("one two")
	configMap("..2026_11_28_10_02_00.3", one)(r)
	r.awaitProbes("one")
	r.wantLoads(3, 0, false)
}

// TestReloadOfFaults: a broken file is stale until it is as it was, or mended, and POST says of it what check says.
func TestReloadOfFaults(t *testing.T) {
	r := startReloader(t, oneFile, "wsprobe.yaml")
	r.write(r.file, r.text("one", "one")+"  - {nam: two}\n")
	r.awaitStale(true)
	r.wantLoads(1, 1, true)
	if page := r.get("/"); !strings.Contains(page, "configuration stale") || !strings.Contains(page, "probes[2]") {
		t.Errorf("page:\n%s", page)
	}
	code, text := r.post()
	said, _ := exec.Command(built(t, agentBinary), "check", "-c", r.file).CombinedOutput()
	if code != http.StatusBadRequest || text != string(said) {
		t.Errorf("POST: %d\n%s\ncheck says\n%s", code, text, said)
	}
	oneFile(r)
	r.awaitStale(false)
	r.wantLoads(1, 2, false)
	r.write(r.file, r.text("two"))
	if code, text := r.post(); code != http.StatusOK || text != "the configuration was loaded: 1 probes added, 1 removed, 0 changed, 0 unchanged\n" {
		t.Errorf("POST: %d %s", code, text)
	}
	r.awaitProbes("two")
	lab.Wait(t, 5*time.Second)
	r.wantLoads(2, 2, false)
	for _, want := range []string{`msg="the configuration has a fault" file=` + r.file + " line=6 ", "are again as they run"} {
		if !strings.Contains(r.agent.Output(), want) {
			t.Errorf("no %s in\n%s", want, r.agent.Output())
		}
	}
}

// TestReloadStorm: hundreds of SIGHUPs and requests at once have few loads, and the last content holds.
func TestReloadStorm(t *testing.T) {
	r := startReloader(t, oneFile, "wsprobe.yaml")
	began := time.Now()
	for i := range 300 {
		if i == 200 { // by a rename: a load may come at any moment, and a file that is half written has a fault
			r.write(r.file+"~", r.text("one", "two"))
			r.must(os.Rename(r.file+"~", r.file))
		}
		r.agent.Signal(t, syscall.SIGHUP)
		if i%10 == 0 {
			go func() { _, _ = http.Post(r.base+"/-/reload", "", nil) }()
		}
	}
	r.awaitProbes("one two")
	r.agent.Running(t)
	lab.Eventually(t, 30*time.Second, "an answer among the other requests", func() (bool, string) {
		code, text := r.post()
		return code == http.StatusOK, text
	})
	succeeded, failed := r.loads()
	if most := 20 + int(time.Since(began)/(200*time.Millisecond)); succeeded > most || failed > 0 {
		t.Errorf("%d loads, %d failed, want %d at most", succeeded, failed, most)
	}
	r.agent.Stop(t, lab.StopLimit)
}

// TestReloadOfAPipe: a configuration that was read from a pipe cannot be loaded again, and nothing hangs.
func TestReloadOfAPipe(t *testing.T) {
	r := startReloader(t, func(r *reloader) {
		r.must(syscall.Mkfifo(r.file, 0o600))
		text := []byte(r.text("one"))
		go func() { _ = os.WriteFile(r.file, text, 0) }()
	}, "wsprobe.yaml")
	if code, text := r.post(); code != http.StatusBadRequest || !strings.Contains(text, "can be read only once") {
		t.Errorf("%d %s", code, text)
	}
	r.agent.Stop(t, lab.StopLimit)
}

package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// startFinder runs a real Prometheus with one job, which finds its targets where the agent does.
func startFinder(t *testing.T, job map[string]any) prometheus {
	t.Helper()
	program := need(t, "prometheus", "prometheus")
	job["job_name"], job["scrape_interval"] = "pods", "1m"
	return runPrometheus(t, program, lab.Settings{"scrape_configs": []any{job}}.Write(t))
}

// awaitTargets waits until Prometheus has these targets and no others.
func (p prometheus) awaitTargets(t *testing.T, want []string) {
	t.Helper()
	want = slices.Sorted(slices.Values(want))
	lab.Eventually(t, time.Minute, fmt.Sprintf("Prometheus to have %d targets", len(want)), func() (bool, string) {
		var data struct {
			ActiveTargets []struct{ DiscoveredLabels map[string]string }
		}
		p.api(t, "/api/v1/targets", url.Values{"state": {"active"}}, &data)
		var got []string
		for _, target := range data.ActiveTargets {
			got = append(got, target.DiscoveredLabels["__address__"])
		}
		slices.Sort(got)
		return slices.Equal(got, want), fmt.Sprint(got)
	})
}

// listOf is a list of one group as Prometheus has it.
func (p *pods) listOf(addresses []string) string {
	data, err := json.Marshal([]any{map[string]any{"targets": p.targets(addresses), "labels": map[string]string{"zone": "a"}}})
	if err != nil {
		panic(err)
	}
	return string(data)
}

// targets are the addresses with the port.
func (p *pods) targets(addresses []string) (targets []string) {
	for _, address := range addresses {
		targets = append(targets, net.JoinHostPort(address, p.port))
	}
	return targets
}

// TestDiscoverFilesAsPrometheus changes files under an agent and a Prometheus, which must have the same targets after
// each change.
func TestDiscoverFilesAsPrometheus(t *testing.T) {
	t.Parallel()
	pods, all := startPods(t, 100)
	dir := t.TempDir()
	patterns := []string{filepath.Join(dir, "*.json"), filepath.Join(dir, "*.yaml")}
	publish := func(version string, addresses []string) { // as the kubelet does
		must(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		must(t, os.WriteFile(filepath.Join(dir, version, "pods.json"), []byte(pods.listOf(addresses)), 0o600))
		must(t, os.Symlink(version, filepath.Join(dir, "..data_tmp")))
		must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	}
	publish("..v1", all[:40])
	must(t, os.Symlink(filepath.Join("..data", "pods.json"), filepath.Join(dir, "pods.json")))
	more := filepath.Join(dir, "more.yaml")
	// In place, Prometheus would see an empty YAML file for a moment, which ends its targets for good if the file is
	// invalid then.
	write := func(text string) { replaceFile(t, more, text) }

	finder := startFinder(t, map[string]any{"file_sd_configs": []any{map[string]any{"files": patterns, "refresh_interval": "5s"}}})
	agent := lab.StartAgent(t, discovering(t, map[string]any{"files": patterns}))
	for _, step := range []discoveryStep{
		{"links", func() {}, all[:40], ""},
		{"links to another folder", func() { publish("..v2", all[20:50]) }, all[20:50], ""},
		{"a second file", func() { replaceFile(t, more, pods.listOf(all[50:70])) }, all[20:70], ""},
		{"an unknown key", func() { write("- targets: []\n  label: {}\n") }, all[20:70], `unknown key \"label\"`},
		{"half a list", func() { write(pods.listOf(all[80:])[:100]) }, all[20:70], "more.yaml: "},
		{"the whole list", func() { write(pods.listOf(all[80:])) }, slices.Concat(all[20:50], all[80:]), ""},
		{"a label that is a number", func() { write("- targets: ['" + pods.targets(all)[99] + "']\n  labels: {rack: 7}\n") }, slices.Concat(all[20:50], all[99:]), ""},
		{"no targets", func() { write("[]") }, all[20:50], ""},
		{"an editor's rename", func() { must(t, os.Rename(more, more+"~")); write(pods.listOf(all[:10])) }, slices.Concat(all[:10], all[20:50]), ""},
		{"no file", func() { must(t, os.Remove(more)) }, all[20:50], ""},
		{"a link to nothing", func() { must(t, os.RemoveAll(filepath.Join(dir, "..v2"))) }, all[20:50], "pods.json: no such file"},
	} {
		step.take(t, agent, pods, finder)
	}
	agent.Stop(t, lab.StopLimit)
}

// discoveryStep is a change of targets, the pods that there are behind it, and a part of what the agent says of it.
type discoveryStep struct {
	name   string
	change func()
	want   []string
	told   string
}

// take makes the change, and wants agent and Prometheus to have the same targets.
func (s discoveryStep) take(t *testing.T, agent *lab.Process, p *pods, finder prometheus) {
	t.Helper()
	t.Log(s.name)
	s.change()
	if s.told != "" {
		lab.Eventually(t, time.Minute, "the agent to say "+s.told, func() (bool, string) { return said(agent, s.told), agent.Output() })
	}
	p.await(t, s.want)
	finder.awaitTargets(t, p.targets(s.want))
}

// must fails the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestDiscoverHTTPAsPrometheus lets an agent and a Prometheus ask an nginx, whose list changes, vanishes and comes back.
func TestDiscoverHTTPAsPrometheus(t *testing.T) {
	t.Parallel()
	nginx := need(t, "nginx", "nginx-light")
	pods, all := startPods(t, 100)
	dir, addr := t.TempDir(), lab.FreeAddr(t)
	list := filepath.Join(dir, "pods.json")
	replaceFile(t, list, pods.listOf(all[:60]))
	config := fileWith(t, "nginx.conf", nginxHead+`  types { application/json json; text/html html; }
  server {
    listen %[2]s;
    root %[1]s;
  }
}
`, dir, addr)
	server := lab.Start(t, nginx, "-p", dir, "-e", "stderr", "-c", config)
	listening(t, server, addr)
	at := "http://" + addr + "/pods.json"
	finder := startFinder(t, map[string]any{"http_sd_configs": []any{map[string]any{"url": at, "refresh_interval": "5s"}}})
	agent := lab.StartAgent(t, discovering(t, map[string]any{"http": map[string]any{"url": at}, "refresh": "1s"}))
	for _, step := range []discoveryStep{
		{"a list", func() {}, all[:60], ""},
		{"another list", func() { replaceFile(t, list, pods.listOf(all[30:])) }, all[30:], ""},
		{"no list", func() { must(t, os.Remove(list)) }, all[30:], "the server answered " + fmt.Sprint(http.StatusNotFound)},
		{"an empty list", func() { replaceFile(t, list, "[]") }, nil, ""},
		{"half a list", func() { replaceFile(t, list, pods.listOf(all)[:200]) }, nil, "the JSON ends too early"},
		{"the whole list", func() { replaceFile(t, list, pods.listOf(all)) }, all, ""},
		{"a server that stands still", func() { server.Signal(t, syscall.SIGSTOP) }, all, "no whole answer within"},
		{"a server that goes on", func() { server.Signal(t, syscall.SIGCONT); replaceFile(t, list, pods.listOf(all[:5])) }, all[:5], ""},
		{"no server", func() { server.Kill(t) }, all[:5], "connection refused"},
	} {
		step.take(t, agent, pods, finder)
	}
	agent.Stop(t, lab.StopLimit)
}

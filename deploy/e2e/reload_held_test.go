package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// holders are an agent that holds sessions, and everybody who sees them.
type holders struct {
	*reloader
	kept, pods, rounds int    // numbers of probes that stay, of targets, and of reloads
	interval           string // of probes and exports
	server             *holdingServer
	otlp               string // URL of the receiver
	points             lives
	finder             prometheus
	present            []string // the paths of the targets that there are now
}

// TestReloadKeepsSessions changes ten probes and the targets of a file again and again, while an agent holds many
// sessions. Sessions of probes that stay keep their sockets and totals. Probes that go end at the server, in /metrics, in
// OTLP, and in a real Prometheus.
func TestReloadKeepsSessions(t *testing.T) {
	if !long() {
		(&holders{kept: 240, pods: 50, rounds: 10, interval: "1s"}).change(t)
		return
	}
	for _, kept := range []int{9800, 15000} {
		t.Run(strconv.Itoa(kept), func(t *testing.T) {
			(&holders{kept: kept, pods: 100, rounds: 60, interval: "20s"}).change(t)
		})
	}
}

// change makes all changes, and wants that nobody notices but those who changed.
func (h *holders) change(t *testing.T) {
	needFiles(t, h.kept+2000)
	h.reloader = &reloader{T: t, dir: t.TempDir(), base: "http://" + lab.FreeAddr(t)}
	h.file = h.path("wsprobe.yaml")
	h.start()
	for i := range h.rounds {
		if i%5 == 0 { // the agent takes a file that has not changed for a moment
			from := i * 3 % (h.pods / 2)
			h.publish(from, from+h.pods/2)
		}
		h.load(i % 2)
		lab.Wait(t, time.Second/2)
	}
	h.publish(0, h.pods)
	h.load(0)
	h.server.await(t, h.paths(0))
	h.checkTotals()
	h.publish(0, 0)
	h.load(1)
	h.server.await(t, h.paths(1))
	h.awaitEnds()
	h.checkTotals()
	h.agent.Stop(t, lab.StopLimit)
}

// needFiles skips the test if a process may not have so many open files.
func needFiles(t *testing.T, n int) {
	t.Helper()
	var limit syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	if limit.Max < uint64(n) {
		t.Skipf("the test needs %d open files: the hard limit is %d", n, limit.Max)
	}
}

// start starts them all, and waits until each session is open and stored.
func (h *holders) start() {
	h.Helper()
	program := need(h.T, "prometheus", "prometheus")
	h.server = startHoldingServer(h.T)
	h.points.open = make(map[string]string)
	sink := httptest.NewServer(&h.points)
	h.Cleanup(sink.Close)
	h.otlp = sink.URL
	h.publish(0, 0)
	h.write(h.file, h.text(0))
	h.agent = lab.StartWith(h.T, nil, built(h.T, agentBinary), "run", "-c", h.file)
	h.server.await(h.T, h.paths(0))
	scrapes := "5s" // on a busy machine a second is not enough
	if long() {
		scrapes = h.interval
	}
	h.finder = runPrometheus(h.T, program, lab.Settings{"scrape_configs": []any{map[string]any{
		"job_name": "agent", "scrape_interval": scrapes, "scrape_timeout": scrapes,
		"static_configs": []any{map[string]any{"targets": []string{strings.TrimPrefix(h.base, "http://")}}},
		"params":         map[string]any{"name": []string{"wsprobe_session_open", "wsprobe_session_message_received_total"}},
	}}}.Write(h.T))
	h.awaitStored("count(wsprobe_session_open)", h.kept+10)
}

// text is one of two configurations. Between them five probes change, and five come and go.
func (h *holders) text(variant int) string {
	var text strings.Builder
	fmt.Fprintf(&text, "agent: {listen: %q}\notlp: {protocol: http/protobuf, compression: none, end_markers: true, endpoint: %q, interval: %s}\n",
		strings.TrimPrefix(h.base, "http://"), h.otlp, h.interval)
	fmt.Fprintf(&text, "defaults: {interval: %s, session: {ping_interval: 30s}}\n", h.interval)
	fmt.Fprintf(&text, "modules: [{name: pod}]\ndiscover: [{name: pods, module: pod, files: [%q], url: 'ws://%s/{{target.label.path}}'}]\nprobes:\n",
		h.path("pods.json"), h.server.addr)
	for _, path := range h.own(variant) {
		ping := 30
		if strings.HasPrefix(path, "changes") {
			ping += variant
		}
		fmt.Fprintf(&text, "  - {name: %s, url: 'ws://%s/%s', session: {ping_interval: %ds}}\n", path, h.server.addr, path, ping)
	}
	return text.String()
}

// own are the names of the probes of a configuration, which are their paths.
func (h *holders) own(variant int) (names []string) {
	for i := range h.kept {
		names = append(names, fmt.Sprintf("kept-%d", i))
	}
	for i := range 5 {
		names = append(names, fmt.Sprintf("changes-%d", i), fmt.Sprintf("comes-%d-%d", variant, i))
	}
	return names
}

// paths are those of all sessions that there are.
func (h *holders) paths(variant int) []string { return append(h.own(variant), h.present...) }

// publish makes targets the ones of the file, from one number to another.
func (h *holders) publish(from, to int) {
	h.Helper()
	h.present = nil
	groups := []any{}
	for i := from; i < to; i++ {
		path := fmt.Sprintf("pod-%d", i)
		h.present = append(h.present, path)
		groups = append(groups, map[string]any{"targets": []string{path + ":80"}, "labels": map[string]string{"path": path}})
	}
	data, err := json.Marshal(groups)
	h.must(err)
	replaceFile(h.T, h.path("pods.json"), string(data))
}

// load loads one of the configurations.
func (h *holders) load(variant int) {
	h.Helper()
	h.write(h.file, h.text(variant))
	if code, answer := h.post(); code != http.StatusOK {
		h.Errorf("%d %s", code, answer)
	}
}

// awaitStored waits until a query of Prometheus has a number as its answer, or none for 0.
func (h *holders) awaitStored(expr string, want int) {
	h.Helper()
	h.finder.await(h.T, expr, func(s []sample) bool { return len(s) == 0 && want == 0 || len(s) == 1 && int(s[0].value) == want })
}

// awaitEnds waits until nobody has a series of a probe that is gone.
func (h *holders) awaitEnds() {
	h.Helper()
	gone := regexp.MustCompile(`"(pods/pod-\d+:80|comes-0-\d)"`)
	lab.Eventually(h.T, time.Minute, "nothing in /metrics about those that are gone", func() (bool, string) {
		page := h.get("/metrics")
		return strings.Contains(page, `"kept-0"`) && !gone.MatchString(page), gone.FindString(page)
	})
	h.awaitStored("count(wsprobe_session_open)", h.kept+10) // well before five minutes, after which Prometheus forgets them anyhow
	h.awaitStored(`count(wsprobe_session_open{wsprobe_name=~"pods/.*|comes-0-.*"})`, 0)
	h.awaitStored(`sum(wsprobe_session_message_received_total{wsprobe_name=~"kept-.*"})`, h.kept)
	lab.Eventually(h.T, time.Minute, "the end of each series in OTLP", func() (bool, string) {
		h.points.mu.Lock()
		defer h.points.mu.Unlock()
		var left []string
		for series, name := range h.points.open {
			if gone.MatchString(`"` + name + `"`) {
				left = append(left, series)
			}
		}
		if len(left) > 0 {
			return false, fmt.Sprintf("%d series, for instance %s", len(left), left[0])
		}
		return h.points.ends > 0, "none has ended"
	})
}

// checkTotals wants each probe that stayed to have the session that it had at first, with the message that came then.
func (h *holders) checkTotals() {
	h.Helper()
	var page struct {
		Probes []struct {
			Name    string
			Session struct {
				Open               bool
				Sessions, Messages int
				Ends               int `json:"unplanned_ends"`
				Failures           int `json:"failed_opens"`
			}
		}
	}
	want := h.kept + 10 + len(h.present)
	lab.Eventually(h.T, time.Minute, fmt.Sprintf("%d probes", want), func() (bool, string) {
		page.Probes = nil
		err := json.Unmarshal([]byte(h.get("/api/v1/probes")), &page)
		return err == nil && len(page.Probes) == want, fmt.Sprint(len(page.Probes), err)
	})
	kept := 0
	for _, p := range page.Probes {
		if !strings.HasPrefix(p.Name, "kept-") {
			continue
		}
		kept++
		if s := p.Session; !s.Open || s.Sessions != 1 || s.Messages != 1 || s.Ends != 0 || s.Failures != 0 {
			h.Errorf("%s: %+v", p.Name, s)
		}
		if n := h.server.opened("/" + p.Name); n != 1 {
			h.Errorf("%s: the server saw it open %d times", p.Name, n)
		}
	}
	if kept != h.kept {
		h.Errorf("%d probes stayed, want %d", kept, h.kept)
	}
}

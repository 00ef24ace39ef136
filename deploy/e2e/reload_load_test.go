package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// underLoad is a configuration of many probes, of which each reload changes ten.
type underLoad struct {
	*reloader
	target string
	probes int

	mu     sync.Mutex
	starts map[string][]time.Time // of the runs of each probe that stays
	delays []delay
}

// delay is by how much a run was late.
type delay struct {
	at time.Time
	ms float64
}

// TestReloadUnderLoad loads two configurations in turn that differ in ten probes, and faulty ones between. Probes that
// stay lose no run and no session, and nothing grows: no goroutine, no open file, no memory.
func TestReloadUnderLoad(t *testing.T) {
	u := &underLoad{probes: 200, target: lab.FreeAddr(t), starts: make(map[string][]time.Time)}
	reloads, pause := 40, 250*time.Millisecond
	if long() {
		u.probes, reloads, pause = 2000, 1000, 100*time.Millisecond
	}
	listening(t, lab.Start(t, built(t, agentBinary), "target", "--listen", u.target, "--listen-tls", "none"), u.target)
	u.reloader = &reloader{T: t, dir: t.TempDir(), base: "http://" + lab.FreeAddr(t)}
	u.file = u.path("wsprobe.yaml")
	u.write(u.file, u.text(0))
	u.agent = lab.StartWith(t, nil, built(t, agentBinary), "run", "-c", u.file)
	lab.Eventually(t, time.Minute, "all probes have run", func() (bool, string) {
		page := u.get("/api/v1/probes")
		n := strings.Count(page, `"started_at"`)
		return n > 0 && !strings.Contains(page, `"last": null`), strconv.Itoa(n)
	})
	u.follow()
	var first, middle map[string]float64
	var within [][2]time.Time
	for i := range reloads {
		if i == reloads/10 {
			first = u.figures()
		}
		if i == reloads/2 {
			middle = u.figures()
		}
		want, text := http.StatusOK, u.text(i%2)
		if i%10 == 9 {
			want, text = http.StatusBadRequest, text+"  - {nam: broken}\n"
		}
		u.write(u.file, text)
		began := time.Now()
		if code, answer := u.post(); code != want {
			t.Fatalf("reload %d: %d %s", i, code, answer)
		}
		within = append(within, [2]time.Time{began, time.Now()})
		lab.Wait(t, pause)
	}
	u.write(u.file, u.text(1)) // the last one that was right was the other
	if code, answer := u.post(); code != http.StatusOK || !strings.Contains(answer, fmt.Sprintf(" 5 removed, 5 changed, %d unchanged", u.probes-10)) {
		t.Errorf("%d %s", code, answer)
	}
	lab.Wait(t, 3*time.Second)
	u.checkRuns()
	u.checkSessions()
	u.checkGrowth(first, middle, u.figures())
	u.tellDelays(within)
	u.agent.Stop(t, lab.StopLimit)
}

// text is one of two configurations.
func (u *underLoad) text(variant int) string {
	var text strings.Builder
	text.WriteString(u.reloader.text())
	for i := range u.probes - 30 {
		fmt.Fprintf(&text, "  - {name: kept-%d, url: 'ws://%s/good', interval: 1s, timeout_ms: 900, interpretation: round_trip_latency, send_message: ping}\n", i, u.target)
	}
	for i := range 20 {
		fmt.Fprintf(&text, "  - {name: held-%d, url: 'ws://%s/good', interval: 1s, session: {ping_interval: 1s}}\n", i, u.target)
	}
	for i := range 5 { // five change, and five come and go
		fmt.Fprintf(&text, "  - {name: changes-%d, url: 'ws://%s/good', interval: %ds, timeout_ms: 900}\n", i, u.target, 1+variant)
		fmt.Fprintf(&text, "  - {name: comes-%d-%d, url: 'ws://%s/good', interval: 1s, timeout_ms: 900}\n", variant, i, u.target)
	}
	return text.String()
}

// follow reads the agent's own stream until the test ends.
func (u *underLoad) follow() {
	conn := dialRaw(u.T, strings.TrimPrefix(u.base, "http://")+"/api/v1/stream?probe=kept-*")
	u.must(conn.SetDeadline(time.Time{}))
	conn.in = bufio.NewReaderSize(conn.in, 1<<16)
	go func() {
		for {
			op, payload, err := conn.read()
			switch {
			case err != nil:
				return // the connection ends with the test
			case op == ws.OpPing:
				_, _ = conn.Write(ws.MustCompileFrame(ws.MaskFrame(ws.NewPongFrame(payload))))
			case op == ws.OpText:
				u.take(payload)
			}
		}
	}()
}

// take notes a run.
func (u *underLoad) take(event []byte) {
	var e struct {
		Probe   string
		Started time.Time `json:"started_at"`
		Delay   float64   `json:"start_delay_ms"`
	}
	if json.Unmarshal(event, &e) != nil || e.Probe == "" {
		return // one about the stream itself
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.starts[e.Probe] = append(u.starts[e.Probe], e.Started)
	u.delays = append(u.delays, delay{e.Started, e.Delay})
}

// checkRuns wants a run at each tick of each probe that stayed, unless the agent has counted it as skipped.
func (u *underLoad) checkRuns() {
	u.mu.Lock()
	defer u.mu.Unlock()
	runs, lost := 0, 0
	for name, starts := range u.starts {
		slices.SortFunc(starts, time.Time.Compare)
		ticks := int(math.Round(starts[len(starts)-1].Sub(starts[0]).Seconds())) + 1
		runs += len(starts)
		if lost += max(ticks-len(starts), 0); ticks < len(starts) {
			u.Errorf("%s: %d runs at %d ticks", name, len(starts), ticks)
		}
	}
	skipped := int(u.figures()["wsprobe_agent_run_skipped_total"])
	if len(u.starts) != u.probes-30 || lost > skipped {
		u.Errorf("%d runs of %d probes, %d were lost, and %d skipped", runs, len(u.starts), lost, skipped)
	}
	u.Logf("%d runs of probes that stayed, %d lost, %d skipped", runs, lost, skipped)
}

// checkSessions wants each session to be the first one still.
func (u *underLoad) checkSessions() {
	var page struct {
		Probes []struct {
			Name    string
			Session *struct {
				Open     bool
				Sessions int
			}
		}
	}
	u.must(json.Unmarshal([]byte(u.get("/api/v1/probes")), &page))
	for _, p := range page.Probes {
		if s := p.Session; s != nil && (!s.Open || s.Sessions != 1) {
			u.Errorf("%s: open %v, session %d", p.Name, s.Open, s.Sessions)
		}
	}
}

// figures are sums over the series of what may grow.
func (u *underLoad) figures() map[string]float64 {
	u.Helper()
	all := make(map[string]float64)
	line := regexp.MustCompile(`(?m)^(go_goroutines|process_unix_file_descriptors|process_memory_usage_bytes|wsprobe_agent_run_skipped_total|process_cpu_time_seconds_total)(?:\{[^}]*\})? (\S+)`)
	for _, m := range line.FindAllStringSubmatch(u.get("/metrics"), -1) {
		value, err := strconv.ParseFloat(m[2], 64)
		u.must(err)
		all[m[1]] += value
	}
	return all
}

// checkGrowth compares what there was after a tenth, at half time and in the end.
func (u *underLoad) checkGrowth(first, middle, last map[string]float64) {
	for name, slack := range map[string]float64{"go_goroutines": float64(u.probes), "process_unix_file_descriptors": float64(u.probes)} {
		if last[name] > first[name]+slack || last[name] == 0 {
			u.Errorf("%s: %v, then %v, then %v", name, first[name], middle[name], last[name])
		}
	}
	const memory = "process_memory_usage_bytes"
	if limit := 1.5*middle[memory] + 32<<20; last[memory] > limit && !detectRaces {
		u.Errorf("memory: %.0f, then %.0f, then %.0f", first[memory], middle[memory], last[memory])
	}
	u.Logf("after a tenth %v\nat half time %v\nin the end %v", first, middle, last)
}

// tellDelays tells how late runs were that started while a configuration was loaded, and at other times.
func (u *underLoad) tellDelays(within [][2]time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	var during, apart []float64
	for _, d := range u.delays {
		at := slices.IndexFunc(within, func(w [2]time.Time) bool { return !d.at.Before(w[0]) && !d.at.After(w[1]) })
		if at >= 0 {
			during = append(during, d.ms)
		} else {
			apart = append(apart, d.ms)
		}
	}
	var took []float64
	for _, w := range within {
		took = append(took, float64(w[1].Sub(w[0]).Microseconds())/1000)
	}
	u.Logf("start delays in ms during reloads: %s; apart from them: %s; reloads took %s", spread(during), spread(apart), spread(took))
}

// spread sums up numbers.
func spread(all []float64) string {
	if len(all) == 0 {
		return "none"
	}
	slices.Sort(all)
	at := func(q float64) float64 { return all[int(q*float64(len(all)-1))] }
	return fmt.Sprintf("p50 %.2f, p99 %.2f, max %.2f of %d", at(0.5), at(0.99), at(1), len(all))
}

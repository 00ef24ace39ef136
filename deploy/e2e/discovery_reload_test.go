package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// TestDiscoverAmongReloads changes the answers of a real name server and the configuration at the same time. A session
// of a pod that stays is the first one still, and the pods that there are in the end have probes, and no others.
func TestDiscoverAmongReloads(t *testing.T) {
	t.Parallel()
	pods, all := startPods(t, 130)
	server := startKnot(t, all[:100])
	r := &reloader{T: t, dir: t.TempDir(), base: "http://" + lab.FreeAddr(t)}
	r.file = r.path("wsprobe.yaml")
	text := func(names ...string) string {
		return r.text(names...) + fmt.Sprintf(`modules: [{name: pod, interval: 1s, session: {ping_interval: 1s}}]
discover: [{name: pods, module: pod, url: 'ws://%s:%s/', dns: {server: %q}, refresh: 1s}]
`, podName, pods.port, server.addr)
	}
	r.write(r.file, text("one"))
	r.agent = lab.StartWith(t, nil, built(t, agentBinary), "run", "-c", r.file)
	r.awaitFound(100)
	for i := range 60 {
		if i%10 == 0 { // thirty go and fifty come, or the other way round, and fifty stay
			server.publish([][]string{all[:80], all[30:]}[i/10%2])
		}
		r.write(r.file, text("one", fmt.Sprintf("other-%d", i)))
		if code, answer := r.post(); code != http.StatusOK {
			t.Fatalf("%d %s", code, answer)
		}
		lab.Wait(t, 200*time.Millisecond)
	}
	server.publish(all[30:])
	r.awaitFound(100)
	lab.Eventually(t, time.Minute, "a visit to each pod", func() (bool, string) {
		for _, address := range all[30:] {
			if pods.at(address).n == 0 {
				return false, address
			}
		}
		return true, ""
	})
	for _, address := range all[30:80] {
		if n := pods.at(address).n; n != 1 {
			t.Errorf("%s was there all the time, and saw %d sessions", address, n)
		}
	}
	r.agent.Stop(t, lab.StopLimit)
}

// awaitFound waits until so many targets have an open session.
func (r *reloader) awaitFound(n int) {
	r.Helper()
	lab.Eventually(r.T, time.Minute, fmt.Sprintf("%d sessions of pods", n), func() (bool, string) {
		var page struct {
			Probes []struct {
				Name    string
				Session *struct{ Open bool }
			}
		}
		if err := json.Unmarshal([]byte(r.get("/api/v1/probes")), &page); err != nil {
			return false, err.Error()
		}
		open, others := 0, 0
		for _, p := range page.Probes {
			switch {
			case !strings.HasPrefix(p.Name, "pods/"):
			case p.Session != nil && p.Session.Open:
				open++
			default:
				others++
			}
		}
		return open == n && others == 0, fmt.Sprintf("%d, and %d are not open", open, others)
	})
}

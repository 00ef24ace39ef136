package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// tokenLife is the life of the tokens. In the last fifth of it a token is no longer sent. That is longer than a run and
// the second by which the issuer rounds.
const tokenLife = 15 * time.Second

// issuer is oidc-provider, and a server of ws that takes its tokens.
type issuer struct {
	*testing.T
	process, sockets *lab.Process
	addr             string
	secret           string // file of what the issuer wants
	clientSecret     string // file of what the agent sends
	url              string // of the sockets
}

func startIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{T: t, addr: lab.FreeAddr(t), secret: fileWith(t, "wanted", "first"), clientSecret: fileWith(t, "sent", "first\n")}
	i.start()
	var addr string
	i.sockets, addr = startNode(t, "bearer.mjs", i.addr)
	i.url = "ws://" + addr
	return i
}

// start starts the issuer, which is at the same address again.
func (i *issuer) start() {
	i.Helper()
	_, port, _ := strings.Cut(i.addr, ":")
	i.process, _ = startNode(i.T, "issuer.mjs", port, strconv.Itoa(int(tokenLife.Seconds())), i.secret)
}

// auth is the credentials of the client probe for the socket, with changes.
func (i *issuer) auth(changes map[string]any) map[string]any {
	auth := map[string]any{"strategy": "oauth2", "token_url": "http://" + i.addr + "/token", "client_id": "probe", "client_secret_file": i.clientSecret,
		"scopes": []string{"chat.read"}, "audience": "https://chat.test/"}
	maps.Copy(auth, changes)
	return auth
}

// rotate replaces the secret, at the issuer first. Each file changes at once.
func (i *issuer) rotate(secret string) {
	i.Helper()
	for _, file := range []string{i.secret, i.clientSecret} {
		if err := os.Rename(fileWith(i.T, filepath.Base(file), "%s", secret), file); err != nil {
			i.Fatal(err)
		}
	}
}

// granted is the number of tokens that a client got.
func (i *issuer) granted(client string) int {
	return strings.Count(i.process.Output(), "granted "+client+" ")
}

// TestOAuth2Once: tokens of both kinds open the socket, in each way of asking for them, and a refusal is told as it is.
func TestOAuth2Once(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	form := map[string]any{"client_id": "form", "client_auth": "post"}
	wrong := fileWith(t, "wrong", "hunter2")
	for name, c := range map[string]struct {
		auth   map[string]any
		broke  string
		detail string
	}{
		"header":        {auth: i.auth(nil)},
		"body":          {auth: i.auth(form)},
		"opaque":        {auth: i.auth(map[string]any{"audience": ""})},
		"more scopes":   {auth: i.auth(map[string]any{"scopes": []string{"chat.read", "chat.write"}})},
		"wrong secret":  {i.auth(map[string]any{"client_secret_file": wrong}), "credentials_unreadable", "it answered 401 Unauthorized: invalid_client"},
		"no such name":  {i.auth(map[string]any{"client_id": "nobody"}), "credentials_unreadable", "it answered 401 Unauthorized: invalid_client"},
		"no audience":   {i.auth(map[string]any{"audience": "https://other.test/"}), "credentials_unreadable", "it answered 400 Bad Request: invalid_target"},
		"no such path":  {i.auth(map[string]any{"token_url": "http://" + i.addr + "/tokens"}), "credentials_unreadable", "it answered 404 Not Found"},
		"another scope": {i.auth(map[string]any{"scopes": []string{"chat.write"}}), "http_401", "401"},
		"nobody there":  {i.auth(map[string]any{"token_url": "http://" + lab.FreeAddr(t) + "/"}), "credentials_unreadable", "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			s := settings{Probes: []map[string]any{{"name": "once", "url": i.url, "auth": c.auth, "timeout_ms": 20_000}}}
			exit := 0
			if c.broke != "" {
				exit = 1
			}
			for _, got := range onceAll(t, exit, s.write(t)) {
				if got.ErrorType != c.broke || !strings.Contains(got.Detail, c.detail) || strings.Contains(got.Detail, "hunter2") {
					t.Errorf("got %+v, want %s: %s", got, c.broke, c.detail)
				}
			}
		})
	}
	t.Run("prepare", func(t *testing.T) {
		s := settings{Probes: []map[string]any{{"name": "once", "url": i.url, "timeout_ms": 20_000, "headers": map[string]string{"Authorization": "Bearer {{token}}"},
			"prepare": map[string]any{"url": "http://" + i.addr + "/token", "headers": map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
				"body":    "grant_type=client_credentials&client_id=form&client_secret=${file:" + i.clientSecret + "}&scope=chat.read&audience=https://chat.test/",
				"capture": map[string]any{"token": map[string]string{"json": "access_token"}}}}}}
		onceAll(t, 0, s.write(t))
	})
}

// TestOAuth2IsShared: many probes share a token and the fetch of it, over several lives, of which no run sees the end.
func TestOAuth2IsShared(t *testing.T) {
	t.Parallel()
	i, w := startIssuer(t), newWitness(t)
	var probes []map[string]any
	for n := range 20 {
		auth := i.auth(nil)
		if n%2 == 1 { // the endpoint asks the issuer about these tokens
			auth = i.auth(map[string]any{"client_id": "form", "client_auth": "post", "audience": ""})
		}
		probes = append(probes, map[string]any{"name": fmt.Sprint("shared-", n), "url": i.url, "auth": auth})
	}
	began := time.Now()
	agent := startStreaming(t, probes, w.stream())
	lab.Eventually(t, serverLimit, "four tokens of each client", func() (bool, string) {
		agent.process.Running(t)
		return min(i.granted("probe"), i.granted("form")) >= 4, i.process.Output()
	})
	w.await(t, len(w.events())+2*len(probes))
	stopAgent(t, agent.process)
	// A token is renewed behind seven tenths of its life at the earliest.
	most := 1 + int(time.Since(began)/(tokenLife*7/10))
	for _, client := range []string{"probe", "form"} {
		granted, used := i.granted(client), strings.Count(i.sockets.Output(), "accepted a token of "+client)
		t.Logf("%s: %d tokens in %v, %d were used", client, granted, time.Since(began).Round(time.Second), used)
		if granted > most || used < granted-1 {
			t.Errorf("%s: %d tokens, at most %d were due; %d were used", client, granted, most, used)
		}
	}
	tally(t, w.all(), func(e map[string]any) bool { return e["reason"] == "ok" })
}

// tally wants each run to be right, but those in which the machine was busy and that timed out for it.
func tally(t *testing.T, runs []map[string]any, right func(map[string]any) bool) {
	t.Helper()
	for _, e := range runs {
		busy := e["local_overload"] == true && strings.HasSuffix(fmt.Sprint(e["error_type"]), "_timeout")
		if !right(e) && !busy {
			t.Errorf("%v: %v %v (%v) after %v", e["probe"], e["event"], e["error_type"], e["detail"], e["phases_ms"])
		}
	}
}

// tokenOutage is an agent with probes that need tokens, and others.
type tokenOutage struct {
	*issuer
	seen  *witness
	agent *streaming
}

const (
	outageProbes = 5 // of each sort
	outageRun    = 1500 * time.Millisecond
)

func startTokenOutage(t *testing.T) *tokenOutage {
	o := &tokenOutage{issuer: startIssuer(t), seen: newWitness(t)}
	_, other := startNode(t, "echo.mjs")
	held := map[string]any{"heartbeat": map[string]any{"send": "leave", "interval": "1s"}, "reconnect": map[string]string{"min": "500ms", "max": "1s"}}
	probes := []map[string]any{{"name": "held", "url": o.url, "auth": o.auth(nil), "session": held}}
	for n := range outageProbes {
		probes = append(probes,
			map[string]any{"name": fmt.Sprint("token-", n), "url": o.url, "auth": o.auth(nil)},
			map[string]any{"name": fmt.Sprint("other-", n), "url": "ws://" + other})
	}
	for _, p := range probes {
		p["interval"], p["timeout_ms"] = "3s", outageRun.Milliseconds()
	}
	o.agent = startStreaming(t, probes, o.seen.stream())
	return o
}

// await waits until the last result of each probe that needs tokens, of those that came since, is as wanted.
func (o *tokenOutage) await(since int, want string, is func(event map[string]any) bool) (events int) {
	o.Helper()
	lab.Eventually(o.T, serverLimit, want, func() (bool, string) {
		o.agent.process.Running(o.T)
		all, last := o.seen.all(), map[string]bool{}
		for _, e := range all[min(since, len(all)):] {
			if name := fmt.Sprint(e["probe"]); !strings.HasPrefix(name, "other-") && !ended(e) {
				last[name] = is(e)
			}
		}
		right := 0
		for _, ok := range last {
			if ok {
				right++
			}
		}
		events = len(all)
		return right == outageProbes+1, fmt.Sprint(last)
	})
	return events
}

func succeeded(e map[string]any) bool { return e["reason"] == "ok" }

// lacksToken says that a run or an open failed before it connected, because there was no token.
func lacksToken(e map[string]any) bool {
	phases, _ := e["phases_ms"].(map[string]any)
	return len(phases) <= 1 && (e["error_type"] == "prepare_timeout" || e["error_type"] == "credentials_unreadable")
}

// TestOAuth2Outages: an issuer that stands still or is gone fails the runs and opens that need a token in the phase
// prepare, and no others. Another secret fails none. All recover without a restart of the agent.
func TestOAuth2Outages(t *testing.T) {
	t.Parallel()
	o := startTokenOutage(t)
	n := o.await(0, "tokens", succeeded)

	o.process.Signal(t, syscall.SIGSTOP)
	n = o.await(n, "runs that wait", func(e map[string]any) bool { return e["error_type"] == "prepare_timeout" })
	n = o.await(n, "a request that is given up", func(e map[string]any) bool {
		return strings.Contains(fmt.Sprint(e["detail"]), "no answer within 15s")
	})
	o.process.Signal(t, syscall.SIGCONT)
	n = o.await(n, "tokens behind the pause", succeeded)

	granted := o.granted("probe")
	o.rotate("second")
	lab.Eventually(t, serverLimit, "a token for the new secret", func() (bool, string) { return o.granted("probe") > granted, o.process.Output() })
	rotated := o.await(len(o.seen.all()), "tokens for the new secret", succeeded)
	if strings.Contains(o.process.Output(), "refused") {
		t.Errorf("the issuer refused:\n%s", o.process.Output())
	}
	tally(t, o.seen.all()[n:rotated], succeededOrEnded)

	o.process.Kill(t)
	n = o.await(rotated, "runs without an issuer", func(e map[string]any) bool {
		return strings.Contains(fmt.Sprint(e["detail"]), "connection refused")
	})
	o.issuer.start()
	o.await(n, "tokens of another process", succeeded)
	o.check()
	stopAgent(t, o.agent.process)
}

func succeededOrEnded(e map[string]any) bool { return succeeded(e) || ended(e) }

// ended says that an event is about the end of a session for which the probe asked.
func ended(e map[string]any) bool { return e["close_code"] == 4000.0 }

// check wants of all events that others never failed, and that no token was sent behind its end. No run may have held up
// the next one, and the totals of each probe must be of all its runs.
func (o *tokenOutage) check() {
	o.Helper()
	all, runs := o.seen.all(), map[string]int{}
	tally(o.T, all, func(e map[string]any) bool {
		name := fmt.Sprint(e["probe"])
		runs[name]++
		return succeeded(e) || !strings.HasPrefix(name, "other-") && (ended(e) || lacksToken(e))
	})
	agent := &reloader{T: o.T, base: "http://" + o.agent.listen}
	page := agent.get("/metrics") + agent.get("/api/v1/probes")
	totals := map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^wsprobe_runs_total\{.*wsprobe_name="([^"]+)".*\} (\d+)`).FindAllStringSubmatch(page, -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			o.Fatal(err)
		}
		totals[m[1]] += n
	}
	for name, n := range runs {
		if name != "held" && totals[name] < n {
			o.Errorf("%s: a total of %d runs, and %d were seen", name, totals[name], n)
		}
	}
	if found := regexp.MustCompile(`"cause": *"(overlap|max_concurrent)"`).FindString(page); found != "" || len(runs) != 2*outageProbes+1 {
		o.Errorf("runs were skipped: %s; seen %v", found, runs)
	}
}

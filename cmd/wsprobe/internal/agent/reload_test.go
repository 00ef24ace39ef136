package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// reloading is an agent in a bubble whose configuration is a file.
type reloading struct {
	bubble
	dir, file string
	hangups   chan os.Signal
	reading   func() // called between the look before a load and the load
	loads     atomic.Int32
}

// whileReloading lets do work with an agent that runs, with one probe.
func whileReloading(t *testing.T, do func(*reloading)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &reloading{bubble: bubble{t: t}, dir: t.TempDir(), hangups: make(chan os.Signal, 1)}
		r.file = filepath.Join(r.dir, "wsprobe.yaml")
		r.endpoints = wstest.Memory(wstest.Echo)
		defer r.endpoints.Close()
		r.writeProbes("one")
		source := NewSource([]string{r.file}, r.load)
		cfg, err := source.Load()
		if err != nil {
			t.Fatal(err)
		}
		log := slog.New(slog.NewTextHandler(&r.log, nil))
		if r.Agent, err = New(cfg, Options{Log: log, Source: source, Hangups: r.hangups}); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx) }()
		r.stop = sync.OnceFunc(func() {
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		defer r.stop()
		synctest.Wait()
		do(r)
	})
}

// load is what the agent loads with.
func (r *reloading) load() (config.Config, error) {
	r.loads.Add(1)
	if r.reading != nil {
		r.reading()
	}
	cfg, err := config.Load(r.file)
	cfg.Agent.Listen = "" // a real listener does not fit into a bubble
	for i := range cfg.Probes {
		cfg.Probes[i].Spec.Dial = r.endpoints.Dial
	}
	return cfg, err
}

// write writes the file, at the time of the bubble.
func (r *reloading) write(text string) {
	r.t.Helper()
	text = strings.ReplaceAll("agent: {log_level: info}\notlp: {protocol: none}\n"+text, "URL/", r.endpoints.URL)
	if err := os.WriteFile(r.file, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Chtimes(r.file, time.Now(), time.Now()); err != nil {
		r.t.Fatal(err)
	}
}

// writeProbes writes a file with probes of these names.
func (r *reloading) writeProbes(names ...string) {
	text := "probes:\n"
	for _, name := range names {
		text += fmt.Sprintf("  - {name: %q, url: URL/echo, interval: 1s}\n", name)
	}
	r.write(text)
}

// names are those of the probes that run.
func (r *reloading) names() string {
	var names []string
	for _, e := range []string{"one", "two", "three"} {
		if r.fleet.current()[e] != nil {
			names = append(names, e)
		}
	}
	return strings.Join(names, " ")
}

// config is what the API says.
func (r *reloading) config() status.Config {
	r.t.Helper()
	var c status.Config
	if err := json.Unmarshal(r.get("GET", "/api/v1/config").Body.Bytes(), &c); err != nil {
		r.t.Fatal(err)
	}
	return c
}

func (r *reloading) get(method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	request := httptest.NewRequest(method, path, nil)
	request.Host, request.RemoteAddr = "localhost", "127.0.0.1:1234"
	r.status.Handler().ServeHTTP(w, request)
	return w
}

// want compares which probes run, how often they were loaded, and whether they are stale.
func (r *reloading) want(when, names string, loads int, stale bool) {
	r.t.Helper()
	synctest.Wait()
	if c := r.config(); r.names() != names || int(r.loads.Load()) != loads || c.Stale != stale || (c.Since != nil) != stale {
		r.t.Errorf("%s: %q after %d loads, stale %v since %v; want %q after %d, %v", when, r.names(), r.loads.Load(), c.Stale, c.Since, names, loads, stale)
	}
}

// TestReloadOfAChangedFile: the third look that sees the same, 2 s after the first, brings the change.
func TestReloadOfAChangedFile(t *testing.T) {
	whileReloading(t, func(r *reloading) {
		time.Sleep(time.Minute + time.Second/2)
		r.want("at the start", "one", 1, false)
		r.writeProbes("one", "two")
		time.Sleep(2*time.Second + time.Second/2 - 1)
		r.want("too early", "one", 1, false)
		time.Sleep(time.Nanosecond)
		r.want("in time", "one two", 2, false)
		time.Sleep(time.Hour)
		r.want("later", "one two", 2, false)
		if log := r.log.String(); !strings.Contains(log, `msg="the configuration was loaded" cause="files changed" added=1 removed=0 changed=0 unchanged=1`) {
			t.Errorf("log:\n%s", log)
		}
	})
}

// TestReloadOfAFaultyFile: it changes nothing, is told of with every place, and is over when the file is as before.
func TestReloadOfAFaultyFile(t *testing.T) {
	whileReloading(t, func(r *reloading) {
		r.write("probes:\n  - {name: one, url: URL/echo, intervall: 1s}\n  - {name: two}\n")
		time.Sleep(5 * time.Second)
		r.want("faulty", "one", 2, true)
		since := *r.config().Since
		if faults := r.config().Faults; len(faults) != 2 || faults[0].File != r.file || faults[0].Line != 4 || faults[0].Column == 0 ||
			faults[0].Path != "probes[0].intervall" || faults[1].Path != "probes[1].url" {
			t.Errorf("faults: %+v", faults)
		}
		log, page := r.log.String(), r.get("GET", "/").Body.String()
		for _, want := range []string{
			`level=ERROR msg="the configuration has a fault" file=` + r.file + ` line=4 column=`, ` path=probes[0].intervall problem=`,
			`level=ERROR msg="the configuration was not loaded: the one before stays" cause="files changed" faults=2 `,
		} {
			if !strings.Contains(log, want) {
				t.Errorf("no %s in\n%s", want, log)
			}
		}
		if !strings.Contains(page, "configuration stale") || !strings.Contains(page, ":4:") || !strings.Contains(page, "probes[1].url") {
			t.Errorf("page:\n%s", page)
		}
		time.Sleep(time.Minute)
		r.write("probes: nonsense\n")
		time.Sleep(4 * time.Second)
		r.want("faulty in another way", "one", 3, true)
		if got := *r.config().Since; !got.Equal(since) {
			t.Errorf("stale since %v, but the first fault was at %v", got, since)
		}
		r.writeProbes("one")
		time.Sleep(4 * time.Second)
		r.want("as before", "one", 3, false)
		if log, page := r.log.String(), r.get("GET", "/").Body.String(); !strings.Contains(log, "are again as they run") || strings.Contains(page, "stale\"") {
			t.Errorf("log:\n%s\npage:\n%s", log, page)
		}
		if c := r.config(); len(c.Faults) > 0 {
			t.Errorf("faults are left: %v", c.Faults)
		}
		r.write("probes: nonsense\n")
		time.Sleep(4 * time.Second)
		if n := strings.Count(r.log.String(), `path=probes problem="must be a list`); n != 2 {
			t.Errorf("the fault is told %d times, want it told again when it is back\n%s", n, &r.log)
		}
	})
}

// TestReloadOfValuesThatNeedARestart: the rest is in force, and the agent is stale until the old values are back.
func TestReloadOfValuesThatNeedARestart(t *testing.T) {
	whileReloading(t, func(r *reloading) {
		change := func(old, new string) {
			text, err := os.ReadFile(r.file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(r.file, []byte(strings.ReplaceAll(string(text), old, new)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r.writeProbes("one", "two")
		change("log_level: info", "log_format: json, location: here")
		time.Sleep(5 * time.Second)
		r.want("with values that need a restart", "one two", 2, true)
		if restart := strings.Join(r.config().Restart, " "); restart != "agent.location agent.log_format" {
			t.Errorf("restart: %s", restart)
		}
		if page := r.get("GET", "/").Body.String(); !strings.Contains(page, "<code>agent.location, agent.log_format</code>") {
			t.Errorf("page:\n%s", page)
		}
		w := r.get("POST", "/-/reload")
		if w.Code != http.StatusOK || !strings.HasSuffix(w.Body.String(), "the old ones stay: agent.location, agent.log_format\n") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		r.write("probes: none\n")
		time.Sleep(5 * time.Second)
		r.want("with faults besides", "one two", 4, true)
		if c := r.config(); len(c.Restart) != 2 || len(c.Faults) != 1 {
			t.Errorf("%+v", c)
		}
		r.writeProbes("one")
		time.Sleep(5 * time.Second)
		r.want("with the old values", "one", 5, false)
		if c := r.config(); len(c.Restart) > 0 || len(c.Faults) > 0 {
			t.Errorf("%+v", c)
		}
	})
}

// TestReloadTellsAFewFaults: the log has 20 lines of a file with many faults, and a count.
func TestReloadTellsAFewFaults(t *testing.T) {
	whileReloading(t, func(r *reloading) {
		r.write("probes:\n" + strings.Repeat("  - {}\n", 30))
		time.Sleep(5 * time.Second)
		log := r.log.String()
		if n := strings.Count(log, `msg="the configuration has a fault"`); n != 20 || !strings.Contains(log, "more faults: wsprobe check names them\" more=") {
			t.Errorf("%d lines:\n%s", n, log)
		}
	})
}

// TestReloadOfRestlessFiles: whatever a file is for less than 2 s is not loaded, and one that never rests every 10 s.
func TestReloadOfRestlessFiles(t *testing.T) {
	whileReloading(t, func(r *reloading) {
		time.Sleep(time.Second / 2)
		r.write("probes:\n  - {name: two, url: URL/echo, interval: 1s}\n") // the first half
		time.Sleep(1500 * time.Millisecond)
		r.writeProbes("two", "three")
		time.Sleep(5 * time.Second)
		r.want("written in two parts", "two three", 2, false)
		if log := r.log.String(); strings.Count(log, "the configuration was loaded") != 1 {
			t.Errorf("log:\n%s", log)
		}
		if err := os.Remove(r.file); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1500 * time.Millisecond)
		r.writeProbes("two", "three")
		time.Sleep(5 * time.Second)
		r.want("removed and made again", "two three", 2, false)
		time.Sleep(5 * time.Millisecond) // so that no look meets a write
		for i := range 1800 {
			r.writeProbes("two", fmt.Sprint("p", i))
			time.Sleep(50 * time.Millisecond)
		}
		if n := r.loads.Load(); n < 2+7 || n > 2+9 {
			t.Errorf("%d loads of a file that was written 1,800 times in 90 s", n-2)
		}
		r.writeProbes("one")
		time.Sleep(15 * time.Second)
		if r.names() != "one" || r.config().Stale {
			t.Errorf("in the end there is %q", r.names())
		}
	})
}

// TestReloadSeesAChangeDuringALoad: a file that changes while it is read is read again.
func TestReloadSeesAChangeDuringALoad(t *testing.T) {
	whileReloading(t, func(r *reloading) {
		r.reading = func() {
			if r.reading = nil; r.loads.Load() == 2 {
				r.write("probes:\n  - {name: two, url: URL/echo, interval: 1s}\n  - {name: three, url: URL/echo, interval: 1s}\n")
			}
		}
		r.writeProbes("one", "two")
		time.Sleep(10 * time.Second)
		r.want("after a change between look and load", "two three", 3, false)
	})
}

// TestReloadOnDemand: SIGHUP and POST load at once, also a file that did not change and without any looks.
func TestReloadOnDemand(t *testing.T) {
	whileReloading(t, func(r *reloading) {
		r.hangups <- syscall.SIGHUP
		r.want("SIGHUP", "one", 2, false)
		w := r.get("POST", "/-/reload")
		if text := "the configuration was loaded: 0 probes added, 0 removed, 0 changed, 1 unchanged\n"; w.Code != http.StatusOK || w.Body.String() != text {
			t.Errorf("%d %q", w.Code, w.Body)
		}
		r.write("probes: [{name: two, url: 'URL/', interval: 2s}]\n")
		file, err := os.ReadFile(r.file)
		if err != nil {
			t.Fatal(err)
		}
		unwatched := strings.Replace(string(file), "log_level:", "watch: 0s, log_level:", 1)
		if err := os.WriteFile(r.file, []byte(unwatched), 0o600); err != nil {
			t.Fatal(err)
		}
		if w = r.get("POST", "/-/reload"); !strings.Contains(w.Body.String(), "1 probes added, 1 removed, 0 changed, 0 unchanged\n") {
			t.Errorf("%d %q", w.Code, w.Body)
		}
		r.write("probes: [{nam: two}]\n")
		time.Sleep(time.Hour)
		r.want("unwatched", "two", 4, false)
		w = r.get("POST", "/-/reload")
		if want := r.file + ":3:11: probes[0].nam: "; w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), want) || strings.Count(w.Body.String(), "\n") != 2 {
			t.Errorf("%d %q, want %s", w.Code, w.Body, want)
		}
		r.want("faulty", "two", 5, true)
		if w = r.get("GET", "/-/reload"); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
			t.Errorf("GET: %d, allow %q", w.Code, w.Header().Get("Allow"))
		}
	})
}

// TestReloadCoalesces: what asks during a load has one more load, whose outcome all of them get. Too many are refused.
func TestReloadCoalesces(t *testing.T) {
	whileReloading(t, func(r *reloading) {
		reading := make(chan struct{})
		r.reading = func() { <-reading }
		r.hangups <- syscall.SIGHUP
		synctest.Wait()
		r.hangups <- syscall.SIGHUP
		codes := make(chan int, 3*maxWaiting)
		for range maxWaiting + 5 {
			go func() { codes <- r.get("POST", "/-/reload").Code }()
		}
		synctest.Wait()
		if len(codes) != 5 {
			t.Errorf("%d are refused", len(codes))
		}
		r.writeProbes("two")
		reading <- struct{}{}
		reading <- struct{}{}
		r.want("after a storm", "two", 3, false)
		count := make(map[int]int)
		for range maxWaiting + 5 {
			count[<-codes]++
		}
		if count[http.StatusOK] != maxWaiting || count[http.StatusServiceUnavailable] != 5 {
			t.Errorf("answers: %v", count)
		}
		go func() { codes <- r.get("POST", "/-/reload").Code }()
		synctest.Wait()
		r.stop()
		if code := <-codes; code != http.StatusServiceUnavailable {
			t.Errorf("a request at the stop: %d", code)
		}
		close(reading)
	})
}

// TestReloadFlood: of a thousand signals a second and as many requests, few have a load and a line. The first ones do not
// wait, the last content holds, and the same faults are not told again and again.
func TestReloadFlood(t *testing.T) {
	whileReloading(t, func(r *reloading) {
		began := time.Now()
		for range loadsAtOnce {
			r.hangups <- syscall.SIGHUP
			synctest.Wait()
		}
		if n := r.loads.Load(); n != 1+loadsAtOnce || time.Since(began) != 0 {
			t.Errorf("%d loads at once", n)
		}
		const length = 10 * time.Second
		flood := func() {
			for end := time.Now().Add(length); time.Now().Before(end); time.Sleep(time.Millisecond) {
				select {
				case r.hangups <- syscall.SIGHUP:
				default:
				}
				go r.get("POST", "/-/reload")
			}
		}
		flood()
		if n := int(r.loads.Load()); n > 1+loadsAtOnce+int(length/loadEvery) {
			t.Errorf("%d loads in %s", n, length)
		}
		r.write("probes: [{nam: two}, {nam: three}]\n")
		flood()
		faults := strings.Count(r.log.String(), "has a fault")
		if faults < 2 || faults > 4*(int(length/sameFaults)+2) { // of each probe a surplus field and a missing one
			t.Errorf("%d lines about faults", faults)
		}
		r.writeProbes("two")
		r.hangups <- syscall.SIGHUP
		time.Sleep(time.Second)
		if now := r.fleet.current(); now["two"] == nil || len(now) != 1 {
			t.Errorf("after the flood: %v", now)
		}
		if lines := strings.Count(r.log.String(), "\n"); lines > 2*int(length/loadEvery)+loadsAtOnce+faults+20 {
			t.Errorf("%d lines", lines)
		}
	})
}

// TestReloadOfFilesThatDoNotAnswer: the agent waits for two minutes, says so, works on, and recovers with the files.
func TestReloadOfFilesThatDoNotAnswer(t *testing.T) {
	whileReloading(t, func(r *reloading) {
		reading := make(chan struct{})
		r.reading = func() { <-reading }
		began := time.Now()
		w := r.get("POST", "/-/reload")
		if took := time.Since(began); w.Code != http.StatusInternalServerError || took != loadBudget || !strings.Contains(w.Body.String(), "still being read") {
			t.Errorf("%d %q after %s", w.Code, w.Body, took)
		}
		if w = r.get("POST", "/-/reload"); w.Code != http.StatusInternalServerError || time.Since(began) != loadBudget {
			t.Errorf("at once: %d after %s", w.Code, time.Since(began))
		}
		r.want("stuck", "one", 2, true)
		if n := strings.Count(r.log.String(), "cannot be watched"); n > 1 {
			t.Errorf("%d lines about looks", n)
		}
		time.Sleep(time.Minute)
		close(reading)
		synctest.Wait()
		r.writeProbes("one", "two")
		time.Sleep(5 * time.Second)
		r.want("answers again", "one two", 3, false)
	})
}

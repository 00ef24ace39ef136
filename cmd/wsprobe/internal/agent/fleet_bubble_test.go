package agent

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/logtest"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// bubble is an agent without exports and its endpoints, in a bubble.
type bubble struct {
	*Agent
	t         *testing.T
	log       logtest.Log
	endpoints *wstest.Server
	stop      func()
	callers   callers
	sent      []string // the tokens that /token had, one visit at a time
}

func (b *bubble) token(c *wstest.Conn) {
	b.sent = append(b.sent, c.Request().Header.Get("X-Token"))
	wstest.Echo(c)
}

// inBubble lets do work with an agent of some endpoints that runs. The first half of each minute /flaky refuses.
func inBubble(t *testing.T, do func(*bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{t: t}
		b.endpoints = wstest.Memory(wstest.ByPath(map[string]wstest.Script{
			"/echo": wstest.Echo, "/silent": wstest.Silent, "/refused": wstest.Refuse(403, "no\n"), "/flaky": flaky,
			"/deaf": deaf, "/token": b.token, "/held": b.callers.hold,
		}))
		defer b.endpoints.Close()
		log := slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		var err error
		if b.Agent, err = New(config.Config{OTLP: config.OTLP{Protocol: "none"}}, Options{Log: log}); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.Run(ctx) }()
		b.stop = func() {
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			ended <- nil
		}
		defer b.stop()
		synctest.Wait()
		do(b)
	})
}

// deaf takes part in no close handshake.
func deaf(c *wstest.Conn) {
	c.Accept()
	c.Hold()
}

func flaky(c *wstest.Conn) {
	if time.Now().Second() < 30 {
		c.Refuse(503, "")
		return
	}
	wstest.Echo(c)
}

// probes reads probes, of which each line is one.
func (b *bubble) probes(lines ...string) []config.Probe {
	b.t.Helper()
	if len(lines) == 0 {
		return nil
	}
	text := strings.ReplaceAll("probes:\n  - "+strings.Join(lines, "\n  - "), "URL/", b.endpoints.URL)
	cfg, err := config.Parse("probes.yaml", []byte(text))
	if err != nil {
		b.t.Fatal(err)
	}
	for i := range cfg.Probes {
		cfg.Probes[i].Spec.Dial = b.endpoints.Dial
		if s := cfg.Probes[i].Session; s != nil {
			s.Dial = b.endpoints.Dial
		}
	}
	return cfg.Probes
}

// apply is Apply of probes that are right, after which all has settled.
func (b *bubble) apply(lines ...string) {
	b.t.Helper()
	if err := b.Apply(b.probes(lines...)); err != nil {
		b.t.Error(err)
	}
	synctest.Wait()
}

// row is a probe as the API shows it, empty without one.
func (b *bubble) row(name string) string {
	w := httptest.NewRecorder()
	b.status.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/probes", nil))
	rows := regexp.MustCompile(`(?s)    \{\n      "name": "`+name+`",.*?\n    \}`).FindAllString(w.Body.String(), -1)
	if len(rows) > 1 {
		b.t.Errorf("%d rows of %s", len(rows), name)
	}
	return strings.Join(rows, "")
}

// lines are those of the log about a probe.
func (b *bubble) lines(name string) []string {
	var lines []string
	for line := range strings.Lines(b.log.String()) {
		if strings.Contains(line, " probe="+name+" ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// Probes of these tests.
const (
	flakyLine = `{name: kept, url: "URL/flaky", interval: 7s, interpretation: connection_success,
      thresholds: {unhealthy: "== 0"}}`
	silentLine = `{name: long, url: "URL/silent", interval: 10s, interpretation: round_trip_latency, send_message: hi,
      timeout_ms: 8000}`
)

// TestApplyDoesNotDisturb: a probe that stays has the same lines, results and status as if nothing else had changed, to
// the nanosecond, and the same skipped runs.
func TestApplyDoesNotDisturb(t *testing.T) {
	for name, line := range map[string]string{"kept": flakyLine, "long": silentLine} {
		t.Run(name, func(t *testing.T) {
			var alone, among string
			for _, changes := range []bool{false, true} {
				inBubble(t, func(b *bubble) {
					b.apply(line)
					for i := range 400 {
						time.Sleep(2700 * time.Millisecond)
						if changes {
							b.apply(fmt.Sprintf(`{name: other, url: "URL/echo", interval: %ds}`, 1+i%3), line,
								fmt.Sprintf(`{name: o-%d, url: "URL/refused", interval: 1s}`, i))
						}
					}
					said := strings.Join(b.lines(name), "\n") + b.row(name)
					if changes {
						among = said
					} else {
						alone = said
					}
				})
			}
			if lines := strings.Count(alone, "\n"); lines < 100 || !strings.Contains(alone, `"last": {`) {
				t.Fatalf("only %d lines:\n%s", lines, alone)
			}
			if among != alone {
				t.Errorf("among others:\n%s\nalone:\n%s", among, alone)
			}
		})
	}
}

// TestApplyEndsARunInFlight: the run of a probe that is gone, or is another now, ends at once, and nobody is told of
// it.
func TestApplyEndsARunInFlight(t *testing.T) {
	for name, test := range map[string]struct {
		path   string
		rest   string // of the line
		budget time.Duration
	}{
		"waits for a reply": {"/silent", `interpretation: round_trip_latency, send_message: hi, timeout_ms: 20000`, 0},
		"stays open":        {"/silent", `stay_open_ms: 15000, timeout_ms: 20000`, 0},
		"closes":            {"/deaf", `timeout_ms: 1000`, 500 * time.Millisecond},
	} {
		for _, heir := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/heir_%v", name, heir), func(t *testing.T) {
				inBubble(t, func(b *bubble) {
					line := fmt.Sprintf(`{name: gone, url: "URL%s", interval: 1h, %s}`, test.path, test.rest)
					var next []string
					if heir {
						next = []string{strings.Replace(line, "1h", "2h", 1)}
					}
					b.apply(line)
					for b.scheduler.InFlight() == 0 {
						time.Sleep(time.Millisecond)
					}
					time.Sleep(test.budget / 2)
					lines := len(b.lines("gone"))
					b.apply(next...)
					time.Sleep(test.budget)
					synctest.Wait()
					if n := b.scheduler.InFlight(); n != 0 {
						t.Errorf("%d runs in flight", n)
					}
					row := b.row("gone")
					if heir && !strings.Contains(row, `"last": null`) || !heir && row != "" {
						t.Errorf("row %s", row)
					}
					if now := b.lines("gone"); len(now) != lines {
						t.Errorf("lines of a probe that is gone: %q", now[lines:])
					}
				})
			})
		}
	}
}

// TestApplyOfARotatedSecret: the probe is the same one, and sends what the secret is now from its next run on.
func TestApplyOfARotatedSecret(t *testing.T) {
	t.Setenv("APPLY_TOKEN", "first")
	inBubble(t, func(b *bubble) {
		const line = `{name: kept, url: "URL/token", interval: 10s, headers: {X-Token: "${env:APPLY_TOKEN}"}}`
		b.apply(line)
		before := b.fleet.current()["kept"]
		time.Sleep(time.Minute)
		synctest.Wait()
		sent := len(b.sent)
		if err := os.Setenv("APPLY_TOKEN", "second"); err != nil {
			t.Fatal(err)
		}
		b.apply(line)
		time.Sleep(time.Minute)
		synctest.Wait()
		if b.fleet.current()["kept"] != before {
			t.Error("a probe with a rotated secret is another one")
		}
		first, second := b.sent[:sent], b.sent[sent:]
		if len(first) < 6 || slices.Contains(first, "second") || len(second) != 6 || slices.Contains(second, "first") {
			t.Errorf("sent %q, then %q", first, second)
		}
	})
}

// TestApplyBeginsAnew: a changed probe has no outage, no status and no skipped runs before its own.
func TestApplyBeginsAnew(t *testing.T) {
	inBubble(t, func(b *bubble) {
		slow := `{name: changed, url: "URL/silent", interval: 1s, interpretation: round_trip_latency, send_message: hi,
      timeout_ms: 2500, thresholds: {healthy: "< 1"}}`
		b.apply(slow)
		time.Sleep(time.Minute)
		row := b.row("changed")
		if strings.Contains(row, `"skipped": 0,`) || !strings.Contains(row, `"status": "no_data"`) {
			t.Fatalf("before: %s", row)
		}
		lines := len(b.lines("changed"))
		b.apply(`{name: changed, url: "URL/echo", interval: 10s, thresholds: {healthy: "< 10000"}}`)
		row = b.row("changed")
		for _, want := range []string{`"skipped": 0,`, `"status": null`, `"last": null`} {
			if !strings.Contains(row, want) {
				t.Errorf("no %s in %s", want, row)
			}
		}
		at := time.Now()
		time.Sleep(30 * time.Second)
		now := b.lines("changed")[lines:]
		text := strings.Join(now, "\n")
		if len(now) != 5 || strings.Contains(text, "recovered") || strings.Contains(text, "from=no_data") {
			t.Errorf("lines %q", now)
		}
		since := regexp.MustCompile(`"status": "healthy",\s+"status_since": "([^"]+)"`).FindStringSubmatch(b.row("changed"))
		if since == nil {
			t.Fatalf("not healthy: %s", b.row("changed"))
		}
		if has, err := time.Parse(time.RFC3339, since[1]); err != nil || has.Before(at) {
			t.Errorf("changed at %v: %s", at, b.row("changed"))
		}
	})
}

package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// startSticky starts HAProxy in front of two servers of Socket.IO that know nothing of each other. Its cookie keeps a client
// at the server that answered first; others take turns.
func startSticky(t *testing.T) (url string) {
	t.Helper()
	_, one := startNode(t, "socketio.mjs")
	_, two := startNode(t, "socketio.mjs")
	addr := lab.FreeAddr(t)
	config := fileWith(t, "haproxy.cfg", `
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  timeout tunnel 60s
frontend front
  bind %s
  default_backend back
backend back
  balance roundrobin
  cookie SERVERID insert indirect nocache
  server one %s cookie one
  server two %s cookie two
`, addr, one, two)
	listening(t, lab.Start(t, need(t, "haproxy", "haproxy"), "-db", "-f", config), addr)
	return "ws://" + addr
}

// TestPrepareAnew holds sessions that the server ends every second: each open logs in again, or gets another ticket, and no
// open fails.
func TestPrepareAnew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path, line string
		prepare    map[string]any
	}{
		"login": {"/socket", "logged in", map[string]any{"url": "/login", "body": "user=probe&password=sesame", "expect_status": 303}},
		"ticket": {"/socket?ticket={{ticket}}", "issued a ticket", map[string]any{"url": "/api/tickets", "headers": map[string]string{"X-Api-Key": "sesame"},
			"body": `{"for": "socket"}`, "expect_status": 201, "capture": map[string]any{"ticket": map[string]string{"json": "data.ticket"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, addr := startNode(t, "login.mjs")
			s := settings{Probes: []map[string]any{{"name": name, "url": "ws://" + addr + c.path, "prepare": c.prepare, "session": map[string]any{
				"heartbeat": map[string]any{"send": "leave", "interval": "1s"}, "reconnect": map[string]string{"min": "100ms", "max": "200ms"}}}}}
			const length = 8 * time.Second
			h := holdProbe(t, s.write(t), name, "--for", length.String())
			h.process.Exit(t, length+time.Minute)
			opens := 0
			for _, e := range h.events(t) {
				if e.Event == "open" {
					opens++
				}
				if e.Event == "open_failed" {
					t.Errorf("%+v", e)
				}
			}
			if prepared := strings.Count(server.Output(), c.line); opens < 4 || prepared != opens {
				t.Errorf("%d opens after %d requests", opens, prepared)
			}
		})
	}
}

// TestPrepareIsRefused: a wrong password and a spent ticket are told apart from a socket that does not open.
func TestPrepareIsRefused(t *testing.T) {
	t.Parallel()
	_, addr := startNode(t, "login.mjs")
	for name, c := range map[string]struct {
		prepare map[string]any
		broke   string
	}{
		"wrong password": {map[string]any{"url": "/login", "body": "user=probe&password=wrong", "expect_status": 303}, "http_401"}, // a form is shown again
		"wrong key":      {map[string]any{"url": "/api/tickets", "method": "POST", "expect_status": 201}, "prepare_status"},
		"no such field": {map[string]any{"url": "/api/tickets", "headers": map[string]string{"X-Api-Key": "sesame"}, "body": `{"for": "socket"}`, "expect_status": 201,
			"capture": map[string]any{"ticket": map[string]string{"json": "ticket"}}}, "prepare_capture"},
		"nobody listens": {map[string]any{"url": "http://" + lab.FreeAddr(t) + "/"}, "prepare_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			s := settings{Probes: []map[string]any{{"name": name, "url": "ws://" + addr + "/socket", "prepare": c.prepare}}}
			for _, got := range onceAll(t, 1, s.write(t)) {
				if got.Reason != "ws_open_failed" || got.ErrorType != c.broke {
					t.Errorf("got %+v, want %s", got, c.broke)
				}
			}
		})
	}
}

// TestNegotiate: Microsoft's own client negotiates with the hub of the recipe as a probe does, and each token is good once.
func TestNegotiate(t *testing.T) {
	t.Parallel()
	server, addr := startNode(t, "signalr.mjs", "0", "negotiated")
	dir, err := nodeServers()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(need(t, "node", "nodejs"), filepath.Join(dir, "negotiate.mjs"), addr).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "echo hello") {
		t.Fatalf("%v: %s", err, out)
	}
	s := settings{Probes: []map[string]any{{"name": "without", "url": fmt.Sprintf("ws://%s/hubs/chat?id=spent", addr)}}}
	for _, got := range onceAll(t, 1, s.write(t)) {
		if got.ErrorType != "http_401" {
			t.Errorf("got %+v", got)
		}
	}
	if n := strings.Count(server.Output(), "negotiated"); n != 1 {
		t.Errorf("negotiated %d times", n)
	}
}

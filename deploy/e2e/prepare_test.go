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
func startSticky(t *testing.T) (url string, servers []*lab.Process) {
	t.Helper()
	first, one := startNode(t, "socketio.mjs")
	second, two := startNode(t, "socketio.mjs")
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
	return "ws://" + addr, []*lab.Process{first, second}
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

// TestPrepareAnewSticky holds sessions of Socket.IO that the server ends every second, behind HAProxy. Only the server that
// answered the request of prepare knows the session, or the ticket, and takes it once: a capture or a cookie of the open
// before would be refused.
func TestPrepareAnewSticky(t *testing.T) {
	t.Parallel()
	joins := map[string]string{"send": "40", "expect_pattern": `^40\{"sid":`}
	for name, c := range map[string]struct {
		path           string
		prepare        map[string]any
		exchange       []map[string]string
		prepared, used string // what a server says of each
	}{
		"session": {"/socket.io/?EIO=4&transport=websocket&sid={{sid}}",
			map[string]any{"url": "/socket.io/?EIO=4&transport=polling", "capture": map[string]any{"sid": map[string]string{"pattern": `"sid":"([^"]+)"`}}},
			[]map[string]string{{"send": "2probe", "expect": "3probe"}, {"send": "5"}, joins}, "session by polling", "session upgraded"},
		"ticket": {"/socket.io/?EIO=4&transport=websocket&ticket={{ticket}}",
			map[string]any{"url": "/tickets", "method": "POST", "capture": map[string]any{"ticket": map[string]string{"json": "ticket"}}},
			[]map[string]string{{"expect_pattern": `^0\{"sid":`}, joins}, "issued a ticket", "session by websocket"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, servers := startSticky(t)
			s := settings{Probes: []map[string]any{{"name": name, "url": url + c.path, "prepare": c.prepare, "exchange": c.exchange, "session": map[string]any{
				"heartbeat": map[string]any{"send": `42["leave"]`, "interval": "1s"}, "reconnect": map[string]string{"min": "100ms", "max": "200ms"}}}}}
			const length = 10 * time.Second
			h := holdProbe(t, s.write(t), name, "--for", length.String())
			h.process.Exit(t, length+time.Minute)
			opens, ended := 0, 0
			for _, e := range h.events(t) {
				switch {
				case e.Event == "open":
					opens++
				case e.Event == "open_failed":
					t.Errorf("%+v", e)
				case e.Event == "end" && e.Cause == "close":
					ended++
				}
			}
			prepared, used := 0, 0
			for i, server := range servers {
				n := strings.Count(server.Output(), c.prepared)
				if n == 0 {
					t.Errorf("server %d was never asked: the cookie of the open before was sent", i)
				}
				prepared += n
				used += strings.Count(server.Output(), c.used)
			}
			if opens < 4 || ended < opens-1 || prepared != opens || used != opens {
				t.Errorf("%d opens, %d ended by the server, after %d requests and %d sessions", opens, ended, prepared, used)
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

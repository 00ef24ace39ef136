package main

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

const fiveMinutes = "deploy/five-minutes.md"

// fiveMinutesEndpoints are the servers of the page, by the section that describes them. Each refuses a client that does
// not do as the section says.
var fiveMinutesEndpoints = map[string]wstest.Script{
	"1. See that it opens":    wstest.Greeting("welcome", "and hello"),
	"No message at all":       wstest.Silent,
	"A message and its reply": wstest.ByPath(map[string]wstest.Script{"/": wstest.Echo, "/rpc": answering(`"ping"`, `"pong"`)}),
	"A feed":                  func(c *wstest.Conn) { c.Accept(); c.Send(wstest.Text(`{"price": 12.5}`)); c.Serve() },
	"A login, then a question": func(c *wstest.Conn) {
		c.Accept()
		if c.Message() == `{"op":"login","token":"sesame-open"}` {
			c.Send(wstest.Text(`{"op":"welcome"}`))
			c.Send(wstest.Text(strings.Replace(c.Message(), `"ping"`, `"pong"`, 1)))
		}
		c.Serve()
	},
	"From one client to another": room(),

	"GraphQL":   graphQL,
	"Socket.IO": socketIO,

	"4. Decide which values are healthy": wstest.Silent,
	"A token or a password in the header Authorization": guarded(func(r *http.Request) bool {
		user, password, _ := r.BasicAuth()
		return r.Header.Get("Authorization") == "Bearer sesame-open" || user == "probe" && password == "sesame-shut"
	}),
	"Another header, or a cookie": guarded(func(r *http.Request) bool {
		session, err := r.Cookie("session")
		return r.Header.Get("X-Api-Key") == "sesame-open" && err == nil && session.Value == "s-8472"
	}),
	"The query":     guarded(func(r *http.Request) bool { return r.URL.Query().Get("access_token") == "sesame-open" }),
	"A subprotocol": bySubprotocol,
	"An Origin":     guarded(func(r *http.Request) bool { return r.Header.Get("Origin") == "https://www.example.com" }),
	"Certificates":  wstest.Silent, // the server in front of it wants the client certificate
	"A proxy":       wstest.Silent,

	"One server behind a load balancer": guarded(func(r *http.Request) bool { return r.Host == "chat.example.com" }),
	"7. Prove what must not happen":     wstest.ByPath(map[string]wstest.Script{"/admin": wstest.Refuse(401, "no"), "/socket": wstest.Silent}),
}

// guarded opens for the requests that it is told to and refuses the others.
func guarded(open func(*http.Request) bool) wstest.Script {
	return func(c *wstest.Conn) {
		if !open(c.Request()) {
			c.Refuse(http.StatusUnauthorized, "not you")
		}
		c.Accept()
		c.Serve()
	}
}

// answering returns each message with one text in it replaced.
func answering(old, with string) wstest.Script {
	return func(c *wstest.Conn) {
		for c.Accept(); ; {
			c.Send(wstest.Text(strings.Replace(c.Message(), old, with, 1)))
		}
	}
}

// room tells the client that has joined last what another one says.
func room() wstest.Script {
	joined := make(chan *wstest.Conn, 1)
	return func(c *wstest.Conn) {
		c.Accept()
		if text := c.Message(); strings.Contains(text, `"join"`) {
			c.Send(wstest.Text(`{"op":"joined"}`))
			joined <- c
		} else {
			(<-joined).Send(wstest.Text(strings.Replace(text, `"say"`, `"said"`, 1)))
		}
		c.Serve()
	}
}

func bySubprotocol(c *wstest.Conn) {
	if c.Request().Header.Get("Sec-WebSocket-Protocol") != "chat.v1, bearer.sesame-open" {
		c.Refuse(http.StatusUnauthorized, "not you")
	}
	c.Accept("Sec-WebSocket-Protocol: chat.v1")
	c.Serve()
}

func graphQL(c *wstest.Conn) {
	c.Accept("Sec-WebSocket-Protocol: graphql-transport-ws")
	c.Message()
	c.Send(wstest.Text(`{"type":"connection_ack"}`))
	id := regexp.MustCompile(`"id":"[^"]+"`).FindString(c.Message())
	c.Send(wstest.Text(`{` + id + `,"type":"next","payload":{"data":{"__typename":"Query"}}}`))
	c.Serve()
}

func socketIO(c *wstest.Conn) {
	if c.Request().URL.Query().Get("EIO") != "4" {
		c.Refuse(http.StatusBadRequest, "another version")
	}
	c.Accept()
	c.Send(wstest.Text(`0{"sid":"1","upgrades":[],"pingInterval":25000,"pingTimeout":20000}`))
	if c.Message() == "40" {
		c.Send(wstest.Text(`40{"sid":"2"}`))
	}
	c.Serve()
}

// section is a part of the page with what a reader copies from it.
type section struct {
	title           string
	files, commands []string
}

// sections cuts the page at its headings.
func sections(t *testing.T) (found []section) {
	t.Helper()
	for i, text := range regexp.MustCompile(`(?m)^##+ `).Split(page(t, fiveMinutes), -1) {
		if i == 0 {
			continue
		}
		title, _, _ := strings.Cut(text, "\n")
		s := section{title: title}
		for _, block := range regexp.MustCompile("(?ms)^```yaml\n(# [a-z0-9.-]+\\.yaml\n.*?)^```").FindAllStringSubmatch(text, -1) {
			s.files = append(s.files, block[1])
		}
		for _, line := range regexp.MustCompile(`(?m)^    \$ (wsprobe (?:once|hold) wss://.*)`).FindAllStringSubmatch(text, -1) {
			s.commands = append(s.commands, line[1])
		}
		if len(s.files)+len(s.commands) > 0 {
			found = append(found, s)
		}
	}
	return found
}

// longestTimeout is the longest time that a run can have, which only a hang uses up.
const longestTimeout = 30 * time.Second

// TestFiveMinutes runs each file and each command of the page against the endpoint that its section describes. Only the
// hosts are other ones.
func TestFiveMinutes(t *testing.T) {
	left := len(fiveMinutesEndpoints)
	for _, s := range sections(t) {
		script, found := fiveMinutesEndpoints[s.title]
		if !found {
			t.Errorf("no endpoint for the section %q", s.title)
			continue
		}
		left--
		t.Run(s.title, func(t *testing.T) {
			here := newPlace(t, s.title, script)
			for _, file := range s.files {
				here.runFile(file)
			}
			for _, command := range s.commands {
				here.runCommand(command)
			}
		})
	}
	if left != 0 {
		t.Errorf("%d endpoints belong to no section of the page", left)
	}
}

// place is where a section is tried: a folder with the secrets of the page, an endpoint, and a proxy on the way to it.
type place struct {
	*testing.T
	hosts *strings.Replacer // from what the page shows to what there is
}

func newPlace(t *testing.T, title string, script wstest.Script) *place {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("CHAT_TOKEN", "sesame-open")
	t.Setenv("CHAT_PASSWORD", "sesame-shut")
	t.Setenv("PROXY_PASSWORD", "sesame-through")
	written := func(name, content string) {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	written("chat-token", "sesame-open\n")
	written("chat-session", "s-8472\n")

	around, err := newStage(dir) // it brings the certificates, a server that wants them, and the proxy
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(around.close)
	server := wstest.Start(script)
	t.Cleanup(server.Close)
	url := server.URL
	switch title {
	case "Certificates":
		url = around.mutual.URL
	case "One server behind a load balancer":
		url = "ws://chat.example.com/" // connect_to leads to the server
	}

	pairs := []string{
		"/run/secrets/", dir + "/",
		"proxy.example.com:3128", around.proxy.Addr().String(),
		"backend-1.example.com:443", server.Addr().String(),
	}
	for _, host := range []string{"chat", "echo", "api", "feed", "mtls", "admin"} {
		pairs = append(pairs, "wss://"+host+".example.com/", url)
	}
	return &place{t, strings.NewReplacer(pairs...)}
}

// runFile wants every probe of a file to be ok and to measure its value, and the file to be without a warning.
func (p *place) runFile(content string) {
	p.Helper()
	name, _, _ := strings.Cut(strings.TrimPrefix(content, "# "), "\n")
	if err := os.WriteFile(name, []byte(p.hosts.Replace(content)), 0o600); err != nil {
		p.Fatal(err)
	}
	cfg, err := config.Load(name)
	if err != nil {
		p.Fatal(err)
	}
	for _, warning := range cfg.Warnings {
		p.Errorf("%s: %v", name, warning)
	}
	for _, one := range cfg.Probes {
		one.Spec.Timeout = longestTimeout
		prober, err := probe.New(one.Spec)
		if err != nil {
			p.Fatal(err)
		}
		r, err := prober.Run(p.Context())
		if _, measured := one.Spec.Interpretation.Value(r); err != nil || r.Reason != reasons.OK || !measured {
			p.Errorf("%s: %v %v, %s (%s), want a value", name, err, r.Reason, r.ErrorType, r.Detail)
		}
	}
	original := filepath.Join(p.TempDir(), name)
	if err := os.WriteFile(original, []byte(content), 0o600); err != nil {
		p.Fatal(err)
	}
	if cfg, err := config.CheckWithoutSecrets(original); err != nil || len(cfg.Warnings) > 0 {
		p.Errorf("%s as the page shows it: %v %v", name, err, cfg.Warnings)
	}
}

// runCommand has a shell run a command and wants the exit code 0.
func (p *place) runCommand(command string) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), patience)
	defer cancel()
	line := p.hosts.Replace(command) + " --timeout " + longestTimeout.String()
	if out, err := exec.CommandContext(ctx, "sh", "-c", line).CombinedOutput(); err != nil {
		p.Errorf("%s: %v\n%s", line, err, out)
	}
}

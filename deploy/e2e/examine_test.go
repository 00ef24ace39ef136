package e2e

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
)

// examined is what these tests read of the object that `wsprobe examine --json` prints.
type examined struct {
	Servers []string `json:"servers"`
	Idle    *struct {
		Seconds  float64 `json:"seconds"`
		Sessions int     `json:"sessions"`
		Sure     bool    `json:"sure"`
		Pings    *bool   `json:"pings_keep_open"`
		Messages *bool   `json:"messages_keep_open"`
		Settings []string
		wayOut
	} `json:"idle_limit"`
	Lifetime *struct {
		Seconds float64  `json:"seconds"`
		Owners  []string `json:"owners"`
		wayOut
	} `json:"lifetime_limit"`
	Pings *struct {
		Every float64  `json:"every_s"`
		Ends  *float64 `json:"ends_s"`
		wayOut
	} `json:"server_pings"`
	Longest *struct {
		Taken    int  `json:"taken_bytes"`
		Answered int  `json:"answered_bytes"`
		Refused  *int `json:"refused_bytes"`
		Exact    bool `json:"exact"`
		wayOut
	} `json:"longest_message"`
	Close      examinedClose `json:"close"`
	CloseEmpty examinedClose `json:"close_without_code"`
	Variants   []struct {
		Name       string `json:"name"`
		Opened     bool   `json:"opened"`
		Status     int    `json:"http_status"`
		ErrorType  string `json:"error_type"`
		Extensions string `json:"extensions"`
		CloseCode  int    `json:"close_code"`
	} `json:"variants"`
	Findings []struct{ About, Text, Advice string } `json:"findings"`
}

// examinedClose is the answer to a close frame.
type examinedClose struct {
	Answered *float64 `json:"answered_s"`
	Code     int      `json:"code"`
	TCPEnded *float64 `json:"tcp_ended_s"`
}

// wayOut is a way to end a connection.
type wayOut struct {
	Way    string `json:"way"`
	Code   int    `json:"code"`
	Reason string `json:"reason"`
}

var (
	leaves  = wayOut{"fin", 1006, ""}
	tooLong = wayOut{"close", 1009, ""}
)

// examinations are real servers and proxies with short limits, and what must be found out about them.
var examinations = map[string]struct {
	start   func(t *testing.T) (addr string)
	path    string
	flags   []string
	idle    float64 // seconds; 0 for no limit
	ages    float64 // seconds; 0 for no limit on the age
	way     wayOut  // of the limit
	owner   string  // begins one of the settings, or of the owners of a limit on the age
	gives   float64 // seconds after which a client without Pongs is given up
	reason  string  // of that close frame
	longest int     // bytes that are taken, 0 if all are
	close   wayOut  // at one more
	variant map[string]string
}{
	"nginx":   {start: behind(frontNginx), path: "/held", idle: 3, way: leaves, owner: "nginx (proxy_read_timeout)"},
	"HAProxy": {start: behind(frontHAProxy), path: "/held", idle: 3, way: leaves, owner: "HAProxy (timeout tunnel"},
	"Apache":  {start: behind(frontApache), path: "/held", idle: 3, way: leaves, owner: "Apache httpd (Timeout"},
	"Caddy":   {start: behind(frontCaddy), path: "/held"},
	"nghttpx": {
		start: func(t *testing.T) string {
			return startNghttpx(t, "--frontend-read-timeout=3", "--backend-read-timeout=3").addr
		},
		path: "/held", idle: 3, way: leaves, owner: "nghttpx",
	},
	"Mojolicious": {
		start: func(t *testing.T) string { return startMojolicious(t, "IDLE=3").addr },
		path:  "/held", idle: 3, way: leaves, owner: "Mojolicious", longest: 1 << 18, close: tooLong,
	},
	"RabbitMQ": {
		start: func(t *testing.T) string { return startRabbitMQ(t, "web_stomp.ws_opts.idle_timeout = 3000") },
		path:  "/ws", flags: []string{"--longest-message", "0"}, idle: 3, way: wayOut{"close", 1000, ""}, owner: "RabbitMQ",
		variant: map[string]string{"another path": "http_404"},
	},
	"websockets": {
		start: func(t *testing.T) string { _, addr := startPythonEcho(t, "1"); return addr },
		gives: 2, reason: "keepalive ping timeout", longest: 1 << 20, close: tooLong,
		variant: map[string]string{"a foreign Origin": "", "compression": "permessage-deflate"},
	},
	"Uvicorn": {
		start: func(t *testing.T) string { return startUvicorn(t, "websockets").addr },
		path:  "/held", gives: 2, reason: "keepalive ping timeout",
	},
	"Socket.IO": {
		start: func(t *testing.T) string { _, addr := startNode(t, "socketio.mjs", "0", "1500"); return addr },
		path:  "/socket.io/?EIO=4&transport=websocket", flags: []string{"--answer", "2=3", "--longest-message", "0", "--send", "40"},
		variant: map[string]string{"another path": "upgrade"},
	},
	"an Origin that is wanted": {
		start:   func(t *testing.T) string { _, addr := startPythonEcho(t, "20", "https://www.example.com"); return addr },
		flags:   []string{"-H", "Origin: https://www.example.com", "--longest-message", "0"},
		variant: map[string]string{"no Origin": "http_403", "a foreign Origin": "http_403"},
	},
	"a subprotocol that is wanted": {
		start: func(t *testing.T) string { _, addr := startNode(t, "graphql.mjs"); return addr },
		path:  "/graphql", flags: []string{"--protocol", "graphql-transport-ws", "--longest-message", "0"},
		ages: 3, way: wayOut{"close", 4408, "Connection initialisation timeout"}, owner: "graphql-ws",
		variant: map[string]string{"no subprotocol": "4406", "an unknown subprotocol": "4406", "another path": "http_400"},
	},
}

// behind starts an echo server behind a proxy.
func behind(start func(t *testing.T, upstream string) *front) func(t *testing.T) string {
	return func(t *testing.T) string {
		_, upstream := startNode(t, "held.mjs")
		f := start(t, upstream)
		f.serve(t)
		return f.addr
	}
}

// TestExamine examines real proxies with short limits, and servers that ping and give up. An idle limit is found within
// a second, and an end as what it is.
func TestExamine(t *testing.T) {
	for name, test := range examinations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"examine", "ws://" + test.start(t) + test.path, "--for", "6s", "--json", "--longest-message", "2097152",
				"--send", "hello"}, test.flags...)
			var got examined
			stdout := wsprobe(t, 0, nil, args...)
			if err := json.Unmarshal(stdout, &got); err != nil {
				t.Fatalf("%v\n%s", err, stdout)
			}
			defer func() {
				if t.Failed() {
					t.Logf("%s", stdout)
				}
			}()
			got.checkIdle(t, test.idle, test.way, test.owner)
			got.checkLifetime(t, test.ages, test.way, test.owner)
			got.checkPings(t, test.gives, test.reason)
			if !slices.Contains(test.flags, "--longest-message") {
				got.checkLongest(t, test.longest, test.close)
			}
			for _, c := range []struct {
				got  examinedClose
				want int
			}{{got.Close, 1000}, {got.CloseEmpty, 1005}} {
				if c.got.Answered == nil || *c.got.Answered > 1 || c.got.TCPEnded == nil {
					t.Errorf("the answer to a close frame with %d: %+v", c.want, c.got)
				}
			}
			for name, want := range test.variant {
				got.checkVariant(t, name, want)
			}
		})
	}
}

func (e *examined) checkIdle(t *testing.T, want float64, way wayOut, owner string) {
	t.Helper()
	if want == 0 {
		if e.Idle != nil {
			t.Errorf("an idle limit: %+v", *e.Idle)
		}
		return
	}
	l := e.Idle
	if l == nil {
		t.Error("no idle limit")
		return
	}
	if math.Abs(l.Seconds-want) > 1 || l.Sessions != 2 || l.wayOut != way {
		t.Errorf("idle limit %+v, want %v s by %+v", *l, want, way)
	}
	if l.Pings == nil || !*l.Pings || !l.Sure {
		t.Errorf("Pings do not keep it open: %+v", *l)
	}
	if !slices.ContainsFunc(l.Settings, func(s string) bool { return strings.HasPrefix(s, owner) }) {
		t.Errorf("%q is not among %q", owner, l.Settings)
	}
}

func (e *examined) checkLifetime(t *testing.T, want float64, way wayOut, owner string) {
	t.Helper()
	l := e.Lifetime
	switch {
	case want == 0 && l == nil:
	case want == 0 || l == nil:
		t.Errorf("limit on the age: %+v, want %v", l, want)
	case math.Abs(l.Seconds-want) > 1 || l.wayOut != way || len(l.Owners) == 0 || !strings.HasPrefix(l.Owners[0], owner):
		t.Errorf("limit on the age: %+v, want %v s by %+v", *l, want, way)
	}
}

func (e *examined) checkPings(t *testing.T, want float64, reason string) {
	t.Helper()
	p := e.Pings
	if want == 0 {
		if p != nil && p.Ends != nil {
			t.Errorf("a client without Pongs was ended: %+v", *p)
		}
		return
	}
	if p == nil || p.Ends == nil || math.Abs(*p.Ends-want) > 1 || math.Abs(p.Every-want/2) > 0.5 || p.wayOut != (wayOut{"close", 1011, reason}) {
		t.Errorf("Pings of the server: %+v", p)
	}
}

func (e *examined) checkLongest(t *testing.T, want int, end wayOut) {
	t.Helper()
	l := e.Longest
	switch {
	case l == nil:
		t.Error("no longest message")
	case want == 0 && (l.Refused != nil || l.Taken != 1<<21 || l.Answered != l.Taken):
		t.Errorf("longest message %+v, want all of them", *l)
	case want > 0 && (l.Refused == nil || !l.Exact || l.Taken != want || l.Way != end.Way || l.Code != end.Code):
		t.Errorf("longest message %+v, want %d bytes, then %+v", *l, want, end)
	}
}

// checkVariant compares a variant: its error type, its close code, what it agrees upon, or that it opens.
func (e *examined) checkVariant(t *testing.T, name, want string) {
	t.Helper()
	for _, v := range e.Variants {
		if v.Name != name {
			continue
		}
		switch {
		case strings.HasPrefix(want, "http_") && v.ErrorType == want:
		case want == "upgrade" && !v.Opened && v.Status == 0:
		case want == "4406" && v.Opened && v.CloseCode == 4406:
		case want == "permessage-deflate" && v.Opened && strings.HasPrefix(v.Extensions, want):
		case want == "" && v.Opened && v.CloseCode == 0:
		default:
			t.Errorf("%s: %+v, want %q", name, v, want)
		}
		return
	}
	t.Errorf("%s was not tried", name)
}

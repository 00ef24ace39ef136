package prometheus_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/prometheus"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestRefusals: what is wrong with a request, and what its client is told.
func TestRefusals(t *testing.T) {
	one := map[string]prometheus.Module{"chat": module(nil)}
	two := map[string]prometheus.Module{"chat": module(nil), "feed": module(func(s *probe.Spec) { s.ConnectTo = "127.0.0.1:1" })}
	names := map[string]prometheus.Module{"names": module(nil)}
	for _, test := range []struct {
		name       string
		modules    map[string]prometheus.Module
		target     string
		parameters url.Values
		timeout    string
		status     int
		text       string
	}{
		{"no target", one, "", nil, "", 400, "the parameter target is missing"},
		{"no module of two", two, "127.0.0.1:1", nil, "", 400, "the parameter module is missing: there are chat, feed"},
		{"no modules", nil, "127.0.0.1:1", nil, "", 400, "none in the configuration"},
		{"unknown module", one, "127.0.0.1:1", url.Values{"module": {"x\n"}}, "", 400, `unknown module "x\n": there are chat`},
		{"unknown before target", one, "", url.Values{"module": {"x"}}, "", 400, "unknown module"},
		{"timeout", one, "127.0.0.1:1", nil, "soon", 400, "must be a number of seconds"},
		{"timeout that is none", one, "127.0.0.1:1", nil, "NaN", 400, "must be a number of seconds"},
		{"negative timeout", one, "127.0.0.1:1", nil, "-1", 400, "must be a number of seconds"},
		{"no URL", one, "ws://127.0.0.1:x/", nil, "", 400, "must be host, host:port or a URL"},
		{"no host", one, "ws:///", nil, "", 400, "must be host, host:port or a URL"},
		{"another scheme", one, "file://127.0.0.1/etc", nil, "", 400, "ws://"},
		{"user information", one, "ws://user:pw@127.0.0.1/", nil, "", 400, "user information"},
		{"port", one, "127.0.0.1:99999", nil, "", 400, "port"},
		{"host", names, "example.com", nil, "", 403, "is in no pattern (agent.probe_endpoint.targets)"},
		{"address", one, "192.0.2.1", nil, "", 403, "is in no pattern"},
		{"metadata", one, "169.254.169.254", nil, "", 403, "a pattern must name"},
		{"this host", one, "[::1]:9464", nil, "", 403, "loopback"},
		{"mapped metadata", one, "[::ffff:169.254.169.254]", nil, "", 403, "a pattern must name"},
		{"old spelling", one, "2130706433", nil, "", 403, "neither a name nor an address"},
		{"octal spelling", one, "0177.0.0.1", nil, "", 403, "neither a name nor an address"},
		{"connection below a name", names, "example.com", url.Values{"hostname": {"a.test"}}, "", 403, "is in no pattern"},
		{"hostname with a port", one, "127.0.0.1:1", url.Values{"hostname": {"a.test:80"}}, "", 400, "hostname"},
		{"hostname beside connect_to", two, "127.0.0.1:1", url.Values{"hostname": {"a.test"}, "module": {"feed"}}, "", 400, "connect_to"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, told := newHandler(t, test.modules)
			if test.modules["names"].Probe != nil {
				h.Set(settings(t, test.modules, 10, "*.test"))
			}
			r := ask(t, h, test.target, test.parameters, "X-Prometheus-Scrape-Timeout-Seconds", test.timeout)
			text := bodyOf(t, r)
			if r.StatusCode != test.status || !strings.Contains(text, test.text) || strings.Count(text, "\n") != 1 {
				t.Errorf("got %d %q, want %d %q", r.StatusCode, text, test.status, test.text)
			}
			if told.last() != test.status || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") {
				t.Errorf("told %d, %s", told.last(), r.Header.Get("Content-Type"))
			}
		})
	}
}

// TestOff: without targets, and before any settings, there is no /probe.
func TestOff(t *testing.T) {
	h, told := newHandler(t, nil)
	h.Set(settings(t, map[string]prometheus.Module{"chat": module(nil)}, 10))
	if r := ask(t, h, "127.0.0.1:1", nil); r.StatusCode != 404 || !strings.Contains(bodyOf(t, r), "/probe is off") || told.last() != 404 {
		t.Errorf("%d", r.StatusCode)
	}
}

// TestDefaultModule: a request without a module gets the only one, or the one with that name.
func TestDefaultModule(t *testing.T) {
	s := wstest.Start(wstest.Reply(pong))
	defer s.Close()
	for _, modules := range []map[string]prometheus.Module{
		{"chat": module(nil)},
		{"default": module(nil), "other": module(resolving("192.0.2.1"))},
	} {
		h, _ := newHandler(t, modules)
		if got := samples(t, h, s.URL, nil)["probe_success"]; got != "1" {
			t.Errorf("probe_success %s", got)
		}
	}
}

// TestPlaces: a request that finds no place waits a moment, and is then told to come again. Others get the place that is
// given back.
func TestPlaces(t *testing.T) {
	s := wstest.Start(wstest.Silent)
	defer s.Close()
	h, told := newHandler(t, nil)
	h.Set(settings(t, map[string]prometheus.Module{"chat": module(nil)}, 1, "127.0.0.1"))
	held, leave := context.WithCancel(t.Context())
	defer leave()
	first := make(chan struct{})
	go func() {
		defer close(first)
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/probe?target="+url.QueryEscape(s.URL), nil).WithContext(held))
	}()
	eventually(t, "the first run does not begin", func() bool { return s.Connections() == 1 })
	r := ask(t, h, s.URL, nil)
	if text := bodyOf(t, r); r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") != "1" || !strings.Contains(text, "all 1 places") {
		t.Errorf("got %d %q, Retry-After %q", r.StatusCode, text, r.Header.Get("Retry-After"))
	}
	leave()
	<-first
	if told.last() != 499 {
		t.Errorf("the client that left counts as %d", told.last())
	}
	s.Wait() // the connection of the run is closed with it
	good := wstest.Start(wstest.Reply(pong))
	defer good.Close()
	if got := samples(t, h, good.URL, nil)["probe_success"]; got != "1" {
		t.Errorf("the place is not given back: probe_success %s", got)
	}
}

// TestClose: the runs under way end with the agent, and no others begin.
func TestClose(t *testing.T) {
	s := wstest.Start(wstest.Silent)
	defer s.Close()
	h, told := newHandler(t, map[string]prometheus.Module{"chat": module(nil)})
	done := make(chan int)
	go func() { done <- ask(t, h, s.URL, nil).StatusCode }()
	eventually(t, "the run does not begin", func() bool { return s.Connections() == 1 })
	h.Close()
	if status := <-done; status != 503 {
		t.Errorf("the run under way is answered with %d", status)
	}
	if r := ask(t, h, s.URL, nil); r.StatusCode != 503 || told.last() != 503 {
		t.Errorf("a later one with %d", r.StatusCode)
	}
}

// TestTimeout: the run ends half a second before the scrape gives up, and in the time of its module at the latest.
func TestTimeout(t *testing.T) {
	s := wstest.Start(wstest.Silent)
	defer s.Close()
	short := module(func(s *probe.Spec) { s.Timeout = probe.MinTimeout })
	for _, test := range []struct {
		name, header string
		module       prometheus.Module
		want         string
	}{
		{"of the scrape", "0.75", module(nil), "nothing within 250ms"},
		{"of the module", "10", short, "nothing within 100ms"},
		{"nothing left of the scrape's", "0.5", short, "nothing within 100ms"},
		{"hardly anything left of the scrape's", "0.501", module(nil), "nothing within 100ms"},
		{"not said", "", short, "nothing within 100ms"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, _ := newHandler(t, map[string]prometheus.Module{"chat": test.module})
			text := bodyOf(t, ask(t, h, s.URL, url.Values{"debug": {"true"}}, "X-Prometheus-Scrape-Timeout-Seconds", test.header))
			if !strings.Contains(text, test.want) && !strings.Contains(text, "nothing sent yet") { // on a machine that is very late
				t.Errorf("%s", text)
			}
		})
	}
}

// TestTimeoutThatCannotBe: a module that must wait longer than the scrape cannot run in it.
func TestTimeoutThatCannotBe(t *testing.T) {
	h, _ := newHandler(t, map[string]prometheus.Module{"chat": module(func(s *probe.Spec) { s.StayOpen = patient / 2 })})
	r := ask(t, h, "127.0.0.1:1", nil, "X-Prometheus-Scrape-Timeout-Seconds", "2")
	if text := bodyOf(t, r); r.StatusCode != 400 || !strings.Contains(text, "StayOpen") {
		t.Errorf("%d %s", r.StatusCode, text)
	}
}

// TestHostname: the target is where the run connects to, the hostname is what it asks there for.
func TestHostname(t *testing.T) {
	hosts := make(chan string, 1)
	s := wstest.Start(func(c *wstest.Conn) {
		hosts <- c.Request().Host
		c.Accept()
		c.Message()
		c.Send(wstest.Text(pong))
		c.Serve()
	})
	defer s.Close()
	h, _ := newHandler(t, map[string]prometheus.Module{"chat": module(nil)})
	_, port, _ := strings.Cut(s.Addr().String(), ":")
	if got := samples(t, h, s.URL, url.Values{"hostname": {"chat.example.com"}})["probe_success"]; got != "1" {
		t.Errorf("probe_success %s", got)
	}
	if got := <-hosts; got != "chat.example.com:"+port {
		t.Errorf("asked for %s", got)
	}
}

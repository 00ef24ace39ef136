package probe_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestPrepareWay: the request goes the way of the socket, and what stops it there has the type that it has for a socket.
func TestPrepareWay(t *testing.T) {
	script := func(c *wstest.Conn) {
		if c.Request().URL.Path == "/grant" {
			wstest.Refuse(200, "")(c)
			return
		}
		wstest.Echo(c)
	}
	plain, secured := wstest.Start(script), wstest.StartTLS(script, nil)
	defer plain.Close()
	defer secured.Close()
	reset := wstest.Start(func(c *wstest.Conn) { c.Request(); c.Reset() })
	defer reset.Close()
	asked := make(chan string, 4)
	proxy := wstest.Start(func(c *wstest.Conn) {
		asked <- c.Request().Method + " " + c.Request().Host
		wstest.Connect(c)
	})
	defer proxy.Close()
	shut := wstest.Start(wstest.Refuse(407, ""))
	defer shut.Close()
	at := func(s *wstest.Server, path string) string {
		return strings.TrimSuffix(strings.Replace(s.URL, "ws", "http", 1), "/") + path
	}
	for name, test := range map[string]struct {
		change func(*probe.Spec)
		broke  reasons.ErrorType
		detail string // a part of it
	}{
		"straight":  {func(*probe.Spec) {}, "", ""},
		"a proxy":   {func(s *probe.Spec) { s.Proxy = &url.URL{Scheme: "http", Host: proxy.Addr().String()} }, "", ""},
		"shut":      {func(s *probe.Spec) { s.Proxy = &url.URL{Scheme: "http", Host: shut.Addr().String()} }, reasons.Proxy, "407"},
		"reset":     {func(s *probe.Spec) { s.Prepare.URL = at(reset, "/") }, reasons.PrepareFailed, "prepare: "},
		"secured":   {func(s *probe.Spec) { s.Prepare.URL, s.TLS = at(secured, "/grant"), secured.ClientTLS() }, "", ""},
		"untrusted": {func(s *probe.Spec) { s.Prepare.URL = at(secured, "/grant") }, reasons.PrepareFailed, "prepare: tls: failed to verify certificate"},
		"no TLS":    {func(s *probe.Spec) { s.Prepare.URL = strings.Replace(at(plain, "/grant"), "http:", "https:", 1) }, reasons.PrepareFailed, "prepare: the connection ended in the TLS handshake: EOF"},
		"plain":     {func(s *probe.Spec) { s.Prepare.URL = strings.Replace(at(secured, "/grant"), "https:", "http:", 1) }, reasons.PrepareFailed, "prepare: "},
		"permitted": {func(s *probe.Spec) { s.Permit = func(netip.AddrPort) error { return nil } }, "", ""},
		"forbidden": {func(s *probe.Spec) {
			s.Prepare.URL = at(reset, "/")
			s.Permit = func(to netip.AddrPort) error {
				if int(to.Port()) == reset.Addr().(*net.TCPAddr).Port {
					return errors.New("not this one")
				}
				return nil
			}
		}, reasons.AddressNotPermitted, "not this one"},
		"version": {func(s *probe.Spec) {
			s.IPVersion, s.Prepare.URL = probe.IPv4, "http://six.example.com/"
			s.Resolve = func(context.Context, string) ([]netip.Addr, error) { return []netip.Addr{netip.IPv6Loopback()}, nil }
		}, reasons.PrepareFailed, "no address of IP version 4"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := probe.Spec{Opening: probe.Opening{URL: plain.URL, Prepare: &probe.Prepare{URL: "/grant"}}}
			test.change(&spec)
			if r := runOnce(t, spec); r.ErrorType != test.broke || !strings.Contains(r.Detail, test.detail) {
				t.Errorf("got %v (%s), want %v (%s)", r.ErrorType, r.Detail, test.broke, test.detail)
			}
		})
	}
	for range 2 { // the request, and then the upgrade
		if got, want := <-asked, "CONNECT "+plain.Addr().String(); got != want {
			t.Errorf("the proxy was asked %s, want %s", got, want)
		}
	}
}

// TestPrepareLeavesNothing: runs that fail in their request leave no goroutine and no connection behind.
func TestPrepareLeavesNothing(t *testing.T) {
	s := wstest.Start(wstest.ByPath(map[string]wstest.Script{
		"/silent": wstest.StallHandshake, "/reset": func(c *wstest.Conn) { c.Reset() }, "/status": wstest.Refuse(500, strings.Repeat("x", 1<<20)),
		"/endless": func(c *wstest.Conn) {
			c.Request()
			c.Raw("HTTP/1.1 200 OK\r\n\r\n")
			for {
				c.Raw(strings.Repeat("x", 100))
				c.Pause(5 * time.Millisecond)
			}
		},
	}))
	defer s.Close()
	before := runtime.NumGoroutine()
	for range 5 {
		for _, path := range []string{"/silent", "/reset", "/status", "/endless"} {
			r := runOnce(t, probe.Spec{Opening: probe.Opening{URL: s.URL, Prepare: &probe.Prepare{URL: path}}, Timeout: probe.MinTimeout})
			if r.Reason == reasons.OK || r.Opened {
				t.Fatalf("%s: %v", path, r.Reason)
			}
		}
	}
	s.Wait()
	for end := time.Now().Add(30 * time.Second); runtime.NumGoroutine() > before+2; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

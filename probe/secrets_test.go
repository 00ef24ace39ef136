package probe_test

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestNoSecretInResults lets endpoints repeat the whole request wherever a result has text.
func TestNoSecretInResults(t *testing.T) {
	t.Parallel()
	reflected := func(c *wstest.Conn) string {
		c.Request()
		r := c.Request()
		return fmt.Sprintf("%s %s %s %s", r.Header.Get("Authorization"), r.RequestURI, r.Header.Get("Cookie"),
			r.Header.Get("X-Odd"))
	}
	for name, script := range map[string]wstest.Script{
		"http_401_reflects_token": func(c *wstest.Conn) { c.Refuse(401, reflected(c)) },
		"body cut":                func(c *wstest.Conn) { c.Refuse(401, strings.Repeat("x", 1020)+reflected(c)) },
		"phrase":                  func(c *wstest.Conn) { c.Raw("HTTP/1.1 403 " + reflected(c) + "\r\n\r\n") },
		"status line":             func(c *wstest.Conn) { c.Raw(reflected(c) + "\r\n\r\n") },
		"header":                  func(c *wstest.Conn) { c.Raw("HTTP/1.1 101 x\r\n" + reflected(c) + "\r\n\r\n") },
		"accept": func(c *wstest.Conn) {
			c.Falsify("Sec-WebSocket-Accept: ", "Sec-WebSocket-Accept: "+reflected(c))
		},
		"upgrade":     func(c *wstest.Conn) { c.Falsify("Upgrade: websocket", "Upgrade: "+reflected(c)) },
		"subprotocol": func(c *wstest.Conn) { c.Accept("Sec-WebSocket-Protocol: " + reflected(c)) },
		"close": func(c *wstest.Conn) {
			c.Accept()
			c.Message()
			c.Send(wstest.Close(4000, reflected(c)[:90]))
			c.Watch()
		},
		"message": func(c *wstest.Conn) {
			c.Accept()
			c.Message()
			c.Send(wstest.Text(reflected(c)), wstest.Close(1000, ""))
			c.Watch()
		},
		"message cut": func(c *wstest.Conn) {
			c.Accept()
			c.Message()
			c.Send(wstest.Text(strings.Repeat("x", 250)+reflected(c)), wstest.Close(1000, ""))
			c.Watch()
		},
		"proxy": func(c *wstest.Conn) {
			c.Refuse(407, c.Request().Header.Get("Proxy-Authorization")+" user-secret pass-secret")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := wstest.Start(script)
			defer s.Close()
			spec := probe.Spec{Interpretation: probe.RoundTripLatency, Send: ping, Expect: "never",
				Opening: probe.Opening{
					URL: s.URL + "?token=query-secret-of-some-length&x=1",
					Headers: map[string]string{"Authorization": "Bearer token-secret",
						"Cookie": "id=cookie-secret; b=c",
						"X-Odd":  `odd"-secret\`},
				}}
			if name == "proxy" {
				spec.Proxy = &url.URL{Scheme: "http", Host: s.Addr().String(),
					User: url.UserPassword("user-secret", "pass-secret")}
			}
			p, err := probe.New(spec)
			if err != nil {
				t.Fatal(err)
			}
			r, err := p.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			v := reflect.ValueOf(r)
			for i := range v.NumField() {
				text := fmt.Sprint(v.Field(i))
				for _, secret := range []string{"-secret", "query-sec", "token-sec", "cookie-sec", "dXNlci1zZWNyZXQ"} {
					if strings.Contains(text, secret) {
						t.Errorf("%s shows %q: %s", v.Type().Field(i).Name, secret, text)
					}
				}
			}
		})
	}
}

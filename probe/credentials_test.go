package probe_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestAuthorize: the server is told who asks, once and anew in each run; a proxy in between is not.
func TestAuthorize(t *testing.T) {
	tokens := []string{"Bearer first-token", "Bearer second-token"}
	s := wstest.Start(wstest.Reply(pong))
	defer s.Close()
	heads := make(chan string, 1)
	proxy := wstest.Start(func(c *wstest.Conn) {
		c.Request()
		heads <- fmt.Sprint(c.Request().Header)
		wstest.Connect(c)
	})
	defer proxy.Close()
	runs := 0
	spec := probe.Spec{Opening: probe.Opening{URL: s.URL, Headers: map[string]string{"X-Other": "other"},
		Authorize: func(context.Context) (string, error) {
			runs++
			return tokens[runs-1], nil
		}}}
	spec.Proxy = &url.URL{Scheme: "http", Host: proxy.Addr().String()}
	p, err := probe.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range tokens {
		r, err := p.Run(t.Context())
		if err != nil || r.Reason != reasons.OK {
			t.Fatalf("got %v (%s), %v", r.Reason, r.Detail, err)
		}
		s.Wait()
		head := s.Last().Head
		if strings.Count(head, "Authorization: ") != 1 || !strings.Contains(head, "\r\nAuthorization: "+token+"\r\n") {
			t.Errorf("the server read %q, want %q in it", head, token)
		}
		if told := <-heads; strings.Contains(told, "token") || strings.Contains(told, "Authorization") {
			t.Errorf("the proxy read %s", told)
		}
	}
}

// TestCredentialsUnreadable: without its credentials a run fails, and nothing is connected.
func TestCredentialsUnreadable(t *testing.T) {
	s := wstest.Start(wstest.Reply(pong))
	defer s.Close()
	for name, authorize := range map[string]func(context.Context) (string, error){
		"missing file": func(context.Context) (string, error) {
			return "", errors.New(`token_file "x": no such file or directory`)
		},
		"line break": func(context.Context) (string, error) { return "Bearer secret\r\nX-Smuggled: secret", nil },
		"blank":      func(context.Context) (string, error) { return "Bearer secret ", nil },
	} {
		for _, i := range probe.Interpretations() {
			spec := probe.Spec{Opening: probe.Opening{URL: s.URL, Authorize: authorize}, Interpretation: i}
			if i == probe.RoundTripLatency {
				spec.Send = ping
			}
			r := runOnce(t, spec)
			if r.Reason != reasons.OpenFailed || r.ErrorType != reasons.CredentialsUnreadable || r.Opened ||
				r.Peer != "" {
				t.Errorf("%s, %s: got %v, %q, opened %v, peer %q", name, i, r.Reason, r.ErrorType, r.Opened, r.Peer)
			}
			if value, there := i.Value(r); value != 0 || there != (i == probe.ConnectionSuccess) {
				t.Errorf("%s, %s: value %v, %v", name, i, value, there)
			}
			if !strings.HasPrefix(r.Detail, "reading credentials: ") || strings.Contains(r.Detail, "secret") {
				t.Errorf("%s, %s: detail %q", name, i, r.Detail)
			}
			if r.Phases != (probe.Phases{}) || r.Ended.Before(r.Started) {
				t.Errorf("%s, %s: phases %v", name, i, r.Phases)
			}
		}
	}
	if n := s.Connections(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

// TestAuthorizationIsRedacted: what the endpoint repeats of the credentials of a run is hidden in its result.
func TestAuthorizationIsRedacted(t *testing.T) {
	s := wstest.Start(func(c *wstest.Conn) {
		told := c.Request().Header.Get("Authorization")
		c.Refuse(401, told+" "+strings.TrimPrefix(told, "Basic ")+" pass-canary")
	})
	defer s.Close()
	// user:pass-canary
	r := runOnce(t, probe.Spec{Opening: probe.Opening{URL: s.URL,
		Authorize: func(context.Context) (string, error) { return "Basic dXNlcjpwYXNzLWNhbmFyeQ==", nil }}})
	v := reflect.ValueOf(r)
	for i := range v.NumField() {
		if text := fmt.Sprint(v.Field(i)); strings.Contains(text, "canary") || strings.Contains(text, "dXNlcjpwYXNz") {
			t.Errorf("%s shows a secret: %s", v.Type().Field(i).Name, text)
		}
	}
	if !strings.Contains(r.Body, "[redacted]") {
		t.Errorf("body %q, want what the server repeated", r.Body)
	}
}

// TestOneAuthorization: a header of that name beside it, however it is written, is a fault.
func TestOneAuthorization(t *testing.T) {
	spec := probe.Spec{Opening: probe.Opening{URL: "ws://example.com/",
		Headers: map[string]string{"authorization": "x"}}}
	if faults := spec.Validate(); faults != nil {
		t.Errorf("a header alone: %v", faults)
	}
	spec.Authorize = func(context.Context) (string, error) { return "Bearer x", nil }
	faults := spec.Validate()
	if len(faults) != 1 || faults[0].Field != "Headers" || faults[0].Key != "authorization" || !faults[0].NotAllowed {
		t.Errorf("both: %v", faults)
	}
}

package probe_test

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestTrailingDot: the dot that makes a name absolute is the resolver's. The Host field keeps it, as in browsers; TLS
// has no use for it (RFC 6066 3), so the certificate for the name is right.
func TestTrailingDot(t *testing.T) {
	asked := make(chan string, 1)
	s := wstest.StartTLS(wstest.Reply(pong),
		&tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			asked <- hello.ServerName
			return nil, nil
		}})
	defer s.Close()
	_, port, err := net.SplitHostPort(s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	r := runOnce(t, probe.Spec{Opening: probe.Opening{URL: "wss://localhost.:" + port + "/", TLS: s.ClientTLS()}})
	if r.Reason != reasons.OK {
		t.Fatalf("got %v, %q (%s)", r.Reason, r.ErrorType, r.Detail)
	}
	if name := <-asked; name != "localhost" {
		t.Errorf("server name %q, want localhost", name)
	}
	s.Wait()
	if head := s.Last().Head; !strings.Contains(head, "\r\nHost: localhost.:"+port+"\r\n") {
		t.Errorf("the request has no Host with the dot: %q", head)
	}
}

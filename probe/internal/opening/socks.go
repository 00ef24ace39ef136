package opening

import (
	"context"
	"net"

	"github.com/wsprobe/wsprobe/probe/internal/say"
)

// connDialer is a dialer that returns a connection that is open already.
type connDialer struct{ conn net.Conn }

func (d connDialer) Dial(string, string) (net.Conn, error) { return d.conn, nil }

// DialContext exists because the library runs a dialer without it in a goroutine.
func (d connDialer) DialContext(context.Context, string, string) (net.Conn, error) {
	return d.conn, nil
}

// The authentication methods of SOCKS5 (RFC 1928 3).
const (
	socksVersion        = 5
	socksNoLogin        = 0x00
	socksLogin          = 0x02
	socksNoneAcceptable = 0xff
)

// methodError says that a SOCKS5 proxy picked a method that was not offered.
type methodError string

func (e methodError) Error() string { return string(e) }

// socksConn is the connection to a SOCKS5 proxy. It checks the method that the proxy picks: the library takes any if it
// has no credentials, and then misreads all that follows.
type socksConn struct {
	net.Conn
	login  bool // a user and a password were offered
	picked []byte
}

// Read passes on what the proxy says, up to a method that was not offered.
func (c *socksConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	const reply = len("VM") // version and method
	if len(c.picked) < reply {
		c.picked = append(c.picked, p[:min(n, reply-len(c.picked))]...)
		if len(c.picked) == reply && c.picked[0] == socksVersion && !c.offered(c.picked[1]) {
			return 0, c.refusal(c.picked[1])
		}
	}
	return n, err
}

// offered reports whether a proxy may pick a method. "None acceptable" is a sound answer, too.
func (c *socksConn) offered(method byte) bool {
	return method == socksNoLogin || method == socksNoneAcceptable || method == socksLogin && c.login
}

func (c *socksConn) refusal(method byte) error {
	name, offer := "", "no authentication only"
	switch method {
	case 0x01:
		name = " (GSSAPI)"
	case socksLogin:
		name = " (user and password)"
	}
	if c.login {
		offer = "no authentication, or user and password"
	}
	return methodError(say.Sentence("SOCKS5: the proxy picked authentication method %d%s, which was not offered: the probe offers %s (RFC 1928 3)",
		method, say.Own(name), say.Own(offer)))
}

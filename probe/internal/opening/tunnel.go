package opening

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/proxy"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/reasons"
)

// proxyServer is a proxy, taken apart once.
type proxyServer struct {
	target
	socks bool
	user  *url.Userinfo
	tls   *tls.Config // nil unless the way to the proxy is secured
}

// newProxyServer takes a valid URL of a proxy apart. Of the configuration for the endpoint only the authorities hold
// for the proxy, too: a client certificate, a server name, or the wish not to verify are about the endpoint alone.
func newProxyServer(u *url.URL, endpoint *tls.Config) (*proxyServer, error) {
	t, err := parseTarget(u)
	if err != nil {
		return nil, err
	}
	p := &proxyServer{target: t, socks: strings.HasPrefix(strings.ToLower(u.Scheme), "socks5"), user: u.User}
	if secure(u) {
		p.tls = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.named, NextProtos: []string{ALPN}}
		if endpoint != nil {
			p.tls.RootCAs = endpoint.RootCAs
		}
		readyRoots(p.tls)
	}
	return p, nil
}

// tunnel makes the proxy connect to the endpoint, and returns the connection that reaches it. Until then every failure
// is the proxy's.
func (a *Attempt) tunnel() (net.Conn, error) {
	a.Stage = reasons.StageTunnel
	conn := net.Conn(a.Conn)
	if config := a.opener.proxy.tls; config != nil {
		secured := tls.Client(a.Conn, config)
		if err := secured.Handshake(); err != nil {
			return nil, err
		}
		conn = secured
	}
	if a.opener.proxy.socks {
		return conn, a.tunnelSOCKS(conn)
	}
	return a.tunnelHTTP(conn)
}

// tunnelHTTP asks with CONNECT (RFC 9110 9.3.6), for ws and wss alike (RFC 6455 4.1): an HTTP proxy refuses to GET a
// ws:// URL.
func (a *Attempt) tunnelHTTP(conn net.Conn) (net.Conn, error) {
	authority := a.opener.dialed.authority()
	request := fmt.Sprintf("CONNECT %s HTTP/1.1\r\nHost: %s\r\n", authority, authority)
	if user := a.opener.proxy.user; user != nil {
		request += "Proxy-Authorization: Basic " + basicAuth(user) + "\r\n"
	}
	if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
		return nil, err
	}
	br := bufio.NewReader(nil)
	resp, err := readHead(conn, br, http.MethodConnect)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		a.refused(resp)
		return nil, &frame.Breach{Type: reasons.Proxy, About: say.Sentence("proxy answered CONNECT with %s", resp.Status)}
	}
	if early, _ := br.Peek(br.Buffered()); len(early) > 0 {
		return &prefixedConn{conn, early}, nil
	}
	return conn, nil
}

func basicAuth(user *url.Userinfo) string {
	password, _ := user.Password()
	return base64.StdEncoding.EncodeToString([]byte(user.Username() + ":" + password))
}

// prefixedConn is a connection of which some bytes have been read already. An endpoint may speak first: its bytes then
// came with the proxy's answer, and count as without a proxy.
type prefixedConn struct {
	net.Conn
	early []byte
}

func (c *prefixedConn) Read(p []byte) (int, error) {
	if len(c.early) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.early)
	c.early = c.early[n:]
	return n, nil
}

// tunnelSOCKS asks with SOCKS5 (RFC 1928, RFC 1929). The proxy looks the name up, because it may know names that nobody
// outside does. The library reads only the bytes of its exchange; without a context it starts no goroutine and waits on
// no clock but the connection's.
func (a *Attempt) tunnelSOCKS(conn net.Conn) error {
	server := a.opener.proxy
	var auth *proxy.Auth
	if server.user != nil {
		password, _ := server.user.Password()
		auth = &proxy.Auth{User: server.user.Username(), Password: password}
	}
	dialer, err := proxy.SOCKS5("tcp", server.authority(), auth, connDialer{&socksConn{Conn: conn, login: auth != nil}})
	if err != nil {
		return err
	}
	_, err = dialer.Dial("tcp", a.opener.dialed.authority())
	var op *net.OpError
	if method, found := errors.AsType[methodError](err); found {
		return method
	}
	if errors.As(err, &op) {
		// What the library calls unknown errors are the replies of RFC 1928 6.
		return errors.New("SOCKS5: " + strings.TrimPrefix(op.Err.Error(), "unknown error "))
	}
	return err
}

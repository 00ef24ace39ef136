package wstest

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Connect is an HTTP proxy: it connects to what it is asked for with CONNECT (RFC 9110 9.3.6).
func Connect(c *Conn) {
	r := c.Request()
	if r.Method != "CONNECT" {
		c.Refuse(405, "CONNECT only\n")
	}
	c.Raw("HTTP/1.1 200 Connection established\r\n\r\n")
	c.Tunnel(r.Host)
}

// SOCKSGranted is the answer of a SOCKS5 proxy that has connected (RFC 1928 6).
const SOCKSGranted = "\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"

// The methods of authentication of SOCKS5 (RFC 1928 3).
const (
	socksOpen     = "\x00"
	socksPassword = "\x02"
)

// SOCKS5 is a SOCKS5 proxy. With a user, it asks clients for that user and the password (RFC 1929).
func SOCKS5(user, password string) Script {
	return func(c *Conn) {
		c.SOCKSMethod(user != "")
		if user != "" {
			c.SOCKSLogin(user, password)
		}
		address := c.SOCKSRequest()
		c.Raw(SOCKSGranted)
		c.Tunnel(strings.TrimPrefix(address, "name "))
	}
}

// SOCKSMethod reads the greeting of a client and picks a method of authentication, by password or none. It refuses
// a client that does not offer it.
func (c *Conn) SOCKSMethod(byPassword bool) {
	method := socksOpen
	if byPassword {
		method = socksPassword
	}
	if head := c.Take(2); head[0] != 5 || !strings.Contains(c.Take(int(head[1])), method) {
		c.Raw("\x05\xff")
		c.Hold()
		panic(gone{})
	}
	c.Raw("\x05" + method)
}

// SOCKSLogin reads a user and a password, and refuses all but these.
func (c *Conn) SOCKSLogin(user, password string) {
	version := c.Take(1)
	gotUser := c.Take(int(c.Take(1)[0]))
	gotPassword := c.Take(int(c.Take(1)[0]))
	if version != "\x01" || gotUser != user || gotPassword != password {
		c.Raw("\x01\x01")
		c.Hold()
		panic(gone{})
	}
	c.Raw("\x01\x00")
}

// SOCKSRequest reads what a client wants to be connected to: host:port, after "name " if the host is a name.
func (c *Conn) SOCKSRequest() string {
	head := c.Take(4)
	if head[:3] != "\x05\x01\x00" {
		panic(fmt.Sprintf("wstest: %x is no CONNECT request of SOCKS5", head))
	}
	kind, host := "", ""
	switch head[3] {
	case 1:
		host = netip.AddrFrom4([4]byte([]byte(c.Take(4)))).String()
	case 4:
		host = netip.AddrFrom16([16]byte([]byte(c.Take(16)))).String()
	case 3:
		kind, host = "name ", c.Take(int(c.Take(1)[0]))
	}
	port := binary.BigEndian.Uint16([]byte(c.Take(2)))
	return kind + net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// Take reads exactly n bytes.
func (c *Conn) Take(n int) string {
	p := make([]byte, n)
	c.fill(p)
	return string(p)
}

package opening

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// target is where a connection goes: the host and the port of a URL.
type target struct {
	host  string     // a name in ASCII, or an address without brackets
	named string     // host as others are told of it, without the zone of an address
	addr  netip.Addr // valid if host is an address
	port  uint16
}

// defaultPorts are those of RFC 6455 3 and, for proxies, of RFC 9110 4.2 and RFC 1928 3.
var defaultPorts = map[string]uint16{"ws": 80, "wss": 443, "http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}

// parseTarget returns the target of a valid URL.
func parseTarget(u *url.URL) (target, error) {
	t := target{host: u.Hostname(), port: defaultPorts[strings.ToLower(u.Scheme)]}
	if text := u.Port(); text != "" {
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return target{}, fmt.Errorf("port %q: %w", text, err)
		}
		t.port = uint16(port)
	}
	literal, err := netip.ParseAddr(t.host)
	if err == nil {
		t.addr = literal.Unmap()
	} else if t.host, err = ASCIIHost(t.host); err != nil {
		return target{}, fmt.Errorf("host %q: %w", u.Hostname(), err)
	}
	t.named = t.host
	if literal.IsValid() {
		t.named = shared(literal.WithZone("").String(), t.host) // a zone means something to this machine only (RFC 6874 4)
	}
	return t, nil
}

// authority is host and port, as CONNECT wants them (RFC 9110 9.3.6).
func (t target) authority() string {
	return net.JoinHostPort(t.named, strconv.Itoa(int(t.port)))
}

// hostField is host and port as the Host field wants them (RFC 9112 3.2): without the default port of the scheme.
func (t target) hostField(scheme string) string {
	authority := t.authority()
	if t.port == defaultPorts[strings.ToLower(scheme)] {
		return authority[:strings.LastIndexByte(authority, ':')]
	}
	return authority
}

// ASCIIHost returns a host name as the DNS wants it (RFC 5891). A name in ASCII is that already: the rules for
// internationalized names would refuse underscores and a "--" that names in use have.
func ASCIIHost(name string) (string, error) {
	international := strings.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf })
	if !international && !strings.Contains(strings.ToLower(name), "xn--") {
		return name, nil
	}
	return idna.Lookup.ToASCII(name)
}

package probe

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// target is where a connection goes: what a URL says, taken apart once.
type target struct {
	secure     bool
	host       string     // a name in ASCII, or an address without brackets
	named      string     // host as others are told of it, without the zone of an address
	addr       netip.Addr // valid if host is an address
	port       uint16
	hostHeader string // as the Host field wants it (RFC 9112 3.2)
	requestURI string // path and query as they stand in the URL
}

// defaultPorts are those of RFC 6455 3 and, for proxies, of RFC 9110 4.2 and RFC 1928 3.
var defaultPorts = map[string]uint16{"ws": 80, "wss": 443, "http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}

// parseTarget takes a URL apart that Validate has found good.
func parseTarget(u *url.URL) (target, error) {
	scheme := strings.ToLower(u.Scheme)
	t := target{secure: scheme == "wss" || scheme == "https", host: u.Hostname(), port: defaultPorts[scheme]}
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
	} else if t.host, err = asciiHost(t.host); err != nil {
		return target{}, fmt.Errorf("host %q: %w", u.Hostname(), err)
	}
	t.named = t.host
	if literal.IsValid() {
		t.named = literal.WithZone("").String() // a zone means something to this machine only (RFC 6874 4)
	}
	t.hostHeader = t.named
	if literal.Is6() { // also one that maps an IPv4 address (RFC 3986 3.2.2)
		t.hostHeader = "[" + t.named + "]"
	}
	if t.port != defaultPorts[scheme] {
		t.hostHeader += ":" + strconv.Itoa(int(t.port))
	}
	t.requestURI = u.RequestURI()
	return t, nil
}

// authority is host and port, as CONNECT wants them (RFC 9110 9.3.6).
func (t target) authority() string {
	return net.JoinHostPort(t.named, strconv.Itoa(int(t.port)))
}

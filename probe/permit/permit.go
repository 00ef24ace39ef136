// Package permit decides which addresses may be connected to when somebody else names the endpoint.
//
// A [List] of patterns is what an operator allows. [List.Target] decides about the host of a URL, and its answer decides
// about each address that the host turns out to have, as the field Permit of an opening wants it. So a name cannot lead
// to a place that its pattern does not mean, whatever the DNS says.
//
// Some addresses are never meant by a wide pattern: this machine, its link, and the servers of clouds that hand out
// credentials. A pattern must name them, see [Special].
package permit

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// List is a list of patterns. The zero value permits nothing. It does not change, so several goroutines may use it.
type List struct{ patterns []pattern }

// Parse reads patterns, such as:
//
//	chat.example.com        the host of this name
//	*.example.com           any name below it, at any depth; a * elsewhere stands for characters but dots
//	chat.example.com:443    that port of it alone
//	192.0.2.7, [2001:db8::7]:443
//	10.0.0.0/8              any host whose addresses are in this network
//	*                       any host, also one that is an address
//
// The error is that of the first pattern that is wrong; see [Problem].
func Parse(patterns []string) (List, error) {
	var l List
	for _, text := range patterns {
		p, problem := parse(text)
		if problem != "" {
			return List{}, fmt.Errorf("pattern %q %s", text, problem)
		}
		l.patterns = append(l.patterns, p)
	}
	return l, nil
}

// Problem says what is wrong with a pattern, as the rest of a sentence about it. It is empty for one that is right.
func Problem(pattern string) string {
	_, problem := parse(pattern)
	return problem
}

// Empty reports whether the list permits nothing.
func (l List) Empty() bool { return len(l.patterns) == 0 }

// Target decides about a host, a name or an address without brackets, and the port of its URL. It returns the
// function that decides about the addresses that are connected to, or an error that says why the host is refused. If a
// proxy looks up the name, nobody sees its addresses: the name must then be a pattern without a *.
func (l List) Target(host string, port uint16, proxied bool) (func(netip.AddrPort) error, error) {
	addr, err := netip.ParseAddr(host)
	literal := err == nil
	if !literal && (strings.ContainsFunc(host, func(r rune) bool { return r >= utf8.RuneSelf }) || strings.Contains(strings.ToLower(host), "xn--")) {
		if host, err = idna.Lookup.ToASCII(host); err != nil { // as the connection will ask for it (RFC 5891)
			return nil, fmt.Errorf("host %q is no name", host)
		}
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	t := target{list: l}
	for _, p := range l.patterns {
		if p.host == "" || p.port != 0 && p.port != port {
			continue
		}
		t.named = t.named || p.matches(host, literal)
		t.exact = t.exact || p.host == host
	}
	switch {
	case literal:
		if err := t.permit(netip.AddrPortFrom(addr, port)); err != nil {
			return nil, err
		}
		return t.permit, nil
	case !isName(host):
		return nil, fmt.Errorf("host %q is neither a name nor an address", host)
	case proxied && !t.exact:
		return nil, fmt.Errorf("host %q is looked up by a proxy: a pattern must have its whole name", host)
	case !t.named && !l.hasNetwork():
		return nil, fmt.Errorf("host %q is in no pattern", host)
	}
	t.self = t.exact && isSelf(host)
	return t.permit, nil
}

// target is what the patterns say of a host.
type target struct {
	list  List
	named bool // a pattern of names is for it
	exact bool // one without a *
	self  bool // it is a name of this machine that a pattern names
}

// permit decides about an address of the host.
func (t target) permit(at netip.AddrPort) error {
	addr := at.Addr().Unmap().WithZone("")
	for _, meant := range append(embedded(addr), addr) {
		network, what := special(meant)
		if what == "" || t.self && meant.IsLoopback() {
			continue
		}
		if !slices.ContainsFunc(t.list.patterns, func(p pattern) bool { return p.names(network, meant, at.Port()) }) {
			name := network.String()
			if network.IsSingleIP() {
				name = network.Addr().String()
			}
			return fmt.Errorf("address %s is %s: a pattern must name %s", addr, what, name)
		}
	}
	if t.named || t.list.contains(addr, at.Port()) {
		return nil
	}
	return fmt.Errorf("address %s is in no pattern", addr)
}

// contains reports whether a network of the list has an address.
func (l List) contains(addr netip.Addr, port uint16) bool {
	return slices.ContainsFunc(l.patterns, func(p pattern) bool {
		return p.network.IsValid() && p.network.Contains(addr) && (p.port == 0 || p.port == port)
	})
}

func (l List) hasNetwork() bool {
	return slices.ContainsFunc(l.patterns, func(p pattern) bool { return p.network.IsValid() })
}

// isSelf reports whether a name means this machine without a name server having a say (RFC 6761 6.3).
func isSelf(name string) bool { return name == "localhost" || strings.HasSuffix(name, ".localhost") }

// isName reports whether a host can be a name. A last label that is a number makes it an address of an old spelling,
// 127.1 or 0x7f000001, which some resolvers and proxies take for one.
func isName(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last == "" || strings.ContainsAny(host, ":%[]*/@ ") {
		return false
	}
	digits := strings.TrimPrefix(last, "0x")
	set := "0123456789"
	if digits != last {
		set = "0123456789abcdef"
	}
	return strings.Trim(digits, set) != ""
}

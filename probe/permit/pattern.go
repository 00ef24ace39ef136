package permit

import (
	"net/netip"
	"strconv"
	"strings"
)

// pattern is one pattern: of names, or of a network.
type pattern struct {
	host    string       // in lower case; empty for a network
	network netip.Prefix // of one address or more; not valid for names
	port    uint16       // 0 for any
}

// parse reads a pattern, or says what is wrong with it.
func parse(text string) (p pattern, problem string) {
	const want = "must be a host such as *.example.com or chat.example.com:443, an address, or a network such as 10.0.0.0/8"
	if network, err := netip.ParsePrefix(text); err == nil {
		if network != network.Masked() {
			return p, "must be a network: write " + network.Masked().String() + ", or the address alone"
		}
		return pattern{network: unmapped(network)}, ""
	}
	if strings.Contains(text, "://") {
		return p, "must be a host without a scheme and a path"
	}
	host := text
	if i := strings.LastIndexByte(text, ':'); i >= 0 && !strings.Contains(text[i:], "]") && (strings.Count(text, ":") == 1 || strings.HasPrefix(text, "[")) {
		port, err := strconv.ParseUint(text[i+1:], 10, 16)
		if err != nil || port == 0 {
			return p, "must have a port between 1 and 65535"
		}
		p.port, host = uint16(port), text[:i]
	}
	bare := host
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		bare = host[1 : len(host)-1]
	}
	if addr, err := netip.ParseAddr(bare); err == nil {
		if addr.Zone() != "" {
			return p, "must be an address without a zone"
		}
		addr = addr.Unmap()
		p.network = netip.PrefixFrom(addr, addr.BitLen())
		return p, ""
	}
	if p.host = strings.ToLower(strings.TrimSuffix(host, ".")); !isPattern(p.host) {
		return p, want
	}
	return p, ""
}

// isPattern reports whether a text is made like a name in ASCII whose labels may have a *, the last one beside letters.
func isPattern(host string) bool {
	if host == "*" {
		return true
	}
	if len(host) > 253 || !isName(strings.ReplaceAll(host, "*", "")) {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_*") != "" {
			return false
		}
	}
	return true
}

// matches reports whether a pattern of names is for a host. Only "*" is for one that is an address.
func (p pattern) matches(host string, literal bool) bool {
	if p.host == "*" || literal {
		return p.host == "*"
	}
	if below, ok := strings.CutPrefix(p.host, "*."); ok {
		for rest := host; ; {
			_, after, more := strings.Cut(rest, ".")
			if !more {
				return false
			}
			if sameLabels(below, after) {
				return true
			}
			rest = after
		}
	}
	return sameLabels(p.host, host)
}

// sameLabels reports whether a name matches a pattern label by label.
func sameLabels(pattern, name string) bool {
	want, have := strings.Split(pattern, "."), strings.Split(name, ".")
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		if !sameLabel(want[i], have[i]) {
			return false
		}
	}
	return true
}

// sameLabel reports whether a label matches a pattern in which * stands for any characters, or none.
func sameLabel(pattern, label string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == label
	}
	label, ok := strings.CutPrefix(label, first)
	if !ok {
		return false
	}
	parts := strings.Split(rest, "*")
	for _, part := range parts[:len(parts)-1] { // the leftmost place leaves the most to the others
		i := strings.Index(label, part)
		if i < 0 {
			return false
		}
		label = label[i+len(part):]
	}
	return strings.HasSuffix(label, parts[len(parts)-1])
}

// names reports whether a pattern names an address of a special network, or the network itself, and not just a wider
// one.
func (p pattern) names(special netip.Prefix, addr netip.Addr, port uint16) bool {
	return p.network.IsValid() && p.network.Bits() >= special.Bits() && p.network.Contains(addr) && (p.port == 0 || p.port == port)
}

// unmapped returns a network of IPv4 that is written as one of IPv6 as what it is.
func unmapped(network netip.Prefix) netip.Prefix {
	const mapped = 96
	if addr := network.Addr(); addr.Is4In6() && network.Bits() >= mapped {
		return netip.PrefixFrom(addr.Unmap(), network.Bits()-mapped)
	}
	return network
}

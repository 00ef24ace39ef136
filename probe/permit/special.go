package permit

import (
	"net/netip"
	"slices"
)

// Special is a network that a pattern must name: a wider pattern, * for instance, does not mean it.
type Special struct {
	Network netip.Prefix
	Is      string // what it is, and the standard that says so
}

// Specials returns every special network. Where one lies in another, the smaller one must be named.
func Specials() []Special {
	metadata := func(addr, of string) Special {
		a := netip.MustParseAddr(addr)
		return Special{netip.PrefixFrom(a, a.BitLen()), "the metadata server of " + of}
	}
	network := func(network, is string) Special { return Special{netip.MustParsePrefix(network), is} }
	return []Special{
		network("0.0.0.0/8", "this host (RFC 1122 3.2.1.3), which Linux connects to itself"),
		network("127.0.0.0/8", "loopback (RFC 1122 3.2.1.3)"),
		network("169.254.0.0/16", "link-local (RFC 3927)"),
		network("192.0.0.0/24", "for protocols (RFC 6890 2.1)"),
		network("224.0.0.0/4", "multicast (RFC 5771)"),
		network("240.0.0.0/4", "reserved (RFC 1112 4) or broadcast"),
		network("::/128", "unspecified (RFC 4291 2.5.2), which Linux connects to itself"),
		network("::1/128", "loopback (RFC 4291 2.5.3)"),
		network("64:ff9b:1::/48", "for translation into local IPv4 (RFC 8215)"),
		network("2001::/32", "a Teredo tunnel (RFC 4380)"),
		network("fe80::/10", "link-local (RFC 4291 2.5.6)"),
		network("fec0::/10", "site-local (RFC 3879)"),
		network("ff00::/8", "multicast (RFC 4291 2.7)"),
		metadata("169.254.169.254", "AWS, Azure, Google Cloud, OpenStack, DigitalOcean, Hetzner and others"),
		metadata("169.254.170.2", "AWS ECS"),
		metadata("169.254.170.23", "AWS EKS Pod Identity"),
		metadata("169.254.42.42", "Scaleway"),
		metadata("169.254.0.23", "Tencent Cloud"),
		metadata("100.100.100.200", "Alibaba Cloud"),
		metadata("168.63.129.16", "Azure (WireServer)"),
		metadata("192.0.0.192", "Oracle Cloud Classic"),
		metadata("fd00:ec2::254", "AWS"),
		metadata("fd00:ec2::23", "AWS EKS Pod Identity"),
		metadata("fd20:ce::254", "Google Cloud"),
		metadata("fd00:42::42", "Scaleway"),
		metadata("fd00:c1::a9fe:a9fe", "Oracle Cloud"),
	}
}

// specials are the same, the smallest first.
var specials = func() []Special {
	all := Specials()
	slices.SortStableFunc(all, func(a, b Special) int { return b.Network.Bits() - a.Network.Bits() })
	return all
}()

// special returns the smallest special network of an address, and what it is, or nothing.
func special(addr netip.Addr) (netip.Prefix, string) {
	for _, s := range specials {
		if s.Network.Contains(addr) {
			return s.Network, s.Is
		}
	}
	return netip.Prefix{}, ""
}

// translations are networks whose addresses stand for one of IPv4, and where its four bytes begin.
var translations = []struct {
	network netip.Prefix
	at      int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12},      // NAT64 (RFC 6052 2.1)
	{netip.MustParsePrefix("2002::/16"), 2},          // 6to4 (RFC 3056 2)
	{netip.MustParsePrefix("::/96"), 12},             // IPv4-compatible (RFC 4291 2.5.5.1)
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12},   // stateless translation (RFC 2765 2.1)
	{netip.MustParsePrefix("::ffff:0.0.0.0/96"), 12}, // IPv4-mapped (RFC 4291 2.5.5.2)
}

// embedded returns the addresses of IPv4 that an address of IPv6 may lead to.
func embedded(addr netip.Addr) []netip.Addr {
	if !addr.Is6() {
		return nil
	}
	var found []netip.Addr
	bytes := addr.As16()
	for _, t := range translations {
		if t.network.Contains(addr) && !addr.IsUnspecified() && !addr.IsLoopback() {
			found = append(found, netip.AddrFrom4([4]byte(bytes[t.at:t.at+4])))
		}
	}
	if bytes[8]&^2 == 0 && bytes[9] == 0 && bytes[10] == 0x5e && bytes[11] == 0xfe { // ISATAP (RFC 5214 6.1)
		found = append(found, netip.AddrFrom4([4]byte(bytes[12:])))
	}
	return found
}

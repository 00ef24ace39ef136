package permit_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe/permit"
)

// decide says why a host with this address is refused, or nothing.
func decide(t *testing.T, patterns, host string, port uint16, proxied bool, addr string) string {
	t.Helper()
	list, err := permit.Parse(strings.Fields(patterns))
	if err != nil {
		t.Fatal(err)
	}
	decides, err := list.Target(host, port, proxied)
	if err == nil && addr != "" {
		err = decides(netip.AddrPortFrom(netip.MustParseAddr(addr), port))
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// TestHosts: which hosts the patterns permit, whose address is an ordinary one.
func TestHosts(t *testing.T) {
	for _, test := range []struct {
		patterns string
		good     string // hosts
		bad      string
	}{
		{"", "", "chat.example.com 192.0.2.1 localhost"},
		{"*", "chat.example.com 192.0.2.1 2001:db8::1 CHAT.example.com.", "localhost.0x7f 127.0.0.1 ::1 169.254.1.1"},
		{"chat.example.com", "chat.example.com Chat.Example.Com chat.example.com.", "example.com a.chat.example.com chat.example.com.evil.test 192.0.2.1"},
		{"xn--mnchen-3ya.example.com", "münchen.example.com MÜNCHEN.example.com xn--mnchen-3ya.example.com", "munchen.example.com 127。0。0。1 xn--a"},
		{"*", "①.example.com", "①②⑦.⓪.⓪.① １２７.０.０.１ 127。0。0。1"},
		{"CHAT.example.com.", "chat.example.com", "example.com"},
		{"*.example.com", "a.example.com a.b.example.com", "example.com evilexample.com a.example.com.evil.test a.example.org 192.0.2.1"},
		{"chat-*.example.com", "chat-1.example.com chat-.example.com", "chat-1.b.example.com chat.example.com"},
		{"a*b*c.example.com", "abc.example.com axbxc.example.com abbc.example.com", "acb.example.com ab.example.com"},
		{"*a*", "a xax", "b a.b"},
		{"*.*.example.com", "a.b.example.com a.b.c.example.com", "a.example.com"},
		{"10.0.0.0/8 chat.test", "10.1.2.3 chat.test ::ffff:10.1.2.3", "11.0.0.1"},
		{"192.0.2.7", "192.0.2.7 ::ffff:192.0.2.7", "192.0.2.8"},
		{"::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.1"},
		{"2001:db8::/32", "2001:db8:1::1", "2001:db9::1"},
	} {
		for _, host := range strings.Fields(test.good) {
			if why := decide(t, test.patterns, host, 80, false, ""); why != "" {
				t.Errorf("%q refuses %s: %s", test.patterns, host, why)
			}
		}
		for _, host := range strings.Fields(test.bad) {
			if why := decide(t, test.patterns, host, 80, false, "192.0.2.99"); why == "" {
				t.Errorf("%q permits %s", test.patterns, host)
			}
		}
	}
}

// TestPorts: a pattern with a port is for that port alone.
func TestPorts(t *testing.T) {
	for _, test := range []struct {
		patterns, host string
		port           uint16
		addr           string
		good           bool
	}{
		{"chat.test:443", "chat.test", 443, "192.0.2.1", true},
		{"chat.test:443", "chat.test", 80, "192.0.2.1", false},
		{"*:443", "any.test", 443, "192.0.2.1", true},
		{"*:443", "any.test", 22, "192.0.2.1", false},
		{"192.0.2.1:80", "192.0.2.1", 80, "192.0.2.1", true},
		{"192.0.2.1:80", "192.0.2.1", 81, "192.0.2.1", false},
		{"[2001:db8::1]:80", "2001:db8::1", 80, "2001:db8::1", true},
		{"[2001:db8::1]:80", "2001:db8::1", 81, "2001:db8::1", false},
		{"127.0.0.1:9464", "127.0.0.1", 9464, "127.0.0.1", true},
		{"127.0.0.1:9464 *", "127.0.0.1", 9465, "127.0.0.1", false},
	} {
		if why := decide(t, test.patterns, test.host, test.port, false, test.addr); (why == "") != test.good {
			t.Errorf("%q, %s:%d: %q", test.patterns, test.host, test.port, why)
		}
	}
}

// TestAddresses: what a name resolves to must be meant by the patterns, too. These are the ways in which a request for
// an innocent name, or for an odd spelling, could reach this machine or the metadata server of its cloud.
func TestAddresses(t *testing.T) {
	for _, addr := range strings.Fields(`127.0.0.1 127.1.2.3 0.0.0.0 0.1.2.3 169.254.169.254 169.254.1.1 169.254.170.2 100.100.100.200 168.63.129.16
		192.0.0.192 224.0.0.1 255.255.255.255 ::1 :: fe80::1 fe80::1%eth0 fec0::1 ff02::1 fd00:ec2::254 fd00:ec2::23 fd20:ce::254 fd00:42::42
		fd00:c1::a9fe:a9fe ::ffff:127.0.0.1 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 64:ff9b::7f00:1 64:ff9b:1::a9fe:a9fe 2002:a9fe:a9fe::1
		2002:7f00:1:: ::a9fe:a9fe ::ffff:0:a9fe:a9fe 2001:0:a9fe:a9fe:: 2001:db8::5efe:a9fe:a9fe 2001:db8::200:5efe:7f00:1`) {
		for _, patterns := range []string{"*", "chat.test", "*.test", "chat.test 0.0.0.0/0 ::/0", "128.0.0.0/1 ::/0"} {
			if why := decide(t, patterns, "chat.test", 80, false, addr); why == "" {
				t.Errorf("%q permits chat.test at %s", patterns, addr)
			}
		}
	}
	for _, addr := range strings.Fields(`192.0.2.1 10.0.0.1 172.16.0.1 192.168.0.1 100.64.0.1 2001:db8::1 fd12::1 64:ff9b::c000:201 2002:c000:201::1`) {
		for _, patterns := range []string{"*", "chat.test", "*.test", "0.0.0.0/0 ::/0"} {
			if why := decide(t, patterns, "chat.test", 80, false, addr); why != "" {
				t.Errorf("%q refuses chat.test at %s: %s", patterns, addr, why)
			}
		}
	}
}

// TestSpecialsAreNamed: each special network can be permitted by its own pattern, and by no wider one.
func TestSpecialsAreNamed(t *testing.T) {
	for _, s := range permit.Specials() {
		addr, name := s.Network.Addr(), s.Network.String()
		if why := decide(t, name, addr.String(), 80, false, ""); why != "" {
			t.Errorf("%s refuses %s: %s", name, addr, why)
		}
		if why := decide(t, name+" chat.test", "chat.test", 80, false, addr.String()); why != "" {
			t.Errorf("%s refuses chat.test at %s: %s", name, addr, why)
		}
		wider := netip.PrefixFrom(addr, s.Network.Bits()-1).Masked().String()
		if why := decide(t, wider, addr.String(), 80, false, ""); why == "" {
			t.Errorf("%s permits %s", wider, addr)
		}
	}
	for _, test := range []struct{ patterns, host, addr string }{
		{"169.254.0.0/16", "169.254.169.254", "169.254.169.254"}, // the server must be named, not its link
		{"*", "localhost", "127.0.0.1"},
		{"*.localhost", "a.localhost", "127.0.0.1"},
		{"localhost", "localhost", "169.254.169.254"},
		{"localhost.test", "localhost.test", "127.0.0.1"},
		{"127.0.0.1", "localhost", "127.0.0.2"},
	} {
		if decide(t, test.patterns, test.host, 80, false, test.addr) == "" {
			t.Errorf("%q permits %s at %s", test.patterns, test.host, test.addr)
		}
	}
	for _, test := range []struct{ patterns, host, addr string }{
		{"localhost", "localhost", "127.0.0.1"},
		{"localhost", "LOCALHOST.", "::1"},
		{"a.localhost", "a.localhost", "127.0.0.1"},
		{"127.0.0.1", "localhost", "127.0.0.1"},
		{"127.0.0.0/8", "chat.test", "127.0.0.1"},
		{"64:ff9b::a9fe:a9fe 169.254.169.254", "chat.test", "64:ff9b::a9fe:a9fe"},
	} {
		if why := decide(t, test.patterns, test.host, 80, false, test.addr); why != "" {
			t.Errorf("%q refuses %s at %s: %s", test.patterns, test.host, test.addr, why)
		}
	}
}

// TestOddSpellings: what is an address to some resolver, and no name to the DNS, is refused whatever the patterns are.
func TestOddSpellings(t *testing.T) {
	for _, host := range []string{"2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1", "127.0.0.0x1", "1.2.3.4.5", "1.2.3.256", "0x", "", ".",
		"a b", "[::1]", "a/b", "user@host", "a:80", "*"} {
		if why := decide(t, "* 0.0.0.0/0 ::/0", host, 80, false, "192.0.2.1"); why == "" {
			t.Errorf("permitted: %q", host)
		}
	}
}

// TestProxied: the address of a name that a proxy looks up is not seen, so a pattern must have the whole name.
func TestProxied(t *testing.T) {
	for host, good := range map[string]bool{"chat.test": true, "a.example.com": false, "other.test": false, "192.0.2.1": true, "127.0.0.1": false} {
		if why := decide(t, "* *.example.com chat.test 0.0.0.0/0", host, 80, true, ""); (why == "") != good {
			t.Errorf("%s: %q", host, why)
		}
	}
}

// TestProblems: patterns that mean nothing, or something else than it seems.
func TestProblems(t *testing.T) {
	for _, pattern := range []string{"", " ", "wss://chat.test", "chat.test/socket", "chat.test:", "chat.test:0", "chat.test:65536", "chat.test:http", "10.0.0.1/8",
		"10.0.0.0/33", "192.168.1.*", "10.*", "127.1", "fe80::1%eth0", "[::1", "::1:80:", "a..b", ".example.com", "a_ b", "exämple.com", "*.*.1", strings.Repeat("a", 64) + ".test",
		strings.Repeat("a.", 127) + "test", "[*]", "/", "*/8"} {
		if permit.Problem(pattern) == "" {
			t.Errorf("no problem: %q", pattern)
		}
		if _, err := permit.Parse([]string{"chat.test", pattern}); err == nil {
			t.Errorf("parsed: %q", pattern)
		}
	}
	for _, pattern := range []string{"*", "*:443", "*.example.com", "a-*.b_c.test", "10.0.0.0/8", "::/0", "::1", "[::1]", "[::1]:80", "localhost:8080", "xn--exmple-cua.com"} {
		if problem := permit.Problem(pattern); problem != "" {
			t.Errorf("%q %s", pattern, problem)
		}
	}
}

// FuzzTarget: no host and no address gets anywhere that an innocent pattern does not mean.
func FuzzTarget(f *testing.F) {
	for _, host := range []string{"chat.test", "127.0.0.1", "::ffff:127.0.0.1", "0x7f.1", "a.b.test.", "[::1]", "fe80::1%eth0"} {
		f.Add(host, []byte{127, 0, 0, 1})
		f.Add(host, []byte{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})
	}
	list, err := permit.Parse([]string{"*.test", "10.0.0.0/8"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, host string, bytes []byte) {
		addr, ok := netip.AddrFromSlice(bytes)
		if !ok {
			return
		}
		decides, err := list.Target(host, 80, false)
		if err != nil || decides(netip.AddrPortFrom(addr, 80)) != nil {
			return
		}
		a := addr.Unmap()
		if a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || a.IsMulticast() {
			t.Errorf("%q reaches %s", host, addr)
		}
		if !strings.HasSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), ".test") && (!a.Is4() || a.As4()[0] != 10) {
			t.Errorf("%q reaches %s, which no pattern means", host, addr)
		}
	})
}

package probe

import (
	"net/url"
	"strings"
	"testing"
)

// TestValidateProxy: what is wrong with a proxy is said, and its credentials never.
func TestValidateProxy(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, test := range []struct{ proxy, want string }{
		{"http://proxy:3128", ""},
		{"HTTPS://secret:secret@proxy/", ""},
		{"http://secret@proxy", ""},
		{"http://secret:" + long + "@[::1]:1", ""},
		{"socks5://secret:secret@proxy", ""},
		{"socks5h://" + long[1:] + ":" + long[1:] + "@proxy_1.example:1080", ""},
		{"socks4://proxy", "must begin with http://, https:// or socks5://"},
		{"http:proxy", "must begin with http://, https:// or socks5://"},
		{"proxy", "must begin with http://, https:// or socks5://"},
		{"http://:80", "must have a host"},
		{"http://-proxy",
			"must have a valid host: labels of letters, digits, - and _, at most 63 characters each and 253 together"},
		{"socks5://proxy:65536", "must have a port between 1 and 65535"},
		{"http://proxy/secret", "must have nothing after the host and port"},
		{"http://proxy?", "must have nothing after the host and port"},
		{"http://proxy?secret", "must have nothing after the host and port"},
		{"http://proxy#secret", "must have nothing after the host and port"},
		{"https://se%3Acret:secret@proxy", "must have a user without a colon (RFC 7617 2)"},
		{"http://secret:secret%00@proxy", "must have a user and a password without control characters (RFC 7617 2)"},
		{"socks5://secret@proxy", "must have a user and a password of 1 to 255 bytes each, or none (RFC 1929 2)"},
		{"socks5://:secret@proxy", "must have a user and a password of 1 to 255 bytes each, or none (RFC 1929 2)"},
		{"socks5://secret:" + long + "@proxy",
			"must have a user and a password of 1 to 255 bytes each, or none (RFC 1929 2)"},
		{"socks5h://" + long + ":secret@proxy",
			"must have a user and a password of 1 to 255 bytes each, or none (RFC 1929 2)"},
	} {
		u, err := url.Parse(test.proxy)
		if err != nil {
			t.Fatal(err)
		}
		spec := good
		spec.Proxy = u
		got := ""
		for _, f := range spec.Validate() {
			got += f.Problem
			if f.Field != "Proxy" || f.NotAllowed || f.Given != nil || f.Key != "" {
				t.Errorf("%s: fault %+v", test.proxy, f)
			}
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.proxy, got, test.want)
		}
		if _, err := New(spec); (err == nil) != (test.want == "") {
			t.Errorf("%s: New says %v", test.proxy, err)
		}
	}
}

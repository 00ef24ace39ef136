package opening

import (
	"net/url"
	"strings"
	"testing"
)

// TestRequestHead pins the bytes of a request (RFC 6455 4.1).
func TestRequestHead(t *testing.T) {
	for _, test := range []struct {
		url     string
		options Options
		want    []string
	}{
		{"ws://h", Options{}, []string{"GET / HTTP/1.1", "Host: h", "Upgrade: websocket", "Connection: Upgrade", "User-Agent: wsprobe"}},
		{"ws://h:80/", Options{}, []string{"GET / HTTP/1.1", "Host: h", "Upgrade: websocket", "Connection: Upgrade", "User-Agent: wsprobe"}},
		{"wss://H.example:8443/a%2Fb?x=1&y=%20", Options{Protocols: []string{"b", "a"}, UserAgent: "wsprobe/1",
			Headers: map[string]string{"x-Two": "2", "X-ONE": "1"}},
			[]string{"GET /a%2Fb?x=1&y=%20 HTTP/1.1", "Host: H.example:8443", "Upgrade: websocket", "Connection: Upgrade",
				"User-Agent: wsprobe/1", "X-ONE: 1", "x-Two: 2", "Sec-WebSocket-Protocol: b, a"}},
		{"ws://[::1]:9/", Options{Headers: map[string]string{"host": "other", "user-agent": "mine"}},
			[]string{"GET / HTTP/1.1", "Host: other", "Upgrade: websocket", "Connection: Upgrade", "User-Agent: mine"}},
		{"ws://[fe80::1%25eth0]/?q", Options{}, []string{"GET /?q HTTP/1.1", "Host: [fe80::1]", "Upgrade: websocket", "Connection: Upgrade", "User-Agent: wsprobe"}},
		{"WSS://[::ffff:1.2.3.4]:443/", Options{Compression: true}, []string{"GET / HTTP/1.1", "Host: [::ffff:1.2.3.4]", "Upgrade: websocket",
			"Connection: Upgrade", "User-Agent: wsprobe", "Sec-WebSocket-Extensions: permessage-deflate"}},
		{"ws://b\u00fccher.example/", Options{}, []string{"GET / HTTP/1.1", "Host: xn--bcher-kva.example", "Upgrade: websocket", "Connection: Upgrade", "User-Agent: wsprobe"}},
	} {
		u, err := url.Parse(test.url)
		if err != nil {
			t.Fatal(err)
		}
		if test.options.URL = u; test.options.UserAgent == "" {
			test.options.UserAgent = "wsprobe"
		}
		o, err := New(test.options)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Join(append(test.want, "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: the key", "", ""), "\r\n")
		if got := string((&Attempt{opener: o}).request("the key")); got != want {
			t.Errorf("%s:\n got %q\nwant %q", test.url, got, want)
		}
	}
}

// TestAcceptKey is the example of RFC 6455 1.3.
func TestAcceptKey(t *testing.T) {
	if got, want := AcceptKey("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

package config

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestProxies: ws:// goes by HTTP_PROXY, wss:// by HTTPS_PROXY, and NO_PROXY excepts hosts.
func TestProxies(t *testing.T) {
	file := `probes:
  - {name: ws, url: "ws://example.com/"}
  - {name: wss, url: "WSS://example.com/"}
  - {name: excepted, url: "wss://db.internal:8443/"}
  - {name: loopback, url: "ws://localhost:8080/"}
  - {name: own, url: "ws://localhost:8080/", proxy_url: "socks5://own:1080"}
  - {name: direct, url: "wss://example.com/", proxy_url: ""}
  - {name: inherits, url: "wss://example.com/", proxy_url: null}
`
	config, err := loadWith(t, file, map[string]string{"HTTP_PROXY": "plain:3128", "http_proxy": "", "https_proxy": "http://user:pass@secure",
		"HTTPS_PROXY": "http://loses", "NO_PROXY": ".internal", "REQUEST_METHOD": "GET"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range config.Probes {
		proxy := ""
		if p.Spec.Proxy != nil {
			proxy = p.Spec.Proxy.String()
		}
		got = append(got, proxy)
		if faults := p.Spec.Validate(); faults != nil {
			t.Errorf("%s: %v", p.Name, faults)
		}
		if p.Name == "own" || p.Name == "direct" {
			continue
		}
		one, err := EnvironmentProxy(p.Spec.URL)
		if err != nil || !reflect.DeepEqual(one, p.Spec.Proxy) {
			t.Errorf("EnvironmentProxy(%s) = %v, %v", p.Spec.URL, one, err)
		}
	}
	if want := []string{"http://plain:3128", "http://user:pass@secure", "", "", "socks5://own:1080", "", "http://user:pass@secure"}; !slices.Equal(got, want) {
		t.Errorf("proxies %q, want %q", got, want)
	}
	t.Setenv("https_proxy", "ftp://secret")
	if _, err := EnvironmentProxy("wss://example.com"); err == nil ||
		err.Error() != "environment: https_proxy: must begin with http://, https:// or socks5://" {
		t.Errorf("EnvironmentProxy: %v", err)
	}
	for _, proxy := range []string{"https://user:pass@secure:3129", "socks5://user:pass@secure", "socks5h://secure"} {
		t.Setenv("https_proxy", proxy)
		if one, err := EnvironmentProxy("wss://example.com"); err != nil || one.String() != proxy {
			t.Errorf("EnvironmentProxy: %v, %v, want %s", one, err, proxy)
		}
	}
}

// TestProxyOfDefaults: what defaults say about the proxy holds in place of the environment, and a probe wins.
func TestProxyOfDefaults(t *testing.T) {
	file := `defaults: {proxy_url: "https://all:3129"}
probes:
  - {name: a, url: "ws://example.com/"}
  - {name: b, url: "ws://example.com/", proxy_url: "socks5h://one"}
  - {name: c, url: "ws://example.com/", proxy_url: ""}
`
	config, err := loadWith(t, file, map[string]string{"HTTP_PROXY": "environment:3128"})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []*url.URL{{Scheme: "https", Host: "all:3129"}, {Scheme: "socks5h", Host: "one"}, nil} {
		if got := config.Probes[i].Spec.Proxy; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", config.Probes[i].Name, got, want)
		}
	}
}

func TestParseProxy(t *testing.T) {
	for _, text := range []string{"", "http://proxy", "socks5://user:pass@proxy:1080"} {
		if u, err := ParseProxy(text); err != nil || (u == nil) != (text == "") || u != nil && u.String() != text {
			t.Errorf("ParseProxy(%q) = %v, %v", text, u, err)
		}
	}
	for _, text := range []string{"proxy:3128", "proxy", "http://secret:secret@%zz", "http:proxy"} {
		if _, err := ParseProxy(text); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("ParseProxy(%q): %v", text, err)
		}
	}
}

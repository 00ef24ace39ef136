package config

import (
	"errors"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe"
)

// EnvironmentProxy returns the proxy of an endpoint by HTTP_PROXY (for ws://), HTTPS_PROXY (for wss://) and NO_PROXY,
// or nil for none. Their lower-case forms win. The error is an [*Error].
func EnvironmentProxy(endpoint string) (*url.URL, error) {
	r := yamltree.NewReport("")
	proxy := newProxies(r).of(endpoint)
	return proxy, errorOf(r)
}

// proxies tells which proxy the environment prescribes.
type proxies struct {
	report *yamltree.Report
	// rules decides as Go's own HTTP client does, on placeholders: it would silently drop
	// a proxy that it does not understand.
	rules  func(*url.URL) (*url.URL, error)
	byName map[string]proxySetting // by the host of the placeholder
}

type proxySetting struct {
	variable string
	url      *url.URL
	problem  string
}

func newProxies(r *yamltree.Report) *proxies {
	env := httpproxy.FromEnvironment()
	env.CGI = false // there is no request whose Proxy header could have become HTTP_PROXY
	p := &proxies{report: r, byName: make(map[string]proxySetting)}
	placeholder := func(value *string, variables ...string) {
		if *value == "" {
			return
		}
		setting := proxySetting{variable: variables[0]}
		if !isSet(variables[0]) {
			setting.variable = variables[1]
		}
		setting.url, setting.problem = variableProxy(*value)
		*value = "http://" + strings.ToLower(variables[1])
		p.byName[strings.ToLower(variables[1])] = setting
	}
	placeholder(&env.HTTPProxy, "http_proxy", "HTTP_PROXY")
	placeholder(&env.HTTPSProxy, "https_proxy", "HTTPS_PROXY")
	if len(p.byName) > 0 {
		p.rules = env.ProxyFunc()
	}
	return p
}

// of returns the proxy for a valid endpoint. A proxy that cannot be used is a fault once an endpoint needs it.
func (p *proxies) of(endpoint string) *url.URL {
	if p.rules == nil {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil
	}
	u.Scheme = strings.Replace(u.Scheme, "ws", "http", 1) // wss becomes https
	chosen, err := p.rules(u)
	if err != nil || chosen == nil {
		return nil
	}
	setting := p.byName[chosen.Host]
	if setting.problem != "" {
		p.report.Variable(setting.variable, "%s", setting.problem)
	}
	return setting.url
}

// ParseProxy reads the URL of a proxy as it stands in proxy_url: nil for "", which means none.
func ParseProxy(text string) (*url.URL, error) {
	u, problem := parseProxy(text)
	if problem != "" {
		return nil, errors.New(problem)
	}
	return u, nil
}

// parseProxy reads the URL of a proxy, nil for "". Its text is not repeated: it often holds a password. What is
// wrong with it beyond the syntax is for package probe to say.
func parseProxy(text string) (*url.URL, string) {
	if text == "" {
		return nil, ""
	}
	u, err := url.Parse(text)
	if err != nil || !strings.Contains(text, "://") {
		return nil, "must be the URL of a proxy: http://, https:// or socks5://, then host:port"
	}
	return u, ""
}

// variableProxy reads the proxy that a variable names.
func variableProxy(text string) (*url.URL, string) {
	if !strings.Contains(text, "://") {
		text = "http://" + text // as curl and Go's own HTTP client read it
	}
	u, problem := parseProxy(text)
	if problem != "" {
		return nil, problem
	}
	for _, f := range (probe.Spec{Opening: probe.Opening{URL: "ws://localhost", Proxy: u}}).Validate() {
		return nil, f.Problem
	}
	return u, ""
}

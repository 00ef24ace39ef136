package probe

import (
	"net/url"
	"slices"
	"strings"
)

// ProxySchemes are the schemes that Spec.Proxy can have.
func ProxySchemes() []string { return []string{"http", "https", "socks5", "socks5h"} }

// maxSOCKSCredential is the longest user name, and password, that SOCKS5 can carry (RFC 1929 2).
const maxSOCKSCredential = 255

// proxyFaults checks the URL of the proxy, and repeats no part of it.
func (o Opening) proxyFaults() []Fault {
	if o.Proxy == nil {
		return nil
	}
	var faults []Fault
	add := func(problem string) { faults = append(faults, Fault{Field: "Proxy", Problem: problem}) }
	scheme := strings.ToLower(o.Proxy.Scheme)
	if !slices.Contains(ProxySchemes(), scheme) || o.Proxy.Opaque != "" {
		add("must begin with http://, https:// or socks5://")
		return faults
	}
	for _, problem := range hostPortProblems(o.Proxy.Host) {
		add(problem)
	}
	if path := o.Proxy.Path; path != "" && path != "/" || o.Proxy.RawQuery != "" || o.Proxy.ForceQuery || o.Proxy.Fragment != "" {
		add("must have nothing after the host and port")
	}
	if problem := proxyUserProblem(o.Proxy.User, scheme); problem != "" {
		add(problem)
	}
	return faults
}

// proxyUserProblem names the fault of the credentials for a proxy. It is empty for good ones.
func proxyUserProblem(user *url.Userinfo, scheme string) string {
	if user == nil {
		return ""
	}
	name := user.Username()
	password, _ := user.Password()
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	switch {
	case strings.HasPrefix(scheme, "socks5"):
		if name == "" || password == "" || len(name) > maxSOCKSCredential || len(password) > maxSOCKSCredential {
			return "must have a user and a password of 1 to 255 bytes each, or none (RFC 1929 2)"
		}
	case strings.Contains(name, ":"):
		return "must have a user without a colon (RFC 7617 2)"
	case strings.ContainsFunc(name+password, control):
		return "must have a user and a password without control characters (RFC 7617 2)"
	}
	return ""
}

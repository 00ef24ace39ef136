package probe

import (
	"slices"
	"strings"
)

// ProxySchemes are the schemes that Spec.Proxy can have.
func ProxySchemes() []string { return []string{"http", "https", "socks5", "socks5h"} }

// maxSOCKSCredential is the longest user name, and password, that SOCKS5 can carry (RFC 1929 2).
const maxSOCKSCredential = 255

// proxyFaults checks the URL of the proxy, and repeats no part of it.
func (s Spec) proxyFaults() []Fault {
	if s.Proxy == nil {
		return nil
	}
	var faults []Fault
	add := func(problem string) { faults = append(faults, Fault{Field: "Proxy", Problem: problem}) }
	scheme := strings.ToLower(s.Proxy.Scheme)
	if !slices.Contains(ProxySchemes(), scheme) || s.Proxy.Opaque != "" {
		add("must begin with http://, https:// or socks5://")
		return faults
	}
	for _, problem := range hostPortProblems(s.Proxy.Host) {
		add(problem)
	}
	if path := s.Proxy.Path; path != "" && path != "/" || s.Proxy.RawQuery != "" || s.Proxy.ForceQuery || s.Proxy.Fragment != "" {
		add("must have nothing after the host and port")
	}
	if problem := proxyUserProblem(s, scheme); problem != "" {
		add(problem)
	}
	return faults
}

// proxyUserProblem says what is wrong with the credentials for a proxy, or nothing.
func proxyUserProblem(s Spec, scheme string) string {
	if s.Proxy.User == nil {
		return ""
	}
	name := s.Proxy.User.Username()
	password, _ := s.Proxy.User.Password()
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

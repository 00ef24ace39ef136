package probe

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/wsprobe/wsprobe/probe/internal/opening"
)

// routeFaults checks where the connection goes: a place to connect to, and an IP version that it can have.
func (s Spec) routeFaults() []Fault {
	if !slices.Contains(IPVersions(), s.IPVersion) {
		return []Fault{{Field: "IPVersion", Problem: notAmong(IPVersions(), s.IPVersion)}}
	}
	var faults []Fault
	if s.ConnectTo != "" {
		for _, problem := range connectToProblems(s.ConnectTo) {
			faults = append(faults, Fault{Field: "ConnectTo", Problem: problem})
		}
	}
	if len(faults) > 0 || s.Proxy != nil {
		return faults // with a proxy the version is that of the way to the proxy
	}
	to, field := s.ConnectTo, "ConnectTo"
	if to == "" {
		u, err := url.Parse(s.URL)
		if err != nil || len(urlProblems(s.URL)) > 0 {
			return nil
		}
		to, field = u.Host, "URL"
	}
	addr, err := netip.ParseAddr((&url.URL{Host: to}).Hostname())
	if err == nil && !opening.Allows(s.IPVersion.network(), addr) {
		faults = append(faults, Fault{Field: "IPVersion", Given: []string{field},
			Problem: fmt.Sprintf("must allow the address to connect to, which is not of version %s", s.IPVersion)})
	}
	return faults
}

// connectToProblems says what is wrong with a host:port.
func connectToProblems(to string) []string {
	if strings.LastIndexByte(to, ':') <= strings.LastIndexByte(to, ']') || strings.ContainsAny(to, "/?#@ ") {
		return []string{"must be host:port, an IPv6 address in brackets"}
	}
	return hostPortProblems(to)
}

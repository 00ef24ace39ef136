package probe

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/wsprobe/wsprobe/probe/internal/opening"
)

// routeFaults checks the place to connect to, and that the IP version allows it.
func (o Opening) routeFaults() []Fault {
	if !slices.Contains(IPVersions(), o.IPVersion) {
		return []Fault{{Field: "IPVersion", Problem: notAmong(IPVersions(), o.IPVersion)}}
	}
	var faults []Fault
	if o.ConnectTo != "" {
		for _, problem := range connectToProblems(o.ConnectTo) {
			faults = append(faults, Fault{Field: "ConnectTo", Problem: problem})
		}
	}
	if len(faults) > 0 || o.Proxy != nil || o.IPVersion == IPAny {
		return faults // with a proxy, the version is for the way to the proxy
	}
	to, field := o.ConnectTo, "ConnectTo"
	if to == "" {
		u, err := url.Parse(o.URL)
		if err != nil || len(urlProblems(o.URL)) > 0 {
			return nil
		}
		to, field = u.Host, "URL"
	}
	addr, err := netip.ParseAddr((&url.URL{Host: to}).Hostname())
	if err == nil && !opening.Allows(o.IPVersion.network(), addr) {
		faults = append(faults, Fault{Field: "IPVersion", Given: []string{field},
			Problem: fmt.Sprintf("must allow the address to connect to, which is not of version %s", o.IPVersion)})
	}
	return faults
}

// connectToProblems names the faults of a host:port.
func connectToProblems(to string) []string {
	if strings.LastIndexByte(to, ':') <= strings.LastIndexByte(to, ']') || strings.ContainsAny(to, "/?#@ ") {
		return []string{"must be host:port, an IPv6 address in brackets"}
	}
	return hostPortProblems(to)
}

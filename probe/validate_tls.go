package probe

import (
	"slices"
	"strings"

	"github.com/wsprobe/wsprobe/probe/internal/opening"
)

// tlsFaults checks that TLS is configured only where there is TLS, and offers nothing but what an upgrade needs.
func (s Spec) tlsFaults() []Fault {
	var faults []Fault
	if strings.HasPrefix(strings.ToLower(s.URL), "ws://") {
		const problem = "is not allowed: the url is not wss://"
		if toProxy := s.Proxy != nil && strings.EqualFold(s.Proxy.Scheme, "https"); s.TLS != nil && !toProxy {
			faults = append(faults, Fault{Field: "TLS", Given: []string{"URL", "Proxy"}, NotAllowed: true, Problem: problem})
		}
		if s.AnyServerName {
			faults = append(faults, Fault{Field: "AnyServerName", Given: []string{"URL"}, NotAllowed: true, Problem: problem})
		}
		return faults
	}
	if s.TLS != nil && slices.ContainsFunc(s.TLS.NextProtos, func(p string) bool { return p != opening.ALPN }) {
		faults = append(faults, Fault{Field: "TLS", Problem: "must offer no protocol but http/1.1 by ALPN: no other one has the upgrade of RFC 6455"})
	}
	return faults
}

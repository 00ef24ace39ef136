package probe

import (
	"slices"
	"strings"

	"github.com/wsprobe/wsprobe/probe/internal/opening"
)

// tlsFaults checks that only a wss:// URL or an https:// proxy has a configuration of TLS, and that ALPN offers
// HTTP/1.1 alone.
func (o Opening) tlsFaults() []Fault {
	var faults []Fault
	if strings.HasPrefix(strings.ToLower(o.URL), "ws://") {
		const problem = "is not allowed: the url is not wss://"
		if toProxy := o.Proxy != nil && strings.EqualFold(o.Proxy.Scheme, "https"); o.TLS != nil && !toProxy {
			faults = append(faults, Fault{Field: "TLS", Given: []string{"URL", "Proxy"}, NotAllowed: true, Problem: problem})
		}
		if o.AnyServerName {
			faults = append(faults, Fault{Field: "AnyServerName", Given: []string{"URL"}, NotAllowed: true, Problem: problem})
		}
		return faults
	}
	if o.TLS != nil && slices.ContainsFunc(o.TLS.NextProtos, func(p string) bool { return p != opening.ALPN }) {
		faults = append(faults, Fault{Field: "TLS", Problem: "must offer no protocol but http/1.1 by ALPN: no other one has the upgrade of RFC 6455"})
	}
	return faults
}

package probe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// dialNameServer opens a connection to a name server.
type dialNameServer func(ctx context.Context, network, address string) (net.Conn, error)

// lookupAddrs asks for the addresses of one family, "ip4" or "ip6".
type lookupAddrs func(ctx context.Context, network string) ([]netip.Addr, error)

// resolver returns the default of Spec.Resolve, which is Go's own: a lookup through the C library cannot be cancelled
// and would outlive its run. It does not wait for addresses that are not allowed.
func resolver(allowed IPVersion) func(ctx context.Context, host string) ([]netip.Addr, error) {
	return func(ctx context.Context, host string) ([]netip.Addr, error) {
		var dialer net.Dialer
		return resolve(ctx, host, allowed, dialer.DialContext)
	}
}

func resolve(ctx context.Context, host string, allowed IPVersion, dial dialNameServer) ([]netip.Addr, error) {
	if isLocalhost(host) {
		return loopback(allowed), nil
	}
	lookup := func(ctx context.Context, network string) ([]netip.Addr, error) {
		return resolveThrough(ctx, network, host, dial)
	}
	if allowed == IPAny {
		return resolveBoth(ctx, lookup)
	}
	addrs, err := lookup(ctx, "ip"+string(allowed))
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound { // the host, or just such an address of it: whoever asked tells that apart
		if others, _ := lookup(ctx, otherFamily[allowed]); len(others) > 0 {
			return others, nil
		}
	}
	return addrs, err
}

// isLocalhost reports whether a name means this machine: localhost and all names under it, which no name server is
// asked for and no hosts file overrides (RFC 6761 6.3).
func isLocalhost(host string) bool {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// loopback returns the addresses of this machine that are allowed.
func loopback(allowed IPVersion) []netip.Addr {
	addrs := []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	return slices.DeleteFunc(addrs, func(a netip.Addr) bool { return !allowed.allows(a) })
}

// secondFamilyDelay is how long the addresses of one family are waited for once those of the other are there
// (RFC 8305 3, the recommended value).
const secondFamilyDelay = 50 * time.Millisecond

// otherFamily is what to ask for where addresses of a version are not there.
var otherFamily = map[IPVersion]string{IPv4: "ip6", IPv6: "ip4"}

// resolveBoth looks the addresses of both families up side by side. A resolver that never answers for one of them
// does not keep the other from being used; package net would wait for it until the deadline. No lookup is left
// when it returns. If both fail, the error is that of the IPv4 lookup.
func resolveBoth(ctx context.Context, lookup lookupAddrs) ([]netip.Addr, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		addrs []netip.Addr
		err   error
	}
	six, four := make(chan answer, 1), make(chan answer, 1)
	ask := func(network string, to chan<- answer) {
		addrs, err := lookup(ctx, network)
		to <- answer{addrs, err}
	}
	go ask("ip6", six)
	go ask("ip4", four)
	var found, answer6, answer4 answer
	for range 2 {
		select {
		case answer6 = <-six:
			found = answer6
		case answer4 = <-four:
			found = answer4
		}
		if len(found.addrs) > 0 {
			defer time.AfterFunc(secondFamilyDelay, cancel).Stop()
		}
	}
	if addrs := slices.Concat(answer6.addrs, answer4.addrs); len(addrs) > 0 {
		return addrs, nil
	}
	var dns *net.DNSError
	if errors.As(answer4.err, &dns) && dns.IsNotFound {
		return nil, answer6.err // a failure says more than "no such address"; if this is none, both say the same
	}
	return nil, answer4.err
}

// resolveThrough looks a host up over connections to name servers that end with the context. Left to itself,
// package net goes on for some 20 s after the caller has gone, in case another one asks for the same name.
func resolveThrough(ctx context.Context, network, host string, dial dialNameServer) ([]netip.Addr, error) {
	resolver := net.Resolver{PreferGo: true, Dial: func(attempt context.Context, network, address string) (net.Conn, error) {
		dialing, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(attempt, cancel)()
		conn, err := dial(dialing, network, address)
		if err == nil {
			context.AfterFunc(ctx, func() { _ = conn.Close() })
		}
		return conn, err
	}}
	return resolver.LookupNetIP(ctx, network, host)
}

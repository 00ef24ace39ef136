package opening

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// DialNameServer opens a connection to a name server.
type DialNameServer func(ctx context.Context, network, address string) (net.Conn, error)

// lookupAddrs asks for the addresses of one family, "ip4" or "ip6".
type lookupAddrs func(ctx context.Context, network string) ([]netip.Addr, error)

// defaultResolver is [Resolve] with the dialer of package net.
func defaultResolver(network string) func(ctx context.Context, host string) ([]netip.Addr, error) {
	return func(ctx context.Context, host string) ([]netip.Addr, error) {
		var dialer net.Dialer
		return Resolve(ctx, network, host, dialer.DialContext)
	}
}

// Resolve looks a host up in a network, "ip", "ip4" or "ip6". It asks name servers over connections of the dialer. It
// uses Go's own resolver, because a lookup through the C library cannot be cancelled and would outlive its run.
//
// It does not wait for addresses outside the network. It returns them only if there are no others, so that the caller
// can tell a host without such an address from an unknown host.
func Resolve(ctx context.Context, network, host string, dial DialNameServer) ([]netip.Addr, error) {
	if isLocalhost(host) {
		return loopback(network), nil
	}
	lookup := func(ctx context.Context, network string) ([]netip.Addr, error) {
		return resolveThrough(ctx, network, host, dial)
	}
	other, single := otherNetwork[network]
	if !single {
		return resolveBoth(ctx, lookup)
	}
	addrs, err := lookup(ctx, network)
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound { // the host, or just such an address of it
		if others, _ := lookup(ctx, other); len(others) > 0 {
			return others, nil
		}
	}
	return addrs, err
}

// isLocalhost reports whether a name means this machine: localhost, or any name under it. No name server is asked for
// these, and no hosts file overrides them (RFC 6761 6.3).
func isLocalhost(host string) bool {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// loopback returns the addresses of this machine in a network.
func loopback(network string) []netip.Addr {
	addrs := []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	return slices.DeleteFunc(addrs, func(a netip.Addr) bool { return !Allows(network, a) })
}

// secondFamilyDelay is how long a lookup waits for one family once the addresses of the other are there (RFC 8305 3,
// the recommended value).
const secondFamilyDelay = 50 * time.Millisecond

// otherNetwork is the network to ask if that of one family has no address.
var otherNetwork = map[string]string{"ip4": "ip6", "ip6": "ip4"}

// resolveBoth looks the addresses of both families up side by side. A resolver that never answers for one family does
// not delay the other; package net would wait until the deadline. No lookup is left when it returns. If both fail, the
// error is that of the IPv4 lookup.
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
		return nil, answer6.err // a failure says more than "no such address"; without one, both errors say the same
	}
	return nil, answer4.err
}

// resolveThrough looks a host up over connections to name servers that end with the context. By itself, package net
// goes on for some 20 s after the caller has gone, in case another caller asks for the same name.
func resolveThrough(ctx context.Context, network, host string, dial DialNameServer) ([]netip.Addr, error) {
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

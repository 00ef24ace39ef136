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

// attemptDelay is how long a connection attempt has for itself before the next address is tried beside it
// (RFC 8305 5, the recommended value).
const attemptDelay = 250 * time.Millisecond

// defaultResolve is Go's own: a lookup through the C library cannot be cancelled and would outlive its run.
func defaultResolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if strings.EqualFold(host, "localhost.") { // no name for a server, dot or not (RFC 6761 6.3)
		host = "localhost"
	}
	var dialer net.Dialer
	return resolveBoth(ctx, func(ctx context.Context, network string) ([]netip.Addr, error) {
		return resolveThrough(ctx, network, host, dialer.DialContext)
	})
}

// secondFamilyDelay is how long the addresses of one family are waited for once those of the other are there
// (RFC 8305 3, the recommended value).
const secondFamilyDelay = 50 * time.Millisecond

// resolveBoth looks the addresses of both families up side by side. A resolver that never answers for one of them
// does not keep the other from being used; package net would wait for it until the deadline. No lookup is left
// when it returns. If both fail, the error is that of the IPv4 lookup.
func resolveBoth(ctx context.Context, lookup func(ctx context.Context, network string) ([]netip.Addr, error)) ([]netip.Addr, error) {
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
func resolveThrough(ctx context.Context, network, host string, dial func(ctx context.Context, network, address string) (net.Conn, error)) ([]netip.Addr, error) {
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

func defaultDial(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	dialer := net.Dialer{KeepAlive: -1} // no run lives long enough for a keep-alive
	return dialer.DialContext(ctx, "tcp", addr.String())
}

type dialFunc func(ctx context.Context, addr netip.AddrPort) (net.Conn, error)

// attempt is one try to connect to one address.
type attempt struct {
	conn    net.Conn
	started time.Time
	err     error
}

// dialFirst connects to the first address that answers. They are tried in order; the next one starts when
// the one before failed or has had attemptDelay, and the others stop when one wins (RFC 8305, Happy
// Eyeballs). When all fail, the first failure is returned. No attempt is left when it returns.
func dialFirst(ctx context.Context, addrs []netip.AddrPort, dial dialFunc) attempt {
	if len(addrs) == 1 {
		started := time.Now()
		conn, err := dial(ctx, addrs[0])
		return attempt{conn, started, err}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan attempt)
	launch := func(addr netip.AddrPort) {
		started := time.Now()
		conn, err := dial(ctx, addr)
		results <- attempt{conn, started, err}
	}
	next := time.NewTimer(0)
	defer next.Stop()
	var (
		best    attempt
		running int
	)
	for running > 0 || len(addrs) > 0 {
		select {
		case <-next.C:
			if len(addrs) == 0 {
				continue
			}
			go launch(addrs[0])
			addrs = addrs[1:]
			running++
			next.Reset(attemptDelay)
		case a := <-results:
			running--
			switch {
			case a.err == nil && best.conn == nil:
				best, addrs = a, nil
				cancel()
			case a.err == nil:
				_ = a.conn.Close() // lost the race by a hair
			case best.err == nil && best.conn == nil:
				best = a
				next.Reset(0)
			default:
				next.Reset(0)
			}
		}
	}
	return best
}

// interleave orders addresses so that the families take turns, beginning with the one that the resolver
// put first (RFC 8305 4).
func interleave(addrs []netip.Addr, port uint16) []netip.AddrPort {
	var first, second []netip.AddrPort
	for _, a := range addrs {
		a = a.Unmap()
		if a.Is4() == addrs[0].Unmap().Is4() {
			first = append(first, netip.AddrPortFrom(a, port))
		} else {
			second = append(second, netip.AddrPortFrom(a, port))
		}
	}
	out := make([]netip.AddrPort, 0, len(addrs))
	for i := range max(len(first), len(second)) {
		if i < len(first) {
			out = append(out, first[i])
		}
		if i < len(second) {
			out = append(out, second[i])
		}
	}
	return out
}

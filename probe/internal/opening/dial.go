package opening

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// attemptDelay is how long a connection attempt has before the next address is tried beside it (RFC 8305 5, the
// recommended value).
const attemptDelay = 250 * time.Millisecond

func defaultDial(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	dialer := net.Dialer{KeepAlive: -1} // no run lives long enough for a keep-alive
	return dialer.DialContext(ctx, "tcp", addr.String())
}

// until is a context whose deadline ends the waits of package net, which ask for it. Its Done does not know the
// deadline, so it needs neither a timer nor a place among the children of its parent.
type until struct {
	context.Context
	deadline time.Time
}

func (u until) Deadline() (time.Time, bool) {
	if earlier, ok := u.Context.Deadline(); ok && earlier.Before(u.deadline) {
		return earlier, true
	}
	return u.deadline, true
}

type dialFunc func(ctx context.Context, addr netip.AddrPort) (net.Conn, error)

// connecting is how one try to connect to one address ended.
type connecting struct {
	conn    net.Conn
	started time.Time
	err     error
}

// dialFirst connects to the first address that answers (RFC 8305, Happy Eyeballs). It tries them in order: the next one
// starts when the one before has failed or has had attemptDelay, and one that wins stops the others. If all fail, it
// returns the first failure. No attempt is left when it returns.
func dialFirst(ctx context.Context, addrs []netip.AddrPort, dial dialFunc) connecting {
	if len(addrs) == 1 {
		started := time.Now()
		conn, err := dial(ctx, addrs[0])
		return connecting{conn, started, err}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan connecting)
	launch := func(addr netip.AddrPort) {
		started := time.Now()
		conn, err := dial(ctx, addr)
		results <- connecting{conn, started, err}
	}
	next := time.NewTimer(0)
	defer next.Stop()
	var (
		best    connecting
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
				_ = a.conn.Close() // it lost the race by a hair
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

// interleave orders addresses so that the families take turns (RFC 8305 4). The family that the resolver put first
// begins.
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

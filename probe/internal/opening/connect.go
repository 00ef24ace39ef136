package opening

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/probe/internal/tcp"
	"github.com/wsprobe/wsprobe/reasons"
)

// connect looks the host up and opens the TCP connection, to the proxy if there is one.
func (a *Attempt) connect(ctx context.Context) error {
	dialing := context.Context(until{ctx, a.Deadline})
	to := &a.opener.dialed
	if a.opener.proxy != nil {
		to = &a.opener.proxy.target
	}
	addrs := []netip.Addr{to.addr}
	if !to.addr.IsValid() || !a.opener.plain { // others are asked that know no deadline but that of Done
		var cancel context.CancelFunc
		dialing, cancel = context.WithDeadline(ctx, a.Deadline)
		defer cancel()
	}
	if !to.addr.IsValid() {
		var err error
		if addrs, err = a.lookUp(dialing, to.host); err != nil {
			return a.viaProxy(err)
		}
	}
	a.enter(reasons.StageConnect, Connect)
	places := interleave(addrs, to.port)
	if err := a.opener.permitted(&places); err != nil {
		return err
	}
	won := dialFirst(dialing, places, a.opener.dial)
	if won.err != nil {
		return a.viaProxy(won.err)
	}
	a.Spans[Connect].Start = won.started.Sub(a.Started)
	a.Conn = tcp.New(won.conn)
	a.Conn.SetEnd(a.Deadline)
	a.watch(ctx)
	return nil
}

// lookUp returns the addresses of a host that may be connected to, one at least.
func (a *Attempt) lookUp(ctx context.Context, host string) ([]netip.Addr, error) {
	a.enter(reasons.StageDNS, DNS)
	network := a.opener.network
	addrs, err := a.opener.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	addrs = slices.DeleteFunc(slices.Clone(addrs), func(addr netip.Addr) bool { return !Allows(network, addr) })
	if len(addrs) == 0 {
		version := cmp.Or(strings.TrimPrefix(network, "ip"), "any")
		return nil, &net.DNSError{Err: "no address of IP version " + version, Name: host}
	}
	a.leave(time.Now())
	return addrs, nil
}

// permitted removes the places that must not be connected to. Its error is that of the first one if none is left. The
// addresses of a proxy are not the endpoint's, and are not asked for: in their place the endpoint's own is, if it has one.
func (o *Opener) permitted(places *[]netip.AddrPort) error {
	if o.permit == nil {
		return nil
	}
	asked := places
	if o.proxy != nil {
		if !o.dialed.addr.IsValid() {
			return nil
		}
		asked = &[]netip.AddrPort{netip.AddrPortFrom(o.dialed.addr, o.dialed.port)}
	}
	var first error
	*asked = slices.DeleteFunc(*asked, func(place netip.AddrPort) bool {
		err := o.permit(place)
		if first == nil {
			first = err
		}
		return err != nil
	})
	if len(*asked) == 0 {
		return &frame.Breach{Type: reasons.AddressNotPermitted, About: say.Sentence("%s", first)}
	}
	return nil
}

// viaProxy marks a failure to reach the proxy, unless time ran out: it is not the endpoint's.
func (a *Attempt) viaProxy(err error) error {
	if a.opener.proxy != nil && time.Now().Before(a.Deadline) {
		return &frame.Breach{Type: reasons.Proxy, About: say.Sentence("proxy: %s", err)}
	}
	return err
}

// watch aborts the connection when the context ends, until Close calls unwatch, which leaves nothing behind.
func (a *Attempt) watch(ctx context.Context) {
	conn, done := a.Conn, make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		conn.Abort()
		close(done)
	})
	a.unwatch = func() {
		if !stop() {
			<-done
		}
	}
}

package metrics

import (
	"log/slog"
	"net/netip"
)

// Peer returns the attributes of the other end of the TCP connection; none without one.
func (o Observation) Peer() []Attribute {
	if _, ok := peer(&o); !ok {
		return nil
	}
	return []Attribute{
		{Key: KeyPeerAddress, Value: peerAddress(&o)}, {Key: KeyPeerPort, Value: peerPort(&o)},
		{Key: KeyNetworkType, Value: peerFamily(&o)},
	}
}

// peer returns the other end of the TCP connection, if there was one.
func peer(o *Observation) (netip.AddrPort, bool) {
	at, err := netip.ParseAddrPort(o.Result.Peer)
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), err == nil
}

func peerAddress(o *Observation) slog.Value {
	at, ok := peer(o)
	return known(ok, slog.StringValue(at.Addr().String()))
}

func peerPort(o *Observation) slog.Value {
	at, ok := peer(o)
	return known(ok, slog.IntValue(int(at.Port())))
}

func peerFamily(o *Observation) slog.Value {
	at, ok := peer(o)
	if at.Addr().Is4() {
		return slog.StringValue("ipv4")
	}
	return known(ok, slog.StringValue("ipv6"))
}

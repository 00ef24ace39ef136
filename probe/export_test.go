package probe

import (
	"context"
	"net"
	"net/netip"
)

// ResolveThrough is the default resolver with the way to its name servers as a parameter.
func ResolveThrough(ctx context.Context, host string, allowed IPVersion, dial func(ctx context.Context, network, address string) (net.Conn, error)) ([]netip.Addr, error) {
	return resolve(ctx, host, allowed, dial)
}

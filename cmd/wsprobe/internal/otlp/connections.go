package otlp

import (
	"context"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"
)

// connections are the open connections to a receiver. A connection can be stuck: it is alive for TCP and answers pings,
// but requests on it get no answer. HTTP/2 would use it for ever, although a new one can work. So it is closed, and the
// next request opens another.
type connections struct {
	mu   sync.Mutex
	open map[*connection]bool
}

// connection is one of them.
type connection struct {
	net.Conn          // as the protocol uses it
	raw      net.Conn // below TLS
	since    time.Time
	forget   func()
}

// Close closes the connection.
func (c *connection) Close() error {
	c.forget()
	return c.Conn.Close()
}

// add notes a connection and returns it as the protocol must use it.
func (s *connections) add(used, raw net.Conn) net.Conn {
	c := &connection{Conn: used, raw: raw, since: time.Now()}
	c.forget = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, c)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = make(map[*connection]bool)
	}
	s.open[c] = true
	return c
}

// breakOff closes the connection with a local address, or all connections if the address is empty, after a request had
// no answer within a timeout. A young connection stays: the request has waited for it, and left it too little time for
// an answer.
func (s *connections) breakOff(local string, timeout time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		if time.Since(c.since) < timeout/2 || local != "" && c.LocalAddr().String() != local {
			continue
		}
		if tcp, ok := c.raw.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // the kernel would keep the bytes that the receiver does not take
		}
		_ = c.raw.Close() // TLS would send its closing alert first, and wait for that
		delete(s.open, c)
	}
}

// dialer opens a connection.
type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

// dialing returns a dialer that notes its connections.
func (s *connections) dialing(dial dialer) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return s.add(conn, conn), nil
	}
}

// notedCredentials note the connections of gRPC. A dialer of our own could do so, too. But with one gRPC ignores the
// proxy variables, and sets no timeout for data that nobody acknowledges.
type notedCredentials struct {
	credentials.TransportCredentials
	connections *connections
}

// ClientHandshake notes a connection whose handshake succeeds.
func (n notedCredentials) ClientHandshake(
	ctx context.Context, authority string, raw net.Conn,
) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := n.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if err != nil {
		return nil, nil, err
	}
	return n.connections.add(conn, raw), info, nil
}

// Clone returns credentials for the same connections.
func (n notedCredentials) Clone() credentials.TransportCredentials {
	return notedCredentials{n.TransportCredentials.Clone(), n.connections}
}

package e2e

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// relay stands in front of servers that replace one another, as a load balancer for TCP does in a deploy. It passes on
// bytes and the end of each direction.
type relay struct {
	addr string
	to   atomic.Value // the address of the server for new connections
}

func startRelay(t *testing.T, to string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{addr: l.Addr().String()}
	r.to.Store(to)
	var open sync.Map
	var done sync.WaitGroup
	done.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", r.to.Load().(string))
			if err != nil {
				client.Close()
				continue
			}
			open.Store(client, nil)
			open.Store(server, nil)
			done.Go(func() { pass(client, server) })
			done.Go(func() { pass(server, client) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		open.Range(func(conn, _ any) bool { return conn.(net.Conn).Close() != nil || true })
		done.Wait()
	})
	return r
}

// pass copies one direction and then ends it.
func pass(from, to net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.(*net.TCPConn).CloseWrite()
}

package bare_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/bare"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestBoundOfMessage holds that a message has one bound, however many writes it takes: a server that reads ever so slowly
// does not stretch it. The next message has one of its own.
func TestBoundOfMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate = 64 << 10 // bytes a second
		var serving sync.WaitGroup
		defer serving.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		dial := func(_ context.Context, addr netip.AddrPort) (net.Conn, error) {
			client, server := wstest.Pipe(addr)
			serving.Go(func() {
				r := bufio.NewReader(server)
				req, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				_, _ = io.WriteString(server, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
					"Sec-WebSocket-Accept: "+wstest.AcceptKey(req.Header.Get("Sec-WebSocket-Key"))+"\r\n\r\n")
				for ctx.Err() == nil {
					time.Sleep(time.Second / 4)
					if _, err := io.CopyN(io.Discard, r, rate/4); err != nil {
						return
					}
				}
			})
			return client, nil
		}
		p, err := probe.New(probe.Spec{Opening: probe.Opening{URL: "ws://192.0.2.1/", Dial: dial}})
		if err != nil {
			t.Fatal(err)
		}
		c, _, _, err := bare.Open(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Until(time.Time{})
		c.BoundWrites(10 * time.Second)
		for range 4 { // 16 s in all
			if err := c.Queue(false, make([]byte, 4*rate)); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		if err := c.Queue(false, make([]byte, 16*rate)); !bare.TimedOut(err) || time.Since(began) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

package probe_test

import (
	"net/url"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestMemoryStaysFlat runs what tries to fill the agent's memory, one at a time, and watches the heap.
func TestMemoryStaysFlat(t *testing.T) {
	chunk := strings.Repeat("x", 16<<10)
	greedy := func(c *wstest.Conn) { c.Accept(); c.Message() }
	for name, script := range map[string]wstest.Script{
		"frame of 1 GiB": func(c *wstest.Conn) {
			greedy(c)
			c.Raw(wstest.Frame{Opcode: 2, Announce: 1 << 30}.Bytes())
			c.Flood(chunk)
		},
		"endless fragments": func(c *wstest.Conn) {
			greedy(c)
			c.Send(wstest.Frame{Opcode: wstest.OpBinary, More: true})
			c.Flood(wstest.Frame{Payload: chunk, More: true}.Bytes())
		},
		"other messages": wstest.Flood("something else"),
		"other messages of 1 MiB": func(c *wstest.Conn) {
			greedy(c)
			c.Flood(wstest.Text(strings.Repeat("x", 1<<20)).Bytes())
		},
		"pings": func(c *wstest.Conn) {
			greedy(c)
			c.Flood(strings.Repeat(wstest.Ping("x").Bytes(), 1000))
		},
		"flood at open": func(c *wstest.Conn) { c.Accept(); c.Flood(wstest.Text(chunk).Bytes()) },
		"flood at close": func(c *wstest.Conn) {
			greedy(c)
			c.Send(wstest.Text(pong))
			c.Flood(wstest.Text(chunk).Bytes())
		},
		"header lines": func(c *wstest.Conn) {
			c.Request()
			c.Raw("HTTP/1.1 101 x\r\n")
			c.Flood("X: " + chunk + "\r\n")
		},
		"one header line": func(c *wstest.Conn) { c.Request(); c.Raw("HTTP/1.1 101 x\r\nX: "); c.Flood(chunk) },
		"body": func(c *wstest.Conn) {
			c.Request()
			c.Raw("HTTP/1.1 500 x\r\n\r\n")
			c.Flood(chunk)
		},
		"chunk extensions": func(c *wstest.Conn) {
			c.Request()
			c.Raw("HTTP/1.1 500 x\r\nTransfer-Encoding: chunked\r\n\r\n1;")
			c.Flood(chunk)
		},
	} {
		t.Run(name, func(t *testing.T) { staysFlat(t, script, nil) })
	}
}

// TestMemoryOfCompression is the same for what a little can be inflated to, and for what proxies say.
func TestMemoryOfCompression(t *testing.T) {
	bomb, most := wstest.Compressed(wstest.Bomb(512)), deflated(strings.Repeat(" ", 1<<20))
	agreed := func(answer func(*wstest.Conn)) wstest.Script {
		return func(c *wstest.Conn) { c.Accept(wstest.Deflate); c.Message(); answer(c) }
	}
	for name, script := range map[string]wstest.Script{
		"bomb":          agreed(func(c *wstest.Conn) { c.Send(bomb); c.Watch() }),
		"bombs at open": func(c *wstest.Conn) { c.Accept(wstest.Deflate); c.Flood(bomb.Bytes()) },
		"flood":         agreed(func(c *wstest.Conn) { c.Flood(wstest.Compressed(most).Bytes()) }),
		"flood at open": func(c *wstest.Conn) { c.Accept(wstest.Deflate); c.Flood(wstest.Compressed(most).Bytes()) },
		"empty messages": agreed(func(c *wstest.Conn) {
			c.Flood(strings.Repeat(wstest.Compressed("\x00").Bytes(), 1000))
		}),
		"flood at close": agreed(func(c *wstest.Conn) {
			c.Send(wstest.Text(pong))
			c.Flood(strings.Repeat(wstest.Compressed("\x00").Bytes(), 1000))
		}),
		"tables": agreed(func(c *wstest.Conn) {
			c.Flood(wstest.Compressed(strings.Repeat(deflated(noise(200)), 1000)).Bytes())
		}),
	} {
		t.Run(name, func(t *testing.T) { staysFlat(t, script, offering) })
	}
	for name, script := range map[string]wstest.Script{
		"proxy's header lines": func(c *wstest.Conn) {
			c.Request()
			c.Raw("HTTP/1.1 200 x\r\n")
			c.Flood("X: " + strings.Repeat("x", 16<<10) + "\r\n")
		},
		"proxy's refusal": func(c *wstest.Conn) {
			c.Request()
			c.Raw("HTTP/1.1 407 x\r\n\r\n")
			c.Flood(strings.Repeat("x", 16<<10))
		},
	} {
		t.Run(name, func(t *testing.T) {
			staysFlat(t, script, func(s *probe.Spec, srv *wstest.Server) {
				s.Proxy = &url.URL{Scheme: "http", Host: srv.Addr().String()}
			})
		})
	}
}

// staysFlat runs a round trip against a script and watches the memory that is in use, the endpoint's part in it included.
func staysFlat(t *testing.T, script wstest.Script, change func(*probe.Spec, *wstest.Server)) {
	t.Helper()
	s := wstest.Start(script)
	defer s.Close()
	spec := probe.Spec{Opening: probe.Opening{URL: s.URL}, Interpretation: probe.RoundTripLatency, Timeout: 600 * ms,
		Send: ping, Expect: want}
	if change != nil {
		change(&spec, s)
	}
	p, err := probe.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	before, stop, peak := inUse(), make(chan struct{}), make(chan uint64)
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		most := before
		for {
			select {
			case <-tick.C:
				most = max(most, inUse())
			case <-stop:
				peak <- most
				return
			}
		}
	}()
	if _, err := p.Run(t.Context()); err != nil {
		t.Error(err)
	}
	close(stop)
	if most := <-peak; most > before+32<<20 {
		t.Errorf("the memory in use grew by %d KiB", (most-before)>>10)
	}
}

// inUse returns the bytes that a collection finds in use. The size of the heap would not do, because it has the garbage,
// too: where other processes take the processors, the collector falls behind, and the runtime lets the heap grow.
func inUse() uint64 {
	runtime.GC()
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return live[0].Value.Uint64()
}

package probe_test

import (
	"runtime"
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
		"other messages":          wstest.Flood("something else"),
		"other messages of 1 MiB": func(c *wstest.Conn) { greedy(c); c.Flood(wstest.Text(strings.Repeat("x", 1<<20)).Bytes()) },
		"pings":                   func(c *wstest.Conn) { greedy(c); c.Flood(strings.Repeat(wstest.Ping("x").Bytes(), 1000)) },
		"flood at open":           func(c *wstest.Conn) { c.Accept(); c.Flood(wstest.Text(chunk).Bytes()) },
		"flood at close":          func(c *wstest.Conn) { greedy(c); c.Send(wstest.Text(pong)); c.Flood(wstest.Text(chunk).Bytes()) },
		"header lines":            func(c *wstest.Conn) { c.Request(); c.Raw("HTTP/1.1 101 x\r\n"); c.Flood("X: " + chunk + "\r\n") },
		"one header line":         func(c *wstest.Conn) { c.Request(); c.Raw("HTTP/1.1 101 x\r\nX: "); c.Flood(chunk) },
		"body":                    func(c *wstest.Conn) { c.Request(); c.Raw("HTTP/1.1 500 x\r\n\r\n"); c.Flood(chunk) },
		"chunk extensions": func(c *wstest.Conn) {
			c.Request()
			c.Raw("HTTP/1.1 500 x\r\nTransfer-Encoding: chunked\r\n\r\n1;")
			c.Flood(chunk)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := wstest.Start(script)
			defer s.Close()
			p, err := probe.New(probe.Spec{URL: s.URL, Interpretation: probe.RoundTripLatency, Timeout: brief, Send: ping, Expect: want})
			if err != nil {
				t.Fatal(err)
			}
			runtime.GC()
			before, stop, peak := heap(), make(chan struct{}), make(chan uint64)
			go func() {
				tick := time.NewTicker(5 * time.Millisecond)
				defer tick.Stop()
				most := uint64(0)
				for {
					select {
					case <-tick.C:
						most = max(most, heap())
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
				t.Errorf("the heap grew by %d KiB", (most-before)>>10)
			}
		})
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

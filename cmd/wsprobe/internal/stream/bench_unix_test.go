//go:build unix

package stream

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/probe/shape"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// sink is an endpoint that reads as little as it can: it answers Pings, and counts messages.
type sink struct {
	listener net.Listener
	messages atomic.Int64
}

func newSink(b *testing.B) *sink {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := &sink{listener: l}
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(c)
		}
	}()
	return s
}

func (s *sink) url() string { return "ws://" + s.listener.Addr().String() + "/" }

func (s *sink) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	r := bufio.NewReaderSize(c, 256<<10)
	req, err := http.ReadRequest(r)
	if err != nil {
		return
	}
	_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
		wstest.AcceptKey(req.Header.Get("Sec-WebSocket-Key"))+"\r\n\r\n")
	for {
		head, err := r.Peek(2)
		if err != nil {
			return
		}
		opcode, size, more := head[0]&0xf, int(head[1]&0x7f), 0
		if size >= 126 {
			more = map[int]int{126: 2, 127: 8}[size]
			if head, err = r.Peek(2 + more); err != nil {
				return
			}
			size = 0
			for _, b := range head[2:] {
				size = size<<8 | int(b)
			}
		}
		_, _ = r.Discard(2 + more)
		if opcode != wstest.OpPing {
			if _, err := r.Discard(4 + size); err != nil {
				return
			}
			s.messages.Add(1)
			continue
		}
		ping := make([]byte, 4+size)
		if _, err := io.ReadFull(r, ping); err != nil {
			return
		}
		for i := range size {
			ping[4+i] ^= ping[i%4]
		}
		_, _ = c.Write(append([]byte{0x8a, byte(size)}, ping[4:]...))
	}
}

// cpuTime is the user and system time of this process so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // of itself, which is always allowed
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// metered runs a function between two looks at the time of the processors. It is that of both sides, because both run
// here.
func metered(b *testing.B, f func()) {
	b.ReportAllocs()
	before := cpuTime()
	b.ResetTimer()
	f()
	b.StopTimer()
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/event")
}

// BenchmarkEvents is the cost of an event of 300 bytes from Observe to its proof, beside a loop by hand. An event waits
// until no more than some thousands are on their way, so that ns/op has idle time in it.
func BenchmarkEvents(b *testing.B) {
	for name, change := range map[string]func(*Options){
		"written":                func(o *Options) { o.Acknowledgements = Written },
		"pong":                   func(*Options) {},
		"pong in batches of 100": func(o *Options) { o.Batch.Events = 100 },
		"pong with a disk":       func(o *Options) { o.Buffer.Dir = b.TempDir() },
	} {
		b.Run(name, func(b *testing.B) {
			s := newSink(b)
			o := Options{Name: "wall", Opening: probe.Opening{URL: s.url()}, Timeout: 5 * sec,
				Encoder: encoder(b, shape.JSON), Batch: Batch{Events: 1, Bytes: 1 << 20, Linger: 10 * ms}, PingTimeout: 10 * sec, WriteTimeout: 10 * sec,
				Acknowledgements: Pong, Reconnect: session.Reconnect{Min: 500 * ms, Max: 60 * sec}, Drain: time.Minute}
			change(&o)
			o.Buffer.MaxBytes = 1 << 30
			stream, err := New(o)
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(b.Context())
			done := make(chan struct{})
			go func() { defer close(done); stream.Run(ctx) }()
			e := occurrence("checkout", strings.Repeat("x", 270))
			for stream.State().Open == 0 {
				time.Sleep(ms)
			}
			metered(b, func() {
				for i := range b.N {
					for i%1000 == 999 && i-int(stream.Counts().Sent) > 5000 {
						time.Sleep(ms)
					}
					stream.Observe(e)
				}
				cancel()
				<-done
			})
			if c := stream.Counts(); c.Sent != int64(b.N) {
				b.Errorf("%+v", c)
			}
		})
	}
	b.Run("by hand", func(b *testing.B) {
		s := newSink(b)
		c, _, err := websocket.Dial(b.Context(), s.url(), nil)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = c.CloseNow() }()
		c.CloseRead(b.Context())
		e := struct {
			ID, Probe string
			Replay    int
		}{strings.Repeat("x", 270), "checkout", 0}
		metered(b, func() {
			for range b.N {
				text, _ := json.Marshal(e)
				if err := c.Write(b.Context(), websocket.MessageText, text); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

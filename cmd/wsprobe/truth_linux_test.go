package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/scheduler"
)

// BenchmarkTruth compares the round trips that probes report with those of a packet capture on lo: what is reported beyond
// the time from the packet with the message to the packet with the reply is the agent's own share. An iteration is a second
// of probes. It needs the rights to capture, with a buffer of any size (CAP_NET_RAW and CAP_NET_ADMIN).
func BenchmarkTruth(b *testing.B) {
	address, port := truthful(b)
	for _, rate := range []int{50, 500, 2000, 4000} {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			wire := startCapture(b, port)
			reported := roundTrips(b, address, rate)
			var shares []time.Duration
			for port, trips := range wire.stop() {
				if own, ok := reported[port]; ok && !trips[0].replied.IsZero() {
					shares = append(shares, own-trips[0].replied.Sub(trips[0].sent))
				}
			}
			reportShares(b, shares, len(reported))
		})
	}
}

// BenchmarkPongTruth is BenchmarkTruth for the Pongs of sessions that are held.
func BenchmarkPongTruth(b *testing.B) {
	address, port := truthful(b)
	for _, many := range []int{10, 200, 1000} {
		b.Run(fmt.Sprint(many), func(b *testing.B) {
			wire := startCapture(b, port)
			reported, total := pongs(b, address, many)
			var shares []time.Duration
			for port, trips := range wire.stop() {
				for i, own := range reported[port] {
					if i < len(trips) && !trips[i].replied.IsZero() {
						shares = append(shares, own-trips[i].replied.Sub(trips[i].sent))
					}
				}
			}
			reportShares(b, shares, total)
		})
	}
}

// truthful starts an endpoint, and has the kernel time all that comes.
func truthful(b *testing.B) (address string, port int) {
	address = spawn(b, []string{"SCHEME=ws"}, "endpoint").line(b)
	endpoint, err := url.Parse(address)
	if err != nil {
		b.Fatal(err)
	}
	if port, err = strconv.Atoi(endpoint.Port()); err != nil {
		b.Fatal(err)
	}
	release, err := probe.KeepKernelClock()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(release)
	return address, port
}

// reportShares reports the agent's own shares in so many round trips.
func reportShares(b *testing.B, shares []time.Duration, total int) {
	if len(shares) == 0 || len(shares) < total*9/10 {
		b.Fatalf("%d of %d round trips were captured", len(shares), total)
	}
	slices.Sort(shares)
	for _, q := range []float64{0.5, 0.99} {
		share := shares[int(q*float64(len(shares)-1))]
		b.ReportMetric(float64(share)/float64(time.Microsecond), fmt.Sprintf("p%d-µs", int(100*q)))
	}
	b.ReportMetric(0, "ns/op")
}

// pongs holds so many sessions, each with a Ping a second, and returns the round trips that they report, by the port from
// which they connected and in order, with their number.
func pongs(b *testing.B, address string, many int) (reported map[uint16][]time.Duration, total int) {
	var mu sync.Mutex
	reported = make(map[uint16][]time.Duration)
	hub := session.NewHub(session.Options{})
	for range many {
		var local uint16
		s, err := hub.New(session.Spec{PingInterval: time.Second, Opening: probe.Opening{URL: address, Dial: dialFrom(&local)}})
		if err != nil {
			b.Fatal(err)
		}
		hub.Add(s, func(e session.Event) {
			mu.Lock()
			defer mu.Unlock()
			switch e.Kind {
			case session.Ponged:
				reported[local] = append(reported[local], e.RTT)
				total++
			case session.Ended:
				if e.End.Cause != session.ByStop {
					b.Errorf("%s: %s", e.End.Cause, e.End.Detail)
				}
			}
		})
	}
	ctx, stop := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() { hub.Run(ctx) })
	for b.Loop() {
		<-time.After(time.Second)
	}
	<-time.After(2 * time.Second) // the first Pings are a second late
	stop()
	running.Wait()
	return reported, total
}

// dialFrom dials, and notes the port from which.
func dialFrom(local *uint16) func(context.Context, netip.AddrPort) (net.Conn, error) {
	return func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", to.String())
		if err == nil {
			*local = conn.LocalAddr().(*net.TCPAddr).AddrPort().Port()
		}
		return conn, err
	}
}

// roundTrips runs so many probes a second, and returns what they report by the port from which they connected.
func roundTrips(b *testing.B, address string, rate int) map[uint16]time.Duration {
	var mu sync.Mutex
	reported := make(map[uint16]time.Duration)
	var jobs []scheduler.Job
	for i := range rate {
		var local uint16 // of the run under way: those of one job follow each other
		p, err := probe.New(probe.Spec{
			Opening:        probe.Opening{URL: address, Dial: dialFrom(&local)},
			Interpretation: probe.RoundTripLatency, PingMode: probe.PingMessage, Send: "ping", Expect: "ping",
		})
		if err != nil {
			b.Fatal(err)
		}
		jobs = append(jobs, scheduler.Job{Name: fmt.Sprint(i), Interval: time.Second, Run: func(ctx context.Context, _ scheduler.Tick) {
			if result, err := p.Run(ctx); err == nil && result.Replied {
				mu.Lock()
				reported[local] = result.RoundTrip
				mu.Unlock()
			}
		}})
	}
	ctx, stop := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := (&scheduler.Scheduler{Jobs: jobs}).Run(ctx); err != nil {
			b.Error(err)
		}
	})
	for b.Loop() {
		<-time.After(time.Second)
	}
	stop()
	running.Wait()
	return reported
}

// trip is when a message, or a Ping, and the reply were on the wire.
type trip struct{ sent, replied time.Time }

// capture is a capture of the packets from and to a port on lo, under way.
type capture struct {
	b     *testing.B
	fd    int
	port  uint16
	trips map[uint16][]trip // by the port of the client
	ends  atomic.Int64      // when the capture shall end, in ns since 1970; 0 for not yet
	done  sync.WaitGroup
}

func startCapture(b *testing.B, port int) *capture {
	const ignoreOutgoing = 23 // PACKET_IGNORE_OUTGOING: lo shows every packet twice
	network := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, syscall.ETH_P_IP))
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0) // Bind turns it on
	if err != nil {
		b.Skip("no right to capture packets: ", err)
	}
	c := &capture{b: b, fd: fd, port: uint16(port), trips: make(map[uint16][]trip)}
	b.Cleanup(func() {
		c.stop()
		_ = syscall.Close(fd)
	})
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		b.Fatal(err)
	}
	for _, err := range []error{
		syscall.SetsockoptInt(fd, syscall.SOL_PACKET, ignoreOutgoing, 1),
		syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1),
		syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, 64<<20),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Usec: 100_000}),
		syscall.Bind(fd, &syscall.SockaddrLinklayer{Protocol: network, Ifindex: lo.Index}),
	} {
		if err != nil {
			b.Fatal(err)
		}
	}
	c.done.Go(c.run)
	return c
}

// stop ends the capture, once what is in the buffer has been read.
func (c *capture) stop() map[uint16][]trip {
	c.ends.Store(time.Now().UnixNano())
	c.done.Wait()
	return c.trips
}

func (c *capture) run() {
	packet, control := make([]byte, 256), make([]byte, 64)
	for {
		ends, latest := c.ends.Load(), int64(math.MaxInt64)
		if n, m, _, _, err := syscall.Recvmsg(c.fd, packet, control, 0); err == nil {
			latest = c.note(packet[:n], control[:m]).UnixNano()
		}
		if ends > 0 && latest > ends {
			return
		}
	}
}

// note notes the time of a packet, if that carries a text frame, a Ping or a Pong, and returns it.
func (c *capture) note(packet, control []byte) time.Time {
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil || len(messages) != 1 || len(messages[0].Data) < 16 {
		c.b.Errorf("a packet without its time: %v", err)
		return time.Time{}
	}
	stamp := messages[0].Data
	at := time.Unix(int64(binary.NativeEndian.Uint64(stamp)), int64(binary.NativeEndian.Uint64(stamp[8:])))
	if packet[9] != syscall.IPPROTO_TCP {
		return at
	}
	tcp := packet[int(packet[0]&15)*4:]
	from, to := binary.BigEndian.Uint16(tcp), binary.BigEndian.Uint16(tcp[2:])
	payload := tcp[int(tcp[12]>>4)*4:]
	switch noted := len(payload) > 0 && slices.Contains([]byte{0x81, 0x89, 0x8a}, payload[0]); {
	case noted && to == c.port:
		c.trips[from] = append(c.trips[from], trip{sent: at})
	case noted && from == c.port && len(c.trips[to]) > 0:
		c.trips[to][len(c.trips[to])-1].replied = at
	}
	return at
}

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
	"github.com/wsprobe/wsprobe/scheduler"
)

// BenchmarkTruth compares the round trips that probes report with those of a packet capture on lo: what is reported beyond
// the time from the packet with the message to the packet with the reply is the agent's own share. An iteration is a second
// of probes. It needs the rights to capture, with a buffer of any size (CAP_NET_RAW and CAP_NET_ADMIN).
func BenchmarkTruth(b *testing.B) {
	address := spawn(b, []string{"SCHEME=ws"}, "endpoint").line(b)
	endpoint, err := url.Parse(address)
	if err != nil {
		b.Fatal(err)
	}
	port, err := strconv.Atoi(endpoint.Port())
	if err != nil {
		b.Fatal(err)
	}
	release, err := probe.KeepKernelClock()
	if err != nil {
		b.Fatal(err)
	}
	defer release()
	for _, rate := range []int{50, 500, 2000, 4000} {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			wire := startCapture(b, port)
			reported := roundTrips(b, address, rate)
			var shares []time.Duration
			for port, trip := range wire.stop() {
				if own, ok := reported[port]; ok && !trip.sent.IsZero() && !trip.replied.IsZero() {
					shares = append(shares, own-trip.replied.Sub(trip.sent))
				}
			}
			if len(shares) == 0 || len(shares) < len(reported)*9/10 {
				b.Fatalf("%d of %d connections were captured", len(shares), len(reported))
			}
			slices.Sort(shares)
			for _, q := range []float64{0.5, 0.99} {
				share := shares[int(q*float64(len(shares)-1))]
				b.ReportMetric(float64(share)/float64(time.Microsecond), fmt.Sprintf("p%d-µs", int(100*q)))
			}
			b.ReportMetric(0, "ns/op")
		})
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
			Opening: probe.Opening{URL: address, Dial: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, "tcp", to.String())
				if err == nil {
					local = conn.LocalAddr().(*net.TCPAddr).AddrPort().Port()
				}
				return conn, err
			}},
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

// trip is when the message and the reply of a connection were on the wire.
type trip struct{ sent, replied time.Time }

// capture is a capture of the packets from and to a port on lo, under way.
type capture struct {
	b     *testing.B
	fd    int
	port  uint16
	trips map[uint16]trip // by the port of the client
	ends  atomic.Int64    // when the capture shall end, in ns since 1970; 0 for not yet
	done  sync.WaitGroup
}

func startCapture(b *testing.B, port int) *capture {
	const ignoreOutgoing = 23 // PACKET_IGNORE_OUTGOING: lo shows every packet twice
	network := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, syscall.ETH_P_IP))
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0) // Bind turns it on
	if err != nil {
		b.Skip("no right to capture packets: ", err)
	}
	c := &capture{b: b, fd: fd, port: uint16(port), trips: make(map[uint16]trip)}
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
func (c *capture) stop() map[uint16]trip {
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

// note notes the time of a packet, if that carries a text frame, and returns it.
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
	switch text := len(payload) > 0 && payload[0] == 0x81; {
	case text && to == c.port:
		c.trips[from] = trip{sent: at}
	case text && from == c.port:
		c.trips[to] = trip{sent: c.trips[to].sent, replied: at}
	}
	return at
}

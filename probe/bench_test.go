//go:build unix

package probe_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

// BenchmarkProbe runs the probe and a client that is written by hand for this one exchange side by side, against the same
// endpoint in another process, so that the CPU time is the client's: cpu-us/probe is user and system time. The ratio of
// the two is what counts.
func BenchmarkProbe(b *testing.B) {
	release, err := probe.KeepKernelClock()
	if err != nil {
		b.Fatal(err)
	}
	defer release()
	for _, scheme := range []string{"ws", "wss"} {
		url := serveElsewhere(b, scheme)
		for _, parallel := range []int{1, 50} {
			b.Run(fmt.Sprintf("%s/%d", scheme, parallel), func(b *testing.B) {
				var hand float64
				b.Run("hand", func(b *testing.B) { hand = benchmark(b, parallel, byHand(url)) })
				b.Run("probe", func(b *testing.B) {
					b.ReportMetric(benchmark(b, parallel, byProbe(url))/hand, "ratio")
				})
			})
		}
	}
}

// serveElsewhere starts the endpoint as a process of its own and returns its URL.
func serveElsewhere(b *testing.B, scheme string) string {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serving+"="+scheme)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(url)
}

// benchmark shares the iterations out among goroutines, and reports the CPU time of one.
func benchmark(b *testing.B, parallel int, run func() error) float64 {
	b.ReportAllocs()
	before := cpuTime()
	work := make(chan struct{})
	var workers sync.WaitGroup
	for range parallel {
		workers.Go(func() {
			for range work {
				if err := run(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for b.Loop() {
		work <- struct{}{}
	}
	close(work)
	workers.Wait()
	each := float64((cpuTime() - before).Microseconds()) / float64(b.N)
	b.ReportMetric(each, "cpu-us/probe")
	return each
}

// trusting takes any certificate: what the check of one costs is the same for both.
var trusting = &tls.Config{InsecureSkipVerify: true}

func byProbe(url string) func() error {
	spec := probe.Spec{URL: url, Interpretation: probe.RoundTripLatency, Send: ping, Expect: want}
	if strings.HasPrefix(url, "wss") {
		spec.TLS = trusting
	}
	p, err := probe.New(spec)
	if err != nil {
		panic(err)
	}
	return func() error {
		r, err := p.Run(context.Background())
		if err == nil && r.Reason != reasons.OK {
			err = errors.New(r.Detail)
		}
		return err
	}
}

// byHand is the least that a client can do: the handshake with its check, one message, its reply, a close handshake.
func byHand(url string) func() error {
	scheme, address, _ := strings.Cut(strings.TrimSuffix(url, "/"), "://")
	return func() error {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		if scheme == "wss" {
			conn = tls.Client(conn, trusting)
		}
		return talk(conn, address)
	}
}

func talk(conn net.Conn, address string) error {
	var random [24]byte
	_, _ = rand.Read(random[:])
	key := base64.StdEncoding.EncodeToString(random[:16])
	request := "GET / HTTP/1.1\r\nHost: " + address + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + "\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		return err
	}
	br := bufio.NewReader(conn)
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		return err
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	if resp.StatusCode != 101 || resp.Header.Get("Sec-Websocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]) {
		return errors.New(resp.Status)
	}
	if err := writeFrame(conn, 0x81, random[16:20], []byte(ping)); err != nil {
		return err
	}
	if reply, err := readFrame(br); err != nil || !strings.Contains(reply, want) {
		return fmt.Errorf("%q: %w", reply, err)
	}
	if err := writeFrame(conn, 0x88, random[20:24], []byte{0x03, 0xe8}); err != nil {
		return err
	}
	_, err = readFrame(br)
	return err
}

func writeFrame(w io.Writer, first byte, mask, payload []byte) error {
	frame := append([]byte{first, 0x80 | byte(len(payload))}, mask...)
	for i, c := range payload {
		frame = append(frame, c^mask[i%4])
	}
	_, err := w.Write(frame)
	return err
}

func readFrame(r io.Reader) (string, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", err
	}
	payload := make([]byte, binary.BigEndian.Uint16([]byte{0, head[1] & 0x7f}))
	_, err := io.ReadFull(r, payload)
	return string(payload), err
}

package otlp

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
)

// front is a proxy in front of a receiver, whose connections can be stuck: while the front is, those that come take no
// request, and from those that are open nothing more is read. They stay so for ever.
type front struct {
	addr    string
	stuck   atomic.Bool
	release chan struct{} // closed when the front looks whether clients have closed what it does not read

	mu    sync.Mutex
	conns []net.Conn
	ended chan net.Conn // that a client has closed
}

func newFront(t *testing.T, target string, config *tls.Config) *front {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &front{addr: l.Addr().String(), release: make(chan struct{}), ended: make(chan net.Conn, 1000)}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.conns = append(f.conns, conn)
			f.mu.Unlock()
			serving.Go(func() {
				defer func() { f.ended <- conn }()
				defer conn.Close()
				f.serve(conn, target)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		for _, conn := range f.accepted() {
			_ = conn.Close()
		}
		serving.Wait()
	})
	return f
}

// accepted returns all connections so far.
func (f *front) accepted() []net.Conn {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]net.Conn(nil), f.conns...)
}

// serve serves a connection until its client closes it.
func (f *front) serve(conn net.Conn, target string) {
	if f.stuck.Load() {
		takeNothing(conn)
		return
	}
	behind, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer behind.Close()
	go func() {
		_, _ = io.Copy(conn, behind)
		_ = conn.Close()
	}()
	buffer := make([]byte, 4096)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		if f.stuck.Load() {
			<-f.release
			_, _ = io.Copy(io.Discard, conn)
			return
		}
		if _, err := behind.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// takeNothing speaks HTTP/2, answers pings, and allows no data (RFC 9113 6.5.2: an initial window of 0).
func takeNothing(conn net.Conn) {
	const settings, ping, ack = 4, 6, 1
	frame := func(kind, flags byte, payload []byte) {
		head := append(binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind)), flags, 0, 0, 0, 0)
		_, _ = conn.Write(append(head, payload...))
	}
	if _, err := io.ReadFull(conn, make([]byte, 24)); err != nil { // the preface
		return
	}
	frame(settings, 0, []byte{0, 4, 0, 0, 0, 0})
	for head := make([]byte, 9); ; {
		if _, err := io.ReadFull(conn, head); err != nil {
			return
		}
		first := binary.BigEndian.Uint32(head)
		payload := make([]byte, first>>8)
		if _, err := io.ReadFull(conn, payload); err != nil {
			return
		}
		switch kind := byte(first); {
		case head[4]&ack != 0:
		case kind == settings:
			frame(settings, ack, nil)
		case kind == ping:
			frame(ping, ack, payload)
		}
	}
}

// TestStuckConnectionIsReplaced has a connection that is alive and takes no request, while new ones would work.
func TestStuckConnectionIsReplaced(t *testing.T) {
	for _, protocol := range protocols {
		for _, stuck := range []string{"from the beginning", "after a request"} {
			t.Run(string(protocol)+" "+stuck, func(t *testing.T) {
				f, c := stuckClient(t, protocol)
				if stuck == "after a request" {
					sendUntil(t, c, outbox.Accepted)
				}
				f.stuck.Store(true)
				if v := sendUntil(t, c, outbox.Deferred); !v.Unanswered || v.ErrorType != "DEADLINE_EXCEEDED" {
					t.Errorf("got %+v", v)
				}
				f.stuck.Store(false)
				sendUntil(t, c, outbox.Accepted)
				close(f.release)
				select { // the stuck one
				case <-f.ended:
				case <-time.After(patience):
					t.Error("the stuck connection was not closed")
				}
				if err := c.Close(); err != nil {
					t.Error(err)
				}
				for n := len(f.accepted()); n > 1; n-- {
					select {
					case <-f.ended:
					case <-time.After(patience):
						t.Fatalf("%d connections are open after the end", n-1)
					}
				}
			})
		}
	}
}

// stuckClient makes a client whose way to a receiver leads through a front: gRPC as it is, HTTP/2 over TLS.
func stuckClient(t *testing.T, protocol Protocol) (*front, *Client) {
	t.Helper()
	o := Options{Protocol: protocol, Timeout: time.Second}
	if protocol == GRPC {
		f := newFront(t, serve(t, GRPC, &receiver.Receiver{}).addr, nil)
		o.Endpoint = "http://" + f.addr
		return f, clientTo(t, o)
	}
	s := httptest.NewUnstartedServer((&receiver.Receiver{}).Handler())
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	pool, cert := certify(t)
	f := newFront(t, s.Listener.Addr().String(), &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}})
	o.Endpoint, o.TLS = "https://"+f.addr+"/v1/metrics", &tls.Config{RootCAs: pool}
	return f, clientTo(t, o)
}

// sendUntil sends requests until one has an outcome.
func sendUntil(t *testing.T, c *Client, want outbox.Outcome) outbox.Answer {
	t.Helper()
	for began := time.Now(); ; {
		a := c.Send(t.Context(), Metrics, numbered(t, 1))
		if a.Outcome == want {
			return a
		}
		if time.Since(began) > patience {
			t.Fatalf("got %+v, want %s", a, want)
		}
	}
}

// TestYoungConnectionStays: a request that waited for its connection leaves it too little time for an answer.
func TestYoungConnectionStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s connections
		pipe := func() net.Conn {
			conn, _ := net.Pipe()
			return s.add(conn, conn)
		}
		old := pipe()
		time.Sleep(6 * time.Second)
		young := pipe()
		time.Sleep(4 * time.Second)
		s.breakOff("", 10*time.Second)
		if _, err := old.Write(nil); err == nil {
			t.Error("the old one is open")
		}
		if len(s.open) != 1 {
			t.Errorf("%d are open, want the young one", len(s.open))
		}
		s.breakOff("127.0.0.1:1", time.Second)
		if len(s.open) != 1 {
			t.Error("another address closed it")
		}
		if err := young.Close(); err != nil || len(s.open) != 0 {
			t.Errorf("got %v, %d are open", err, len(s.open))
		}
	})
}

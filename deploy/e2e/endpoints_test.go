package e2e

import (
	"crypto/tls"
	"encoding/pem"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// natsServer is the WebSocket server that this project did not write. It greets every connection with
// an INFO message and answers PING with PONG, in binary messages.
type natsServer struct {
	*server.Server
}

func startNATS(t *testing.T, change ...func(*server.Options)) natsServer {
	t.Helper()
	return serveNATS(t, server.WebsocketOpts{NoTLS: true}, change...)
}

// startNATSWithTLS returns a server for wss:// and a PEM file with the authority that it stands on.
func startNATSWithTLS(t *testing.T) (s natsServer, authority string) {
	t.Helper()
	// The test server of the standard library has a certificate for 127.0.0.1 that is its own authority.
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	authority = filepath.Join(t.TempDir(), "authority.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: certified.Certificate().Raw}
	if err := os.WriteFile(authority, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: certified.TLS.Certificates}
	return serveNATS(t, server.WebsocketOpts{TLSConfig: config}), authority
}

func serveNATS(t *testing.T, listener server.WebsocketOpts, change ...func(*server.Options)) natsServer {
	t.Helper()
	listener.Host, listener.Port = "127.0.0.1", server.RANDOM_PORT
	options := &server.Options{
		DontListen: true, // no port for NATS's own protocol
		NoSigs:     true,
		NoLog:      true,
		Websocket:  listener,
	}
	for _, c := range change {
		c(options)
	}
	s, err := server.NewServer(options)
	if err != nil {
		t.Fatalf("NATS: %v", err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("NATS did not start listening")
	}
	return natsServer{s}
}

// connections returns how many connections the server has seen since its start.
func (s natsServer) connections(t *testing.T) int {
	t.Helper()
	v, err := s.Varz(nil)
	if err != nil {
		t.Fatalf("NATS: %v", err)
	}
	return int(v.TotalConnections)
}

// uncleanCloses returns what the server says about connections that did not end with a close
// handshake from the client's side, and about those that are still open.
func (s natsServer) uncleanCloses(t *testing.T) []string {
	t.Helper()
	z, err := s.Connz(&server.ConnzOptions{State: server.ConnAll, Limit: 10_000})
	if err != nil {
		t.Fatalf("NATS: %v", err)
	}
	var unclean []string
	for _, c := range z.Conns {
		if c.Reason != server.ClientClosed.String() {
			unclean = append(unclean, "connection "+strconv.FormatUint(c.Cid, 10)+": "+c.Reason)
		}
	}
	return unclean
}

// silentServer accepts TCP connections and never says a word.
type silentServer struct {
	addr     string
	accepted atomic.Int64
}

func startSilent(t *testing.T) *silentServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &silentServer{addr: l.Addr().String()}
	var conns []net.Conn
	var done sync.WaitGroup
	done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, c)
			s.accepted.Add(1)
		}
	})
	t.Cleanup(func() {
		l.Close()
		done.Wait()
		for _, c := range conns {
			c.Close()
		}
	})
	return s
}

// closedPort returns an address that refuses connections for the whole test: the socket is bound, so
// that nobody else gets the port, and does not listen.
func closedPort(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := name.(*syscall.SockaddrInet4).Port
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// port returns the port of a URL as telemetry spells it.
func port(t *testing.T, rawURL string) int64 {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseInt(u.Port(), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// leftCleanly waits until n clients have come and gone, and fails the test unless all left with a close handshake.
func (s natsServer) leftCleanly(t *testing.T, n int) {
	t.Helper()
	lab.Eventually(t, 5*time.Second, "the end of every connection", func() (bool, string) {
		unclean := s.uncleanCloses(t)
		return len(unclean) == 0 && s.connections(t) == n, strings.Join(unclean, "; ")
	})
}

package wstest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Script is what an endpoint does with one connection. The connection is closed when it returns. Methods
// of [Conn] that cannot go on because the connection is gone, or the server is closing, end the script.
type Script func(*Conn)

// Server runs a script for each of its connections. Its methods may be called concurrently.
type Server struct {
	// URL is where it serves, with the path "/".
	URL string
	// CA signed the certificate, if the server made its own.
	CA *CA

	listener net.Listener
	tls      *tls.Config
	script   Script
	done     chan struct{} // closed by Close

	mu       sync.Mutex
	idle     sync.Cond // signalled when a connection ends
	conns    map[*Conn]bool
	accepted int
	last     Visit

	accepting sync.WaitGroup
}

// Start serves a script over TCP on a free port of the loopback interface. It panics if there is none, as
// net/http/httptest does.
func Start(script Script) *Server { return Serve(listen(), nil, script) }

// StartTLS is [Start] over TLS. Without a configuration, or with one that has no certificate, it makes a CA
// and a certificate for the loopback interface; [Server.ClientTLS] trusts it.
func StartTLS(script Script, config *tls.Config) *Server {
	return Serve(listen(), orEmpty(config), script)
}

// Memory serves a script over connections in memory, which [Server.Dial] opens.
func Memory(script Script) *Server { return Serve(newMemoryListener(), nil, script) }

// MemoryTLS is [Memory] over TLS, with a configuration as in [StartTLS].
func MemoryTLS(script Script, config *tls.Config) *Server {
	return Serve(newMemoryListener(), orEmpty(config), script)
}

func orEmpty(config *tls.Config) *tls.Config {
	if config == nil {
		return &tls.Config{}
	}
	return config
}

func listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("wstest: no port on the loopback interface: %v", err))
	}
	return l
}

// Serve runs a script for every connection of a listener, over TLS if there is a configuration, until Close.
func Serve(l net.Listener, config *tls.Config, script Script) *Server {
	s := &Server{listener: l, script: script, done: make(chan struct{}), conns: make(map[*Conn]bool)}
	s.idle.L = &s.mu
	scheme := "ws"
	if config != nil {
		scheme = "wss"
		s.tls = config.Clone()
		if len(config.Certificates) == 0 && config.GetCertificate == nil {
			s.CA = NewCA()
			s.tls.Certificates = []tls.Certificate{s.CA.Issue(Cert{})}
		}
	}
	s.URL = fmt.Sprintf("%s://%s/", scheme, l.Addr())
	s.accepting.Go(s.accept)
	return s
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			select { // out of files, for instance: a later one may be luckier
			case <-s.done:
				return
			case <-time.After(10 * time.Millisecond):
				continue
			}
		}
		c := newConn(conn, s.tls, s.done)
		s.mu.Lock()
		s.accepted++
		s.conns[c] = true
		s.mu.Unlock()
		s.accepting.Go(func() { s.run(c) })
	}
}

// run runs the script on a connection, and remembers what the client did.
func (s *Server) run(c *Conn) {
	defer func() {
		c.end()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.last = c.visit
		delete(s.conns, c)
		s.idle.Broadcast()
	}()
	select {
	case <-s.done:
	default:
		c.play(s.script)
	}
}

// Dial connects to the server, whatever the address: it fits into the Dial of a probe's specification.
func (s *Server) Dial(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	if m, ok := s.listener.(*memoryListener); ok {
		return m.dial(ctx, addr)
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, s.listener.Addr().Network(), s.listener.Addr().String())
}

// ClientTLS is a configuration for clients that trusts the server's own CA.
func (s *Server) ClientTLS() *tls.Config {
	if s.CA == nil {
		return &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.CA.Pool()}
}

// Addr is the address of the listener.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Connections returns how many connections were accepted so far.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// Last returns what the client did on the connection that ended last.
func (s *Server) Last() Visit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Wait returns when no connection is open. A script that never notices that its client has gone keeps it waiting.
func (s *Server) Wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.conns) > 0 {
		s.idle.Wait()
	}
}

// Close stops listening, ends all connections and returns when every script has ended.
func (s *Server) Close() {
	s.mu.Lock()
	select {
	case <-s.done:
	default:
		close(s.done)
	}
	s.mu.Unlock()
	_ = s.listener.Close()
	s.mu.Lock()
	for c := range s.conns {
		_ = c.raw.Close()
	}
	s.mu.Unlock()
	s.accepting.Wait()
}

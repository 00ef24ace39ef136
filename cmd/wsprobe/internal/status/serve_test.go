package status

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener in memory, so that time stands still while nothing happens.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	close func()
}

func newPipes() *pipes {
	p := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	p.close = sync.OnceFunc(func() { close(p.done) })
	return p
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.close(); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// serve runs the server in a bubble; stop ends it and returns how long that took.
func serve(t *testing.T, s *Server) (*pipes, func() time.Duration) {
	l := newPipes()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	return l, func() time.Duration {
		start := time.Now()
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		return time.Since(start)
	}
}

// TestServeStops wants Serve to close the listener at once and to return when nothing is under way.
func TestServeStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, stop := serve(t, &Server{Board: board(), Ready: ready})
		synctest.Wait()
		if took := stop(); took != 0 {
			t.Errorf("the stop took %v, want no time", took)
		}
		if _, err := l.Accept(); err != net.ErrClosed {
			t.Errorf("the listener is open: %v", err)
		}
	})
}

// TestServeWaits wants a request under way to get its answer.
func TestServeWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := make(chan struct{})
		l, stop := serve(t, &Server{Board: board(), Ready: func() error {
			close(asked)
			time.Sleep(100 * time.Millisecond)
			return nil
		}})
		client := l.dial()
		answer := make(chan string, 1)
		go func() {
			_, _ = io.WriteString(client, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			all, _ := io.ReadAll(client)
			answer <- string(all)
		}()
		<-asked
		if took := stop(); took < 100*time.Millisecond || took > stopBudget {
			t.Errorf("the stop took %v, want the 100ms of the request and less than %v", took, stopBudget)
		}
		if got := <-answer; !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") {
			t.Errorf("answer %q", got)
		}
	})
}

// TestServeDoesNotWaitForEver wants clients that do nothing to cost the stop no more than its budget.
func TestServeDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, stop := serve(t, &Server{Board: board(), Ready: ready})
		client := l.dial()
		_, _ = io.WriteString(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") // and never reads
		synctest.Wait()
		if took := stop(); took != stopBudget {
			t.Errorf("the stop took %v, want %v", took, stopBudget)
		}
	})
}

// TestSlowClients wants a bound for clients that never finish a request and for those that never read.
func TestSlowClients(t *testing.T) {
	for name, c := range map[string]struct {
		request string
		bound   time.Duration
	}{
		"half a request": {"GET / HTTP/1.1\r\nHo", 5 * time.Second},
		"never reads":    {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, stop := serve(t, &Server{Board: board(), Ready: ready})
				client := l.dial()
				_, _ = io.WriteString(client, c.request)
				time.Sleep(c.bound)
				synctest.Wait()
				_ = client.SetReadDeadline(time.Now().Add(time.Hour))
				start := time.Now()
				_, _ = io.ReadAll(client)
				if waited := time.Since(start); waited != 0 {
					t.Errorf("the connection was open for another %v", waited)
				}
				stop()
			})
		})
	}
}

// TestListenerFails wants an error if the listener fails by itself.
func TestListenerFails(t *testing.T) {
	l := newPipes()
	l.close()
	s := &Server{Board: &Board{}, Ready: ready}
	if err := s.Serve(t.Context(), l); err == nil || err == http.ErrServerClosed {
		t.Errorf("Serve on a closed listener: %v", err)
	}
}

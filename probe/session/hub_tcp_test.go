package session

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// plain and secured serve a script over TCP.
func plain(s wstest.Script) (*wstest.Server, Spec) { return wstest.Start(s), Spec{} }

func secured(s wstest.Script) (*wstest.Server, Spec) {
	server := wstest.StartTLS(s, nil)
	return server, Spec{Opening: probe.Opening{TLS: server.ClientTLS()}}
}

// newSession makes a Session of a right Spec.
func newSession(t *testing.T, h *Hub, s Spec) *Session {
	t.Helper()
	session, err := h.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// inHub is Hold by way of Add and Run.
func (s *Session) inHub(ctx context.Context, observe func(Event)) {
	s.hub.Add(s, observe)
	s.hub.Run(ctx)
}

// TestLongOutput: an output that may not fit into the kernel's buffer is written, and the session goes on.
func TestLongOutput(t *testing.T) {
	heard := make(chan string, 1)
	server := wstest.Start(func(c *wstest.Conn) {
		c.Accept()
		pings := make([]wstest.Frame, 20)
		for i := range pings {
			pings[i] = wstest.Ping(strings.Repeat("p", 125))
		}
		c.Send(pings...)
		var said strings.Builder
		for range pings {
			said.WriteString(c.Read().Payload)
		}
		heard <- said.String()
		c.Serve()
	})
	defer server.Close()
	s := Spec{PingInterval: MinInterval}
	s.URL = server.URL
	hub := NewHub(Options{})
	session := newSession(t, hub, s)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // only a hang meets it
	defer cancel()
	ponged := false
	session.inHub(ctx, func(e Event) {
		if e.Kind == Ponged {
			ponged = true
			cancel()
		}
	})
	if got := <-heard; len(got) != 20*125 || !ponged {
		t.Errorf("%d bytes of Pongs came, ponged %t", len(got), ponged)
	}
}

// TestManyOverTCP: many sessions of a Hub are held, pinged and closed, each once.
func TestManyOverTCP(t *testing.T) {
	const many = 200
	server := wstest.Start(ordinary)
	defer server.Close()
	s := Spec{PingInterval: 200 * ms, PingTimeout: time.Minute}
	s.URL = server.URL
	hub := NewHub(Options{})
	session := newSession(t, hub, s)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // only a hang meets it
	defer cancel()
	var opened, twice, ended, clean atomic.Int64
	for range many {
		pongs := 0
		hub.Add(session, func(e Event) {
			switch e.Kind {
			case Opened:
				opened.Add(1)
			case Ponged:
				if pongs++; pongs == 2 && twice.Add(1) == many {
					cancel()
				}
			case Ended:
				if e.End.Cause == ByStop {
					ended.Add(1)
				}
			case Closed:
				if e.Clean {
					clean.Add(1)
				}
			}
		})
	}
	hub.Run(ctx)
	if opened.Load() != many || twice.Load() != many || ended.Load() != many {
		t.Errorf("%d opened, %d ponged twice, %d ended by the stop", opened.Load(), twice.Load(), ended.Load())
	}
	t.Logf("%d closed cleanly", clean.Load())
}

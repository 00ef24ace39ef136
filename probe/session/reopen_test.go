package session

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestTroubleAtTheReopen: a session is cut, and for 20 minutes no open succeeds. Each failure has its own name, they do
// not storm, and the session is back soon after the trouble.
func TestTroubleAtTheReopen(t *testing.T) {
	const cut, back = 2 * time.Hour, 2*time.Hour + 20*time.Minute
	dialError := func(err error) func(*Spec, *wstest.Server, func() bool) {
		return func(s *Spec, server *wstest.Server, trouble func() bool) {
			s.Dial = func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
				if trouble() {
					return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
				}
				return server.Dial(ctx, to)
			}
		}
	}
	for name, test := range map[string]struct {
		make func(*Spec, *wstest.Server, func() bool)
		kind reasons.ErrorType
		tls  bool
	}{
		"no descriptors":     {dialError(syscall.EMFILE), reasons.LocalResources, false},
		"no ports":           {dialError(syscall.EADDRNOTAVAIL), reasons.LocalResources, false},
		"nothing listens":    {dialError(syscall.ECONNREFUSED), reasons.ConnectionRefused, false},
		"no route":           {dialError(syscall.EHOSTUNREACH), reasons.NetworkUnreachable, false},
		"no resolver":        {noResolver, reasons.DNSFailure, false},
		"no such name":       {noSuchName, reasons.DNSNotFound, false},
		"certificate is old": {nil, reasons.TLSCertificateExpired, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				trouble := func() bool { d := time.Since(began); return d >= cut && d < back }
				server, s := troubled(test.tls, began.Add(cut), trouble)
				defer server.Close()
				s.PingInterval = time.Minute
				if test.make != nil {
					test.make(&s, server, trouble)
				}
				book, log := reopen(t, s, back+2*time.Minute)
				failed := slices.DeleteFunc(slices.Clone(log), func(e Event) bool { return e.Kind != OpenFailed })
				if n := len(failed); n < 20 || n > 60 {
					t.Errorf("%d opens failed in 20 minutes", n)
				}
				for _, e := range failed {
					if e.Open.ErrorType != test.kind || e.Open.Reason != reasons.OpenFailed {
						t.Fatalf("%s, %s: %s", e.Open.Reason, e.Open.ErrorType, e.Open.Detail)
					}
				}
				last := log[slices.IndexFunc(log, func(e Event) bool { return e.Kind == Opened && e.Downtime > 0 })]
				if last.Downtime < back-cut || last.Downtime > back-cut+DefaultReconnectMax {
					t.Errorf("down for %v", last.Downtime)
				}
				if problem := book.verdict(); problem != "" || book.opened != 2 {
					t.Errorf("%d opened: %s", book.opened, problem)
				}
			})
		})
	}
}

// troubled makes a server that cuts its first connection, and a Spec for it. With TLS, its certificate runs out.
func troubled(secured bool, cut time.Time, trouble func() bool) (*wstest.Server, Spec) {
	script := scripts(func(c *wstest.Conn) {
		c.Accept()
		for {
			f, came := c.ReadBy(cut)
			if !came {
				c.FIN()
				return
			}
			c.Send(wstest.Pong(f.Payload))
		}
	}, ordinary)
	var s Spec
	server := wstest.Memory(script)
	if secured {
		ca := wstest.NewCA()
		old, fresh := ca.Issue(wstest.Cert{NotAfter: cut.Add(-time.Hour)}), ca.Issue(wstest.Cert{})
		server.Close()
		server = wstest.MemoryTLS(script, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			if trouble() || time.Now().Before(cut) {
				return &old, nil
			}
			return &fresh, nil
		}})
		s.TLS = &tls.Config{RootCAs: ca.Pool(), Time: time.Now}
	}
	s.URL, s.Dial = server.URL, server.Dial
	return server, s
}

// noResolver and noSuchName give the endpoint a name.
func noResolver(s *Spec, _ *wstest.Server, trouble func() bool) {
	named(s, trouble, &net.OpError{Op: "read", Net: "udp", Err: syscall.ECONNREFUSED})
}

func noSuchName(s *Spec, _ *wstest.Server, trouble func() bool) {
	named(s, trouble, &net.DNSError{Err: "no such host", Name: "endpoint.example", IsNotFound: true})
}

func named(s *Spec, trouble func() bool, err error) {
	s.URL = "ws://endpoint.example/"
	s.Resolve = func(context.Context, string) ([]netip.Addr, error) {
		if trouble() {
			return nil, err
		}
		return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
	}
}

// reopen holds a session for a time, and returns what was told but for Pongs.
func reopen(t *testing.T, s Spec, lasts time.Duration) (*ledger, []Event) {
	hub := NewHub(Options{Random: func() float64 { return 0.9 }})
	session := newSession(t, hub, s)
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	var book ledger
	var log []Event
	session.inHub(ctx, func(e Event) {
		if book.note(e); e.Kind != Ponged {
			log = append(log, e)
		}
	})
	return &book, log
}

// TestNoStorm: however a server ends sessions, their opens are spread.
func TestNoStorm(t *testing.T) {
	for name, test := range map[string]struct {
		script wstest.Script
		spec   Spec
		most   int // opens in an hour
	}{
		"FIN right after each open":          {func(c *wstest.Conn) { c.Accept(); c.FIN() }, Spec{}, 130},
		"RST right after each open":          {func(c *wstest.Conn) { c.Accept(); c.Reset() }, Spec{}, 130},
		"1012 right after each open":         {wstest.CloseAtOpen(1012, "service restart"), Spec{}, 220},
		"1013 right after each open":         {wstest.CloseAtOpen(1013, "try again later"), Spec{}, 85},
		"1000 right after each open":         {wstest.CloseAtOpen(1000, ""), Spec{}, 130},
		"503 with Retry-After":               {wstest.Refuse(503, "", "Retry-After: 120"), Spec{}, 30},
		"breach right after the open":        {func(c *wstest.Conn) { c.Accept(); c.Raw("\xff\x00"); c.Hold() }, Spec{}, 130},
		"deaf":                               {func(c *wstest.Conn) { c.Accept(); c.Serve() }, Spec{MaxSilence: sec}, 130},
		"a renewal that is always refused":   {scripts(ordinary, wstest.Refuse(403, "")), Spec{MaxLifetime: MinLifetime, Renew: RenewBefore}, 130},
		"a lifetime that renews what is cut": {func(c *wstest.Conn) { c.Accept(); c.Pause(900 * ms); c.Reset() }, Spec{MaxLifetime: MinLifetime}, 130},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := wstest.Memory(test.script)
				defer server.Close()
				s := test.spec
				s.URL, s.Dial = server.URL, server.Dial
				book, log := reopen(t, s, time.Hour)
				opens := 0
				for _, e := range log {
					if e.Kind == Opened || e.Kind == OpenFailed {
						opens++
					}
				}
				if opens > test.most || opens < 20 {
					t.Errorf("%d opens in an hour", opens)
				}
				if problem := book.verdict(); problem != "" {
					t.Error(problem)
				}
			})
		})
	}
}

// TestMassCut: a server is killed under all its sessions at once. Each end is told once, and all are back without a storm.
func TestMassCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 500
		var dead atomic.Bool
		var opening, most atomic.Int64
		server := wstest.Memory(func(c *wstest.Conn) {
			c.Request()
			now := opening.Add(1)
			for before := most.Load(); now > before && !most.CompareAndSwap(before, now); before = most.Load() {
			}
			c.Pause(10 * ms)
			opening.Add(-1)
			c.Accept()
			for {
				if f, came := c.ReadBy(time.Now().Add(100 * ms)); dead.Load() {
					c.FIN()
					return
				} else if came && f.Opcode == wstest.OpClose {
					c.Send(wstest.Close(1001, ""))
					return
				} else if came {
					c.Send(wstest.Pong(f.Payload))
				}
			}
		})
		defer server.Close()
		hub := NewHub(Options{})
		s := Spec{PingInterval: 10 * sec}
		s.URL = server.URL
		s.Dial = func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
			if dead.Load() {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
			}
			return server.Dial(ctx, to)
		}
		session := newSession(t, hub, s)
		books := make([]ledger, many)
		var mu sync.Mutex
		count := make(map[string]int)
		for i := range books {
			hub.Add(session, func(e Event) {
				books[i].note(e)
				mu.Lock()
				defer mu.Unlock()
				count[describeKind(e)]++
				if e.Kind == Ended {
					count[string(e.End.Cause)]++
				}
			})
		}
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() { hub.Run(ctx); close(over) }()
		time.Sleep(time.Minute)
		dead.Store(true)
		time.Sleep(30 * sec)
		mu.Lock()
		refused := count["failed"]
		if count["opened"] != many || count["fin"] != many || refused > 8*many {
			t.Errorf("after the kill: %v", count)
		}
		mu.Unlock()
		dead.Store(false)
		time.Sleep(2 * time.Minute)
		cancel()
		<-over
		if count["opened"] != 2*many || count["stop"] != many || most.Load() > DefaultMaxConcurrent {
			t.Errorf("at last: %v, %d opened at a time", count, most.Load())
		}
		for i := range books {
			if problem := books[i].verdict(); problem != "" {
				t.Error(problem)
			}
		}
	})
}

// describeKind is a word for an event.
func describeKind(e Event) string {
	switch e.Kind {
	case Opened:
		return "opened"
	case OpenFailed:
		return "failed"
	case Ended:
		return "ended"
	case Ponged:
		return "ponged"
	}
	return fmt.Sprint("kind", e.Kind)
}

// TestSilentEndpointsBesideOthers: endpoints that do not answer take their whole timeout at each open. Another session
// is soon back after a cut all the same.
func TestSilentEndpointsBesideOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const silent = 400
		server := wstest.Memory(wstest.ByPath(map[string]wstest.Script{
			"/silent": wstest.StallHandshake,
			"/":       scripts(cutAfter(10*time.Minute), cutAfter(10*time.Minute), ordinary),
		}))
		defer server.Close()
		hub := NewHub(Options{MaxConcurrent: 4})
		var downtimes []time.Duration
		for i := range silent + 1 {
			s := Spec{Timeout: 10 * sec}
			if s.URL, s.Dial = server.URL, server.Dial; i > 0 {
				s.URL += "silent"
			}
			session := newSession(t, hub, s)
			hub.Add(session, func(e Event) {
				if i == 0 && e.Kind == Opened {
					downtimes = append(downtimes, e.Downtime)
				}
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Minute)
		defer cancel()
		hub.Run(ctx)
		if len(downtimes) != 3 || max(downtimes[1], downtimes[2]) > DefaultReconnectMin+15*sec {
			t.Errorf("down for %v", downtimes)
		}
	})
}

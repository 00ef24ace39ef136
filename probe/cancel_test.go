package probe_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

func TestHappyEyeballsExactly(t *testing.T) {
	t.Parallel()
	const delay = 250 * ms
	const first, second, third = "2001:db8::1", "192.0.2.1", "2001:db8::2"
	never := func(ctx context.Context, _ netip.AddrPort) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
	refused := func(context.Context, netip.AddrPort) (net.Conn, error) { return nil, errors.New("refused") }
	for name, test := range map[string]struct {
		first, second func(context.Context, netip.AddrPort) (net.Conn, error)
		want          time.Duration
	}{
		"first good":      {nil, never, 0},
		"first blackhole": {never, nil, delay},
		"first refused":   {refused, nil, 0},
		"both blackholes": {never, never, 2 * delay},
		"refused, hole":   {refused, never, delay},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, false, wstest.Reply(pong), func(s *probe.Spec, srv *wstest.Server) {
				s.URL, s.Resolve = "ws://localhost/", resolver(0, nil, first, third, second)
				s.Dial = func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
					if dial, ok := map[string]func(context.Context, netip.AddrPort) (net.Conn, error){first: test.first,
						second: test.second}[addr.Addr().String()]; ok && dial != nil {
						return dial(ctx, addr)
					}
					return srv.Dial(ctx, addr)
				}
			}, func(r probe.Result, _ time.Duration) {
				if r.Handshake != test.want || !r.Replied {
					t.Errorf("handshake %v, want %v", r.Handshake, test.want)
				}
			})
		})
	}
}

// TestCancel ends the context in every phase: the run ends at once, with an error and without a result.
func TestCancel(t *testing.T) {
	t.Parallel()
	stop := errors.New("stopping")
	hang := func(c *wstest.Conn) { c.Hold() }
	for name, test := range map[string]struct {
		script wstest.Script
		change func(*probe.Spec, *wstest.Server)
	}{
		"dns": {hang, func(s *probe.Spec, _ *wstest.Server) {
			s.URL, s.Resolve = "ws://localhost/", resolver(time.Hour, nil)
		}},
		"connect": {hang, func(s *probe.Spec, srv *wstest.Server) {
			s.Dial = dialAfter(time.Hour, srv.Dial)
		}},
		"tls":     {hang, func(s *probe.Spec, _ *wstest.Server) { s.URL = "wss://192.0.2.1/" }},
		"upgrade": {wstest.StallHandshake, nil},
		"refusal": {saysAndHolds("HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\n"), nil},
		"send": {func(c *wstest.Conn) { c.Accept(); c.Pause(time.Minute) }, func(s *probe.Spec, _ *wstest.Server) {
			s.Send = strings.Repeat("x", probe.MaxSendBytes)
		}},
		"reply": {wstest.Silent, nil},
		"pong": {wstest.Deaf, func(s *probe.Spec, _ *wstest.Server) {
			s.PingMode, s.Send, s.Expect = probe.PingFrame, "", ""
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := wstest.Memory(test.script)
				defer s.Close()
				spec := probe.Spec{Opening: probe.Opening{URL: s.URL, Dial: s.Dial},
					Interpretation: probe.RoundTripLatency, Send: ping}
				if test.change != nil {
					test.change(&spec, s)
				}
				p, err := probe.New(spec)
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(100*ms, func() { cancel(stop) })
				begin := time.Now()
				r, err := p.RunWith(ctx, probe.RunOptions{Fixed: func(time.Time) {
					t.Error("fixed an outcome that there is not")
				}})
				if took := time.Since(begin); !errors.Is(err, stop) || !reflect.DeepEqual(r, probe.Result{}) ||
					took != 100*ms {
					t.Errorf("got %+v, %v after %v", r, err, took)
				}
				if _, err := p.Run(ctx); !errors.Is(err, stop) {
					t.Errorf("a run that never began: %v", err)
				}
			})
		})
	}
}

// TestCancelInClose keeps a result that was fixed before, and does not wait for the server.
func TestCancelInClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := wstest.Memory(func(c *wstest.Conn) { c.Accept(); c.Watch() })
		defer s.Close()
		p, err := probe.New(probe.Spec{Opening: probe.Opening{URL: s.URL, Dial: s.Dial}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*ms)
		defer cancel()
		begin := time.Now()
		var fixed []time.Time
		r, err := p.RunWith(ctx, probe.RunOptions{Fixed: func(ended time.Time) { fixed = append(fixed, ended) }})
		if took := time.Since(begin); err != nil || !r.Opened || r.Reason != reasons.OK || took != 100*ms {
			t.Errorf("got %+v, %v after %v", r, err, took)
		}
		if !slices.Equal(fixed, []time.Time{r.Ended}) {
			t.Errorf("fixed at %v, want once at %v", fixed, r.Ended)
		}
	})
}

package prometheus_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"testing"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/prometheus"
	"github.com/wsprobe/wsprobe/probe"
)

// FuzzRequest: whatever a request asks for, it is answered with a known status, counted once, and no place is connected
// to that the patterns do not mean.
func FuzzRequest(f *testing.F) {
	for _, target := range []string{"chat.test", "wss://chat.test:8443/a?b=c", "127.0.0.1:80", "http://[::ffff:127.0.0.1]", "ws://0x7f.1", "ws://a@chat.test", "[fe80::1%25lo]",
		"ws://chat.test\\@127.0.0.1/", "ws://①27.0.0.1", "169.254.169.254", "ws://127.0.0.1.", "WS://CHAT.TEST.", "10.1.2.3", "ws://[64:ff9b::7f00:1]/"} {
		f.Add(target, "", "chat", "5", []byte{127, 0, 0, 1})
		f.Add(target, "other.test", "", "", []byte{10, 0, 0, 1})
	}
	f.Fuzz(func(t *testing.T, target, hostname, name, timeout string, resolved []byte) {
		var told answers
		h := prometheus.NewHandler(slog.New(slog.DiscardHandler), told.note)
		defer h.Close()
		h.Set(settings(t, map[string]prometheus.Module{"chat": module(func(s *probe.Spec) {
			s.Resolve = func(context.Context, string) ([]netip.Addr, error) {
				addr, ok := netip.AddrFromSlice(resolved)
				if !ok {
					return nil, errors.New("no address")
				}
				return []netip.Addr{addr}, nil
			}
			s.Dial = func(_ context.Context, to netip.AddrPort) (net.Conn, error) {
				if a := to.Addr().Unmap(); a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || a.IsMulticast() {
					t.Errorf("%q leads to %s", target, to)
				}
				return nil, errors.New("nobody is there")
			}
		})}, 1, "*.test", "10.0.0.0/8"))
		query := url.Values{"target": {target}, "hostname": {hostname}, "module": {name}}
		r := httptest.NewRequest("GET", "/probe?"+query.Encode(), nil)
		r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", timeout)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if !slices.Contains([]int{200, 400, 403}, w.Code) || !slices.Equal(told.all, []int{w.Code}) {
			t.Errorf("%q: %d %s, told %v", target, w.Code, w.Body, told.all)
		}
	})
}

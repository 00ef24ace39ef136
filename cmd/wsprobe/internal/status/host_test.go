package status

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestHosts: a name that somebody has made to point to a loopback address reads nothing, nor does one beside agent.hosts.
func TestHosts(t *testing.T) {
	loopback, public := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, &net.TCPAddr{IP: net.IPv6unspecified}
	for _, test := range []struct {
		listener net.Addr
		hosts    []string
		good     []string
		bad      []string
	}{
		{loopback, nil, []string{"localhost", "LOCALHOST:9464", "localhost.", "app.localhost:1", "127.0.0.1:9464", "127.0.0.1", "[::1]:9464", "[::1]", "192.0.2.1:9464", ""},
			[]string{"rebind.example", "rebind.example:9464", "localhost.example", "127.0.0.1.example", "xlocalhost", "127.1", "a b"}},
		{&net.TCPAddr{IP: net.IPv6loopback}, nil, []string{"[::1]:1"}, []string{"rebind.example"}},
		{loopback, []string{"Probes.example"}, []string{"probes.example:443", "probes.example.", "localhost"}, []string{"rebind.example", "x.probes.example"}},
		{public, nil, []string{"anything.example", "wsprobe:9464"}, nil},
		{public, []string{"probes.example"}, []string{"PROBES.example", "localhost", "192.0.2.1"}, []string{"rebind.example"}},
	} {
		stream := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		s := &Server{Board: board(), Ready: func() error { return nil }, Hosts: func() []string { return test.hosts }, Stream: stream}
		ask := func(host, path string) int {
			r := httptest.NewRequest("GET", path, nil)
			r.Host = host
			w := httptest.NewRecorder()
			s.guard(test.listener, s.Handler()).ServeHTTP(w, r)
			return w.Code
		}
		for _, path := range []string{"/", "/api/v1/probes", "/api/v1/stream", "/api/v1/streams", "/api/v1/discovery"} {
			for _, host := range test.good {
				if code := ask(host, path); code != http.StatusOK {
					t.Errorf("%v, hosts %v: %q gets %d for %s", test.listener, test.hosts, host, code, path)
				}
			}
			for _, host := range test.bad {
				if code := ask(host, path); code != http.StatusMisdirectedRequest {
					t.Errorf("%v, hosts %v: %q gets %d for %s", test.listener, test.hosts, host, code, path)
				}
			}
		}
		for _, host := range test.bad {
			if code := ask(host, "/healthz") + ask(host, "/readyz"); code != 2*http.StatusOK {
				t.Errorf("%q gets no health", host)
			}
		}
	}
}

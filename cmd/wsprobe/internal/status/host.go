package status

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/wsprobe/wsprobe/probe/visible"
)

// guard answers only requests for a host that the server has. Otherwise a foreign page could read results by a name
// that it has made to point here (DNS rebinding). Health and readiness, which tell a stranger nothing, are for all.
func (s *Server) guard(listener net.Addr, next http.Handler) http.Handler {
	if len(s.Hosts) == 0 && !isLoopback(listener) {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" && r.URL.Path != "/readyz" && !s.has(r.Host) {
			writeText(w, http.StatusMisdirectedRequest, "no host of this agent: "+visible.Text(hostName(r.Host))+" (agent.hosts can name it)\n")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// has reports whether a Host field names the server. An address cannot be made to point elsewhere, nor can localhost and
// what is below it (RFC 6761 6.3); browsers always send a Host.
func (s *Server) has(field string) bool {
	host := hostName(field)
	if host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return slices.ContainsFunc(s.Hosts, func(name string) bool { return hostName(name) == host })
}

// hostName is the host of a Host field (RFC 9110 7.2), in lower case and without a dot at its end.
func hostName(field string) string {
	host := field
	if name, _, err := net.SplitHostPort(field); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

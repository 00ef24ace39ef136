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
	loopback := isLoopback(listener)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		names := s.hosts()
		free := len(names) == 0 && !loopback || r.URL.Path == "/healthz" || r.URL.Path == "/readyz"
		if !free && !has(names, r.Host) {
			writeText(w, http.StatusMisdirectedRequest, "no host of this agent: "+visible.Text(hostName(r.Host))+" (agent.hosts can name it)\n")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hosts are the names under which the server may be asked now.
func (s *Server) hosts() []string {
	if s.Hosts == nil {
		return nil
	}
	return s.Hosts()
}

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// has reports whether a Host field names a server with these names. An address cannot be made to point elsewhere, nor
// can localhost and the names below it (RFC 6761 6.3); browsers always send a Host.
func has(names []string, field string) bool {
	host := hostName(field)
	if host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return slices.ContainsFunc(names, func(name string) bool { return hostName(name) == host })
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

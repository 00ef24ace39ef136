package config

import (
	"net"
	"slices"
	"strconv"
	"strings"
)

// The protocols of OTLP, by their names in OTEL_EXPORTER_OTLP_PROTOCOL, and the word for no export at all.
const (
	protocolGRPC = "grpc"
	protocolHTTP = "http/protobuf"
	protocolNone = "none"
)

const (
	// metricsPath is where requests with metrics go (OTLP specification, OTLP/HTTP request).
	metricsPath = "/v1/metrics"
	// metricsEndpoint is the variable whose URL is used as it is (OTLP exporter configuration, endpoint URLs for
	// OTLP/HTTP).
	metricsEndpoint = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"

	defaultGRPCPort = "4317"
	defaultHTTP     = "127.0.0.1:4318"
)

// parseEndpoint reads the address of an OTLP receiver, as far as it is the same for every protocol. Credentials
// belong into headers; they are not repeated.
func parseEndpoint(text string) (Endpoint, string) {
	scheme, rest, found := strings.Cut(text, "://")
	scheme = strings.ToLower(scheme)
	if !found || scheme != "http" && scheme != "https" {
		return Endpoint{}, "must begin with http:// (plain) or https:// (TLS), then host:port"
	}
	authority, path := rest, ""
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		authority, path = rest[:slash], rest[slash:]
	}
	if strings.ContainsFunc(rest, func(r rune) bool { return r <= ' ' || r > '~' }) || strings.ContainsAny(rest, "?#") || strings.Contains(authority, "@") {
		return Endpoint{}, "must be " + scheme + "://host:port without user information and query"
	}
	host, port, err := net.SplitHostPort(authority)
	if err != nil {
		host, _, err = net.SplitHostPort(authority + ":0")
	} else if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return Endpoint{}, "must have a port between 1 and 65535"
	}
	if err != nil || host == "" || strings.ContainsAny(host, "[]%\\\"<>^`{|}*") {
		return Endpoint{}, "must have a valid host and port"
	}
	return Endpoint{Address: authority, Path: path, Secure: scheme == "https"}, ""
}

// endpoint completes the endpoint once the protocol is known: a path has no meaning in gRPC, and in HTTP it is that
// of the receiver, to which the path of metrics is appended.
func (s *settingsReader) endpoint(o *OTLP) {
	origin, given := s.origins["otlp.endpoint"]
	if s.wrong["otlp.endpoint"] || s.wrong["otlp.protocol"] || s.wrong["otlp.preset"] || o.Protocol == protocolNone {
		return
	}
	if o.Protocol == protocolHTTP {
		if !given {
			o.Endpoint.Address = defaultHTTP
		}
		o.Endpoint.Path = httpPath(o.Endpoint.Path, origin)
		return
	}
	if strings.Trim(o.Endpoint.Path, "/") != "" {
		s.fault(origin, "must have no path: otlp.protocol is grpc; a path, such as "+metricsPath+", is for http/protobuf")
		s.wrong["otlp.endpoint"] = true
	}
	o.Endpoint.Path = ""
	if host, port, err := net.SplitHostPort(o.Endpoint.Address); err == nil {
		o.Endpoint.Address = net.JoinHostPort(host, port)
	} else {
		o.Endpoint.Address += ":" + defaultGRPCPort
	}
}

// markerPaths are the paths at which receivers of their own make a staleness marker of a point that ends a series:
// Prometheus 3 and VictoriaMetrics. Others, who do not know its flag, store a latency of 0, or refuse the request.
var markerPaths = []string{"/api/v1/otlp" + metricsPath, "/opentelemetry" + metricsPath}

// ends sets what the default of otlp.end_markers is for the endpoint.
func (s *settingsReader) ends(o *OTLP) {
	if _, given := s.origins["otlp.end_markers"]; given {
		return
	}
	o.EndMarkers = slices.ContainsFunc(markerPaths, func(path string) bool { return strings.HasSuffix(o.Endpoint.Path, path) })
}

// httpPath is the path of requests to an endpoint with a path.
func httpPath(path string, from origin) string {
	if from.variable == metricsEndpoint {
		return "/" + strings.TrimPrefix(path, "/")
	}
	path = strings.TrimSuffix(path, "/")
	if !from.standard && strings.HasSuffix(path, metricsPath) {
		return path // a vendor's page may well give the whole URL, and a file has no other place for it
	}
	return path + metricsPath
}

package tracing

import (
	"crypto/tls"
	"log/slog"
	"net"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// Attribute keys of spans alone, and those of metrics that spans share. The facts of a run have theirs in the package
// metrics.
const (
	keyPhase    attribute.Key = metrics.KeyPhase
	keyStep     attribute.Key = "wsprobe.step"
	keyAnswered attribute.Key = "wsprobe.close.answered"
	keyTimeLeft attribute.Key = "wsprobe.tls.time_left"
)

// endpoint is what the attributes of a probe say about where it goes.
type endpoint struct {
	name, scheme, host, path string
	port                     int
}

func newEndpoint(probed []metrics.Attribute) endpoint {
	var e endpoint
	for _, a := range probed {
		switch a.Key {
		case metrics.KeyName:
			e.name = a.Value.String()
		case metrics.KeyScheme:
			e.scheme = a.Value.String()
		case metrics.KeyServerAddress:
			e.host = a.Value.String()
		case metrics.KeyServerPort:
			e.port = int(a.Value.Int64())
		case metrics.KeyPath:
			e.path = a.Value.String()
		}
	}
	return e
}

// url is the endpoint's, without a query: that can hold secrets.
func (e endpoint) url() string {
	host := e.host
	switch {
	case e.scheme == "ws" && e.port != 80, e.scheme == "wss" && e.port != 443:
		host = net.JoinHostPort(host, strconv.Itoa(e.port))
	case strings.Contains(host, ":"):
		host = "[" + host + "]"
	}
	return e.scheme + "://" + host + e.path
}

// attributes are those of the run's span that follow from the probe's.
func (e endpoint) attributes() []attribute.KeyValue {
	return []attribute.KeyValue{semconv.URLFull(e.url()), semconv.NetworkTransportTCP}
}

// errorType is empty for nothing that broke.
func errorType(t reasons.ErrorType) attribute.KeyValue { return semconv.ErrorTypeKey.String(string(t)) }

// runAttributes returns the attributes of a run's span. What was not measured is absent.
func runAttributes(r probe.Result) []attribute.KeyValue {
	return keyValues(metrics.Observation{Result: r}.Span())
}

// peer returns the attributes of the other end of the TCP connection, if there was one.
func peer(r probe.Result) []attribute.KeyValue {
	return keyValues(metrics.Observation{Result: r}.Peer())
}

// keyValues returns attributes in the types of OpenTelemetry.
func keyValues(all []metrics.Attribute) []attribute.KeyValue {
	kvs := make([]attribute.KeyValue, len(all))
	for i, a := range all {
		key := attribute.Key(a.Key)
		switch a.Value.Kind() {
		case slog.KindInt64:
			kvs[i] = key.Int64(a.Value.Int64())
		case slog.KindFloat64:
			kvs[i] = key.Float64(a.Value.Float64())
		case slog.KindBool:
			kvs[i] = key.Bool(a.Value.Bool())
		default:
			kvs[i] = key.String(a.Value.String())
		}
	}
	return kvs
}

// phaseAttributes are those of the span of a phase.
func phaseAttributes(p probe.Phase, e endpoint, r probe.Result) []attribute.KeyValue {
	switch p {
	case probe.PhaseConnect:
		return append(peer(r), semconv.NetworkTransportTCP)
	case probe.PhaseTLS:
		return tlsAttributes(e, r)
	case probe.PhaseUpgrade:
		return upgradeAttributes(e, r)
	case probe.PhaseClose:
		return []attribute.KeyValue{keyAnswered.Bool(r.Phases[p].State == probe.SpanEnded)}
	default:
		return nil
	}
}

// tlsAttributes are what the TLS handshake came to.
func tlsAttributes(e endpoint, r probe.Result) []attribute.KeyValue {
	established := r.TLSVersion != 0
	kvs := []attribute.KeyValue{semconv.ServerAddress(e.host), semconv.ServerPort(e.port), semconv.TLSEstablished(established)}
	if established {
		kvs = append(kvs, semconv.TLSProtocolNameTLS, semconv.TLSProtocolVersion(tlsVersion(r.TLSVersion)),
			semconv.TLSCipher(tls.CipherSuiteName(r.TLSCipher)), semconv.TLSResumed(false))
	}
	if r.ALPN != "" {
		kvs = append(kvs, semconv.TLSNextProtocol(r.ALPN))
	}
	if !r.CertificateExpiry.IsZero() {
		kvs = append(kvs, keyTimeLeft.Float64(float64(r.CertificateExpiry.UnixMilli()-r.Ended.UnixMilli())/1000))
	}
	return kvs
}

// tlsVersion is the number of a version alone: 1.3.
func tlsVersion(v uint16) string { return strings.TrimPrefix(tls.VersionName(v), "TLS ") }

// upgradeAttributes are those of an HTTP request.
func upgradeAttributes(e endpoint, r probe.Result) []attribute.KeyValue {
	kvs := append(peer(r), semconv.HTTPRequestMethodGet, semconv.URLFull(e.url()), semconv.URLScheme(e.scheme),
		semconv.ServerAddress(e.host), semconv.ServerPort(e.port),
		semconv.NetworkTransportTCP, semconv.NetworkProtocolName("http"), semconv.NetworkProtocolVersion("1.1"))
	if r.HTTPStatus != 0 {
		kvs = append(kvs, semconv.HTTPResponseStatusCode(r.HTTPStatus))
	}
	return kvs
}

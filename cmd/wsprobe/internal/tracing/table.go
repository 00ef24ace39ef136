package tracing

import (
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// Span is one row of the table of spans.
type Span struct {
	Name        string
	Kind        string // internal or client
	Description string
	// Attributes are the keys that it can bear. What is not known is absent.
	Attributes []string
}

// Table returns the table of every span that a [Builder] makes. That of the run bears the attributes of its probe and
// their labels besides.
func Table() []Span {
	connected := []attribute.Key{semconv.NetworkTransportKey, semconv.NetworkTypeKey, semconv.NetworkPeerAddressKey, semconv.NetworkPeerPortKey}
	protocol := []attribute.Key{semconv.NetworkProtocolNameKey, semconv.NetworkProtocolVersionKey}
	server := []attribute.Key{semconv.ServerAddressKey, semconv.ServerPortKey}
	return []Span{
		{"probe NAME", "client", "The whole run, close handshake included.",
			append([]string{string(semconv.URLFullKey), string(semconv.NetworkTransportKey)}, metrics.SpanKeys()...)},
		{"dns", "internal", "Looking the host up; absent for an address.", keys([]attribute.Key{semconv.ErrorTypeKey, keyPhase})},
		{"connect", "internal", "The TCP connection, and the proxy's tunnel if there is one.",
			keys(connected, []attribute.Key{semconv.ErrorTypeKey, keyPhase})},
		{"tls", "internal", "The TLS handshake; wss:// only.", keys(server, []attribute.Key{semconv.TLSEstablishedKey,
			semconv.TLSProtocolNameKey, semconv.TLSProtocolVersionKey, semconv.TLSCipherKey, semconv.TLSNextProtocolKey, semconv.TLSResumedKey,
			keyTimeLeft, semconv.ErrorTypeKey, keyPhase})},
		{"upgrade", "client", "The upgrade request and its answer; the parent of the endpoint's own spans.",
			keys([]attribute.Key{semconv.HTTPRequestMethodKey, semconv.HTTPResponseStatusCodeKey, semconv.URLFullKey, semconv.URLSchemeKey},
				server, connected, protocol, []attribute.Key{semconv.ErrorTypeKey, keyPhase})},
		{"round_trip", "internal", "From the message to its reply, or from the Ping to its Pong.", keys([]attribute.Key{semconv.ErrorTypeKey, keyPhase})},
		{"step N", "internal", "In place of round_trip: each step of an exchange that began. The one that is the round trip has the phase.",
			keys([]attribute.Key{keyStep, semconv.ErrorTypeKey, keyPhase})},
		{"close", "internal", "The close handshake, and whether the endpoint took part in it.", keys([]attribute.Key{keyAnswered, keyPhase})},
	}
}

func keys(lists ...[]attribute.Key) []string {
	var all []string
	for _, list := range lists {
		for _, key := range list {
			all = append(all, string(key))
		}
	}
	return all
}

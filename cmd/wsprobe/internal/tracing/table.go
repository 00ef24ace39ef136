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
		{"session NAME", "client", "A held session, from its attempt to its end; in place of a run. It is made once the next open has met something.",
			append(append([]string{string(semconv.URLFullKey), string(semconv.NetworkTransportKey)}, metrics.SpanKeys()...),
				append(metrics.SessionKeys(), string(keyDropped))...)},
		{"prepare", "internal", "Fetching credentials and the request of prepare; absent without either.", keys([]attribute.Key{semconv.ErrorTypeKey, keyPhase})},
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

// SpanEvent is one row of the table of the events of a session's span.
type SpanEvent struct {
	Name, Description string
	Attributes        []string
}

// Events returns the table of the events of a session's span.
func Events() []SpanEvent {
	return []SpanEvent{
		{EventOpened, "The session opened, and its exchange ended.", nil},
		{EventFirst, "The first wanted message came.", nil},
		{EventUnanswered, "A Ping had no answer of its own in time, but another Pong came.", nil},
		{EventLost, "Numbers of the sequence are missing before a message; how many.", []string{string(keyLost)}},
		{EventRepeated, "A number of the sequence came again.", nil},
		{EventDisordered, "A number of the sequence came late.", nil},
		{EventRenewalDue, "The session has reached max_lifetime, and the next one is opened first.", nil},
		{EventEnded, "The session ended.", nil},
	}
}

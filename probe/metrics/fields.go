package metrics

import (
	"log/slog"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
)

// fields is the only place where a fact of a result is described. It does not change.
var fields = []Field{
	{Key: "probe", Type: TypeText, Doc: "name of the probe; of once URL, its URL",
		value: func(o *Observation) slog.Value { return slog.StringValue(o.Probe.target.Name) }},
	{Key: "url", Type: TypeText, Doc: "endpoint, without its query",
		value: func(o *Observation) slog.Value { return slog.StringValue(o.Probe.target.URL) }},
	{Key: "started_at", Type: TypeTime, Doc: "start of the run, UTC",
		value: func(o *Observation) slog.Value { return slog.TimeValue(o.Result.Started.UTC()) }},
	{Key: "ended_at", Type: TypeTime, Doc: "when the outcome was fixed, before the close handshake",
		value: func(o *Observation) slog.Value { return slog.TimeValue(o.Result.Ended.UTC()) }},
	{Key: "interpretation", Type: TypeText, Doc: "which value is the headline",
		value: func(o *Observation) slog.Value { return slog.StringValue(string(o.Probe.target.Interpretation)) }},
	{Key: "value", Type: TypeNumber, Doc: "the headline; null for no data", value: headline},
	{Key: "unit", Type: TypeText, Doc: "of value: ms, or empty",
		value: func(o *Observation) slog.Value { return slog.StringValue(o.Probe.target.Interpretation.Unit()) }},
	{Key: "status", Type: TypeText, Doc: "healthy, degraded, unhealthy or no_data; null without thresholds",
		value: func(o *Observation) slog.Value {
			return known(o.Health.Status != health.Unknown, slog.StringValue(o.Health.Status.String()))
		}},
	{Key: "maintenance", Attribute: KeyMaintenance, Type: TypeBool, line: 14, record: 14,
		Doc:   "the probe was in a maintenance window, so the result counts neither as success nor as failure",
		value: maintained, telling: func(o *Observation) bool { return o.Maintained }},
	{Key: "reason", Attribute: KeyReason, Type: TypeText, Doc: "ok, or one of the five codes", line: 1, record: 1, span: 1,
		value: func(o *Observation) slog.Value { return slog.StringValue(o.Result.Reason.String()) }},
	{Key: "error_type", Attribute: KeyErrorType, Type: TypeText, Doc: "what broke", line: 2, record: 2, span: 8,
		value: func(o *Observation) slog.Value { return text(string(o.Result.ErrorType)) }},
	{Key: "detail", Attribute: "wsprobe.detail", Type: TypeText, Doc: "the error, for people", line: 3, record: 3,
		value: func(o *Observation) slog.Value { return text(o.Result.Detail) }},
	{Key: "hint", Type: TypeText, Doc: "what to do about it, or about a close by the server after a run that is ok",
		value: func(o *Observation) slog.Value { return text(o.Hint()) }},
	{Key: "handshake_ms", Attribute: "wsprobe.handshake_latency", Type: TypeNumber, Doc: "from the start to the open socket", span: 14,
		value: func(o *Observation) slog.Value { return known(o.Result.Opened, millis(o.Result.Handshake)) }},
	{Key: "round_trip_ms", Attribute: "wsprobe.round_trip_latency", Type: TypeNumber, span: 15,
		Doc:   "from the message to the matching reply, or to the Pong",
		value: func(o *Observation) slog.Value { return known(o.Result.Replied, millis(o.Result.RoundTrip)) }},
	{Key: "connection_success", Type: TypeNumber, Doc: "1 if the socket opened, else 0", value: opened},
	{Key: "clock", Attribute: "wsprobe.clock", Type: TypeText, Doc: "whose clock ended the latencies: kernel or user", span: 9,
		value: func(o *Observation) slog.Value { return text(string(o.Result.TimestampSource)) }},
	{Key: "start_delay_ms", Attribute: "wsprobe.start_delay", Type: TypeNumber, Doc: "how late the run was started", span: 2,
		value: func(o *Observation) slog.Value { return millis(o.Result.StartDelay) }},
	{Key: "lag_ms", Attribute: "wsprobe.lag", Type: TypeNumber, span: 3,
		Doc:   "how late the agent saw what decided the run; in no latency that the kernel's clock ended",
		value: func(o *Observation) slog.Value { return millis(o.Result.Lag) }},
	{Key: "local_overload", Attribute: keyOverload, Type: TypeBool, line: 12, record: 13,
		Doc:   "one of the two was over 100 ms: the agent's machine is busy, and may be what the result shows",
		value: overloaded, telling: func(o *Observation) bool { return o.Result.Overloaded() }},
	{Key: "phases_ms", Type: TypeNamed, Doc: "prepare, dns, connect, tls, upgrade, round_trip, close: those that ended", value: phases},
	{Key: "steps_ms", Type: TypeNumbers, Doc: "of an exchange; null for a step that did not end", value: steps},
	{Key: "http_status", Attribute: KeyHTTPStatus, Type: TypeNumber, line: 7, record: 4,
		Doc:   "of the response to the upgrade, or of the refusal of a proxy",
		value: func(o *Observation) slog.Value { return count(o.Result.HTTPStatus) }},
	{Key: "http_body", Attribute: "wsprobe.refusal.body", Type: TypeText, Doc: "beginning of the body of a refusal", line: 8, record: 5,
		value: func(o *Observation) slog.Value { return text(o.Result.Body) }},
	{Key: "subprotocol", Attribute: "wsprobe.subprotocol", Type: TypeText, span: 10,
		Doc:     "the one picked; empty if none was, null if the socket never opened",
		value:   func(o *Observation) slog.Value { return known(o.Result.Opened, slog.StringValue(o.Result.Subprotocol)) },
		telling: func(o *Observation) bool { return o.Result.Subprotocol != "" }},
	{Key: "extensions", Attribute: "wsprobe.extensions", Type: TypeText, span: 11,
		Doc:     "permessage-deflate as agreed upon; empty if nothing was, null if the socket never opened",
		value:   func(o *Observation) slog.Value { return known(o.Result.Opened, slog.StringValue(o.Result.Extensions)) },
		telling: func(o *Observation) bool { return o.Result.Extensions != "" }},
	{Key: "close_code", Attribute: "wsprobe.close.code", Type: TypeNumber, line: 4, record: 6, span: 16,
		Doc: "how the connection ended, if the probe was not the first to close, also of a run that is ok; " +
			"1005 for a close frame without one, 1006 for an end without a close frame",
		value: func(o *Observation) slog.Value { return count(o.Result.CloseCode) }},
	{Key: "close_reason", Attribute: "wsprobe.close.reason", Type: TypeText, Doc: "the text beside the code", line: 5, record: 7,
		value: func(o *Observation) slog.Value { return text(o.Result.CloseReason) }},
	{Key: "close_sent_by", Attribute: "wsprobe.close.sent_by", Type: TypeText, line: 6, record: 8, span: 17,
		Doc:     "server, or probe after a breach; null without a close frame",
		value:   func(o *Observation) slog.Value { return text(o.Result.CloseSentBy()) },
		telling: func(o *Observation) bool { return o.Result.CloseByProbe }},
	{Key: "unmatched_messages", Attribute: "wsprobe.unmatched_messages", Type: TypeNumber, line: 9, record: 9, span: 18,
		Doc:     "messages that came and were not the reply",
		value:   func(o *Observation) slog.Value { return slog.IntValue(o.Result.Unmatched) },
		telling: func(o *Observation) bool { return o.Result.Unmatched > 0 }},
	{Key: "last_reply", Attribute: "wsprobe.last_reply", Type: TypeText, Doc: "beginning of the last of them", line: 10, record: 10,
		value: func(o *Observation) slog.Value {
			return known(o.Result.Unmatched > 0, slog.StringValue(o.Result.LastReply))
		},
		telling: func(o *Observation) bool { return o.Result.LastReply != "" }},
	{Key: "peer", Type: TypeText, Doc: "address at the other end, of the proxy if there is one", line: 11,
		value: func(o *Observation) slog.Value { return text(o.Result.Peer) }},
	{Key: "certificate_expires_at", Type: TypeTime, Doc: "null if none was seen", value: expiry},
	{Key: "trace_id", Type: TypeText, Doc: "of the trace of the run; null if none is exported", line: 13,
		value: func(o *Observation) slog.Value {
			return known(o.Result.Traced(), slog.StringValue(o.Result.Trace.Hex()))
		}},

	{Attribute: KeyPeerAddress, Type: TypeText, record: 11, span: 5, value: peerAddress},
	{Attribute: KeyPeerPort, Type: TypeNumber, record: 12, span: 6, value: peerPort},
	{Attribute: KeyNetworkType, Type: TypeText, span: 7, value: peerFamily},
	{Attribute: KeyProtocolName, Type: TypeText, span: 12,
		value: func(o *Observation) slog.Value { return known(o.Result.Opened, slog.StringValue("websocket")) }},
	{Attribute: KeyProtocolVersion, Type: TypeText, span: 13,
		value: func(o *Observation) slog.Value { return known(o.Result.Opened, slog.StringValue("13")) }}, // RFC 6455 4.1
	// A span says of every run whether it was disturbed, so that a search can exclude those that were.
	{Attribute: keyOverload, Type: TypeBool, span: 4, value: overloaded},
}

const keyOverload = "wsprobe.local_overload"

// known returns a value if it is known.
func known(is bool, v slog.Value) slog.Value {
	if !is {
		return slog.Value{}
	}
	return v
}

// text is known unless it is empty.
func text(s string) slog.Value { return known(s != "", slog.StringValue(s)) }

// count is known unless it is 0.
func count(n int) slog.Value { return known(n != 0, slog.IntValue(n)) }

func millis(d time.Duration) slog.Value { return slog.Float64Value(probe.Millis(d)) }

func headline(o *Observation) slog.Value {
	value, measured := o.Probe.target.Interpretation.Value(o.Result)
	return known(measured, slog.Float64Value(value))
}

func opened(o *Observation) slog.Value {
	if o.Result.Opened {
		return slog.IntValue(1)
	}
	return slog.IntValue(0)
}

func maintained(o *Observation) slog.Value { return slog.BoolValue(o.Maintained) }

func overloaded(o *Observation) slog.Value { return slog.BoolValue(o.Result.Overloaded()) }

func expiry(o *Observation) slog.Value {
	return known(!o.Result.CertificateExpiry.IsZero(), slog.TimeValue(o.Result.CertificateExpiry.UTC()))
}

func phases(o *Observation) slog.Value {
	ended := make(map[string]float64)
	for phase, span := range o.Result.Phases {
		if span.State == probe.SpanEnded {
			ended[probe.Phase(phase).String()] = probe.Millis(span.Duration())
		}
	}
	return slog.AnyValue(ended)
}

func steps(o *Observation) slog.Value {
	var all []*float64
	for _, span := range o.Result.Steps {
		var length *float64
		if span.State == probe.SpanEnded {
			length = new(probe.Millis(span.Duration()))
		}
		all = append(all, length)
	}
	return known(all != nil, slog.AnyValue(all))
}

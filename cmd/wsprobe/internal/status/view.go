package status

import (
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
)

// View is a result as JSON: one object per line of `wsprobe once --json`, one element of the API's answer.
// What was not measured is null, never 0. Texts are redacted, and the URL has no query. The doc tags are the README's.
type View struct {
	Probe             string             `json:"probe" doc:"name of the probe; of once URL, its URL"`
	URL               string             `json:"url" doc:"endpoint, without its query"`
	StartedAt         time.Time          `json:"started_at" doc:"start of the run, UTC"`
	EndedAt           time.Time          `json:"ended_at" doc:"when the outcome was fixed, before the close handshake"`
	Interpretation    string             `json:"interpretation" doc:"which value is the headline"`
	Value             *float64           `json:"value" doc:"the headline; null for no data"`
	Unit              string             `json:"unit" doc:"of value: ms, or empty"`
	Status            *string            `json:"status" doc:"healthy, degraded, unhealthy or no_data; null without thresholds"`
	Reason            string             `json:"reason" doc:"ok, or one of the five codes"`
	ErrorType         *string            `json:"error_type" doc:"what broke"`
	Detail            *string            `json:"detail" doc:"the error, for people"`
	Hint              *string            `json:"hint" doc:"what to do about it, or about a close by the server after a run that is ok"`
	HandshakeMS       *float64           `json:"handshake_ms" doc:"from the start to the open socket"`
	RoundTripMS       *float64           `json:"round_trip_ms" doc:"from the message to the matching reply, or to the Pong"`
	ConnectionSuccess int                `json:"connection_success" doc:"1 if the socket opened, else 0"`
	Clock             *string            `json:"clock" doc:"whose clock ended the latencies: kernel or user"`
	StartDelayMS      float64            `json:"start_delay_ms" doc:"how late the run was started"`
	LagMS             float64            `json:"lag_ms" doc:"how late the agent saw what decided the run; in no latency that the kernel's clock ended"`
	LocalOverload     bool               `json:"local_overload" doc:"one of the two was over 100 ms: the agent's machine is busy, and may be what the result shows"`
	PhasesMS          map[string]float64 `json:"phases_ms" doc:"dns, connect, tls, upgrade, round_trip, close: those that ended"`
	StepsMS           []*float64         `json:"steps_ms" doc:"of an exchange; null for a step that did not end"`
	HTTPStatus        *int               `json:"http_status" doc:"of the response to the upgrade, or of the refusal of a proxy"`
	HTTPBody          *string            `json:"http_body" doc:"beginning of the body of a refusal"`
	Subprotocol       *string            `json:"subprotocol" doc:"the one picked; empty if none was, null if the socket never opened"`
	Extensions        *string            `json:"extensions" doc:"permessage-deflate as agreed upon; empty if nothing was, null if the socket never opened"`
	CloseCode         *int               `json:"close_code" doc:"how the connection ended, if the probe was not the first to close, also of a run that is ok; 1005 for a close frame without one, 1006 for an end without a close frame"`
	CloseReason       *string            `json:"close_reason" doc:"the text beside the code"`
	CloseSentBy       *string            `json:"close_sent_by" doc:"server, or probe after a breach; null without a close frame"`
	UnmatchedMessages int                `json:"unmatched_messages" doc:"messages that came and were not the reply"`
	LastReply         *string            `json:"last_reply" doc:"beginning of the last of them"`
	Peer              *string            `json:"peer" doc:"address at the other end, of the proxy if there is one"`
	CertificateEnds   *time.Time         `json:"certificate_expires_at" doc:"null if none was seen"`
	TraceID           *string            `json:"trace_id" doc:"of the trace of the run; null if none is exported"`
}

// NewView shows a result of the probe with this name, URL and interpretation, and what the probe is after it.
func NewView(name, url string, in probe.Interpretation, r probe.Result, s health.Status) View {
	v := View{
		Probe:             name,
		URL:               probe.RedactURL(url),
		StartedAt:         r.Started.UTC(),
		EndedAt:           r.Ended.UTC(),
		Interpretation:    string(in),
		Unit:              in.Unit(),
		Status:            unless(s == health.Unknown, s.String()),
		Reason:            r.Reason.String(),
		ErrorType:         unless(r.ErrorType == "", string(r.ErrorType)),
		Detail:            unless(r.Detail == "", r.Detail),
		Hint:              unless(r.Hint(nil) == "", r.Hint(nil)),
		HandshakeMS:       unless(!r.Opened, probe.Millis(r.Handshake)),
		RoundTripMS:       unless(!r.Replied, probe.Millis(r.RoundTrip)),
		Clock:             unless(r.TimestampSource == "", string(r.TimestampSource)),
		StartDelayMS:      probe.Millis(r.StartDelay),
		LagMS:             probe.Millis(r.Lag),
		LocalOverload:     r.Overloaded(),
		PhasesMS:          make(map[string]float64),
		HTTPStatus:        unless(r.HTTPStatus == 0, r.HTTPStatus),
		HTTPBody:          unless(r.Body == "", r.Body),
		Subprotocol:       unless(!r.Opened, r.Subprotocol),
		Extensions:        unless(!r.Opened, r.Extensions),
		CloseCode:         unless(r.CloseCode == 0, r.CloseCode),
		CloseReason:       unless(r.CloseReason == "", r.CloseReason),
		CloseSentBy:       closeSentBy(r),
		UnmatchedMessages: r.Unmatched,
		LastReply:         unless(r.Unmatched == 0, r.LastReply),
		Peer:              unless(r.Peer == "", r.Peer),
		CertificateEnds:   unless(r.CertificateExpiry.IsZero(), r.CertificateExpiry.UTC()),
		TraceID:           unless(!r.Traced(), r.Trace.Hex()),
	}
	if value, measured := in.Value(r); measured {
		v.Value = &value
	}
	if r.Opened {
		v.ConnectionSuccess = 1
	}
	for phase, span := range r.Phases {
		if span.State == probe.SpanEnded {
			v.PhasesMS[probe.Phase(phase).String()] = probe.Millis(span.Duration())
		}
	}
	for _, span := range r.Steps {
		v.StepsMS = append(v.StepsMS, unless(span.State != probe.SpanEnded, probe.Millis(span.Duration())))
	}
	return v
}

// closeSentBy says whose close frame the code comes from. 1006 stands for none at all (RFC 6455 7.4.1).
func closeSentBy(r probe.Result) *string {
	by := "server"
	if r.CloseByProbe {
		by = "probe"
	}
	return unless(r.CloseCode == 0 || r.CloseCode == closeAbnormal, by)
}

// closeAbnormal is the code that no close frame bears (RFC 6455 7.4.1).
const closeAbnormal = 1006

// unless returns nil for what is absent, else the value.
func unless[T any](absent bool, value T) *T {
	if absent {
		return nil
	}
	return &value
}

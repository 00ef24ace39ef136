package status

import (
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

// View is a result as JSON: one object per line of `wsprobe once --json`, one element of the API's answer.
// What was not measured is null, never 0. Texts are redacted, and the URL has no query.
type View struct {
	Probe             string             `json:"probe"`
	URL               string             `json:"url"`
	StartedAt         time.Time          `json:"started_at"`
	EndedAt           time.Time          `json:"ended_at"`
	Interpretation    string             `json:"interpretation"`
	Value             *float64           `json:"value"` // null for no_data
	Unit              string             `json:"unit"`
	Reason            string             `json:"reason"` // "ok" or the code
	ErrorType         *string            `json:"error_type"`
	Detail            *string            `json:"detail"`
	Hint              *string            `json:"hint"`
	HandshakeMS       *float64           `json:"handshake_ms"`
	RoundTripMS       *float64           `json:"round_trip_ms"`
	ConnectionSuccess int                `json:"connection_success"`
	Clock             *string            `json:"clock"`     // kernel or user: whose time ended the latencies
	PhasesMS          map[string]float64 `json:"phases_ms"` // of the phases that ended
	StepsMS           []*float64         `json:"steps_ms"`  // of an exchange, null for a step that did not end
	HTTPStatus        *int               `json:"http_status"`
	HTTPBody          *string            `json:"http_body"`   // the beginning of a refusal's
	Subprotocol       *string            `json:"subprotocol"` // "" if the server picked none, null if it never opened
	CloseCode         *int               `json:"close_code"`
	CloseReason       *string            `json:"close_reason"`
	CloseSentBy       *string            `json:"close_sent_by"` // "server" or "probe"; null if there was no close frame
	UnmatchedMessages int                `json:"unmatched_messages"`
	LastReply         *string            `json:"last_reply"` // the beginning of the last message that did not match
	Peer              *string            `json:"peer"`
	CertificateEnds   *time.Time         `json:"certificate_expires_at"` // null if none was seen
}

// NewView shows a result of the probe with this name, URL and interpretation.
func NewView(name, url string, in probe.Interpretation, r probe.Result) View {
	v := View{
		Probe:             name,
		URL:               probe.RedactURL(url),
		StartedAt:         r.Started.UTC(),
		EndedAt:           r.Ended.UTC(),
		Interpretation:    string(in),
		Unit:              in.Unit(),
		Reason:            r.Reason.String(),
		ErrorType:         unless(r.ErrorType == "", string(r.ErrorType)),
		Detail:            unless(r.Detail == "", r.Detail),
		Hint:              unless(r.Reason == reasons.OK, reasons.Hint(r.Reason, r.ErrorType)),
		HandshakeMS:       unless(!r.Opened, probe.Millis(r.Handshake)),
		RoundTripMS:       unless(!r.Replied, probe.Millis(r.RoundTrip)),
		Clock:             unless(r.Clock == "", string(r.Clock)),
		PhasesMS:          make(map[string]float64),
		HTTPStatus:        unless(r.HTTPStatus == 0, r.HTTPStatus),
		HTTPBody:          unless(r.Body == "", r.Body),
		Subprotocol:       unless(!r.Opened, r.Subprotocol),
		CloseCode:         unless(r.CloseCode == 0, r.CloseCode),
		CloseReason:       unless(r.CloseReason == "", r.CloseReason),
		CloseSentBy:       closeSentBy(r),
		UnmatchedMessages: r.Unmatched,
		LastReply:         unless(r.Unmatched == 0, r.LastReply),
		Peer:              unless(r.Peer == "", r.Peer),
		CertificateEnds:   unless(r.CertificateExpiry.IsZero(), r.CertificateExpiry.UTC()),
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

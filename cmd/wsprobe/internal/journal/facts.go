package journal

import (
	"log/slog"

	"github.com/wsprobe/wsprobe/probe"
)

// facts are what is known of a failed run, by the names that its JSON has.
func facts(r probe.Result) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("reason", r.Reason.String()),
		slog.String("error_type", string(r.ErrorType)),
		slog.String("detail", r.Detail),
	}
	add := func(known bool, attr slog.Attr) {
		if known {
			attrs = append(attrs, attr)
		}
	}
	add(r.CloseCode != 0, slog.Int("close_code", r.CloseCode))
	add(r.CloseReason != "", slog.String("close_reason", r.CloseReason))
	add(r.CloseByProbe, slog.String("close_sent_by", "probe"))
	add(r.HTTPStatus != 0, slog.Int("http_status", r.HTTPStatus))
	add(r.Body != "", slog.String("http_body", r.Body))
	add(r.Unmatched > 0, slog.Int("unmatched_messages", r.Unmatched))
	add(r.LastReply != "", slog.String("last_reply", r.LastReply))
	add(r.Peer != "", slog.String("peer", r.Peer))
	add(r.Overloaded(), slog.Bool("local_overload", true))
	add(!r.Trace.IsZero(), slog.String("trace_id", r.Trace.Hex()))
	return attrs
}

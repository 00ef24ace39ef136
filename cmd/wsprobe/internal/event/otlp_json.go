package event

import (
	"encoding/hex"
	"log/slog"
	"strconv"
)

// tailJSON is what ends a message of otlp_json.
const tailJSON = "]}]}]}"

// headJSON is what begins each message of otlp_json (ExportLogsServiceRequest of OTLP 1, in its JSON): everything
// before the first record.
func headJSON(o *Options) string {
	head := []byte(`{"resourceLogs":[{"resource":{"attributes":[`)
	for i, a := range o.Resource {
		if i > 0 {
			head = append(head, ',')
		}
		head = appendAttributeJSON(head, a.Key, a.Value)
	}
	head = append(head, `]},"schemaUrl":"`+schemaURL+`","scopeLogs":[{"scope":{"name":"`+scopeName+`","version":`...)
	head = appendQuoted(head, o.Version)
	head = append(head, `},"schemaUrl":"`+schemaURL+`","logRecords":[`...)
	return " " + string(head)
}

// recordJSON appends an event as a log record. By the rules of OTLP numbers of 64 bits are texts, and ids hexadecimal.
func (e *Encoder) recordJSON(dst []byte, ev *Event, room *scratch) ([]byte, int) {
	r, slot := e.record(ev), -1
	at := strconv.FormatInt(max(0, nanos(r.at)), 10)
	dst = append(dst, `{"timeUnixNano":"`+at+`","observedTimeUnixNano":"`+at+`","severityNumber":`...)
	dst = strconv.AppendInt(dst, int64(r.severity), 10)
	dst = append(dst, `,"severityText":"`+r.level+`","eventName":`...)
	dst = appendQuoted(dst, r.name)
	dst = appendQuoted(append(dst, `,"body":{"stringValue":`...), r.body)
	dst = append(dst, `},"attributes":[`...)
	first := true
	e.attributes(ev, room, func(key string, v slog.Value, sends bool) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		if !sends {
			dst = appendAttributeJSON(dst, key, v)
			return
		}
		dst = appendQuoted(append(dst, `{"key":`...), key)
		dst = append(dst, `,"value":{"intValue":"`...)
		slot = len(dst)
		dst = append(dst, `"}}`...)
	})
	dst = append(dst, ']')
	if len(r.trace) > 0 {
		dst = hex.AppendEncode(append(dst, `,"traceId":"`...), r.trace)
		dst = hex.AppendEncode(append(dst, `","spanId":"`...), r.span)
		dst = append(dst, `","flags":`...)
		dst = strconv.AppendUint(dst, uint64(r.flags), 10)
	}
	return append(dst, '}'), slot
}

func appendAttributeJSON(dst []byte, key string, v slog.Value) []byte {
	dst = appendQuoted(append(dst, `{"key":`...), key)
	return append(appendAnyJSON(append(dst, `,"value":`...), v), '}')
}

// appendAnyJSON appends a value as an AnyValue.
func appendAnyJSON(dst []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindString:
		return append(appendQuoted(append(dst, `{"stringValue":`...), v.String()), '}')
	case slog.KindInt64:
		dst = strconv.AppendInt(append(dst, `{"intValue":"`...), v.Int64(), 10)
		return append(dst, `"}`...)
	case slog.KindFloat64:
		return append(appendFloat(append(dst, `{"doubleValue":`...), v.Float64()), '}')
	case slog.KindBool:
		return append(strconv.AppendBool(append(dst, `{"boolValue":`...), v.Bool()), '}')
	}
	numbers, is := v.Any().([]*float64)
	if !is {
		return append(dst, "{}"...)
	}
	dst = append(dst, `{"arrayValue":{"values":[`...)
	for i, n := range numbers {
		if i > 0 {
			dst = append(dst, ',')
		}
		if n == nil {
			dst = append(dst, "{}"...)
		} else {
			dst = appendAnyJSON(dst, slog.Float64Value(*n))
		}
	}
	return append(dst, "]}}"...)
}

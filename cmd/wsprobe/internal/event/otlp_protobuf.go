package event

import (
	"encoding/base64"
	"log/slog"
	"math"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// The numbers of fields in opentelemetry-proto, logs.proto and common.proto. They never change.
const (
	requestResourceLogs protowire.Number = 1

	resourceLogsResource protowire.Number = 1
	resourceLogsScopes   protowire.Number = 2
	resourceLogsSchema   protowire.Number = 3
	resourceAttributes   protowire.Number = 1

	scopeLogsScope   protowire.Number = 1
	scopeLogsRecords protowire.Number = 2
	scopeLogsSchema  protowire.Number = 3
	scopeNameField   protowire.Number = 1
	scopeVersion     protowire.Number = 2

	recordTime       protowire.Number = 1
	recordSeverity   protowire.Number = 2
	recordLevel      protowire.Number = 3
	recordBody       protowire.Number = 5
	recordAttributes protowire.Number = 6
	recordFlags      protowire.Number = 8
	recordTrace      protowire.Number = 9
	recordSpan       protowire.Number = 10
	recordObserved   protowire.Number = 11
	recordName       protowire.Number = 12

	keyValueKey   protowire.Number = 1
	keyValueValue protowire.Number = 2

	anyString   protowire.Number = 1
	anyBool     protowire.Number = 2
	anyInt      protowire.Number = 3
	anyDouble   protowire.Number = 4
	anyArray    protowire.Number = 5
	arrayValues protowire.Number = 1
)

// headProtobuf is everything in a message of otlp_protobuf but its records: the resource, and the scope.
func headProtobuf(o *Options) string {
	var about []byte
	for _, a := range o.Resource {
		about = appendAttribute(about, resourceAttributes, a.Key, a.Value)
	}
	resource := appendText(appendPart(nil, resourceLogsResource, about), resourceLogsSchema, schemaURL)
	who := appendText(appendText(nil, scopeNameField, scopeName), scopeVersion, strings.ToValidUTF8(o.Version, "\uFFFD"))
	scope := appendText(appendPart(nil, scopeLogsScope, who), scopeLogsSchema, schemaURL)
	return " " + base64.RawStdEncoding.EncodeToString(resource) + "." + base64.RawStdEncoding.EncodeToString(scope)
}

// joinProtobuf appends a request with the records.
func joinProtobuf(dst []byte, head string, parts []Part) []byte {
	first, second, _ := strings.Cut(head, ".")
	resource, _ := base64.RawStdEncoding.DecodeString(first) // of a damaged name, what comes before the damage
	scope, _ := base64.RawStdEncoding.DecodeString(second)
	size := len(scope)
	for i := range parts {
		size += sizeOfPart(parts[i].length())
	}
	dst = protowire.AppendTag(dst, requestResourceLogs, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(len(resource)+sizeOfPart(size)))
	dst = append(dst, resource...)
	dst = protowire.AppendTag(dst, resourceLogsScopes, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(size))
	dst = append(dst, scope...)
	for i := range parts {
		dst = protowire.AppendTag(dst, scopeLogsRecords, protowire.BytesType)
		dst = protowire.AppendVarint(dst, uint64(parts[i].length()))
		dst = parts[i].append(dst, true)
	}
	return dst
}

// length is that of the text with its number of sends, which takes one byte.
func (p *Part) length() int {
	if p.Slot < 0 {
		return len(p.Text)
	}
	return len(p.Text) + 1
}

// sizeOfPart is the size of a part of a message with its tag, whose number is below 16, and its length.
func sizeOfPart(length int) int { return 1 + protowire.SizeBytes(length) }

// recordProtobuf appends an event as a log record.
func (e *Encoder) recordProtobuf(dst []byte, ev *Event, room *scratch) ([]byte, int) {
	r, slot := e.record(ev), -1
	at := uint64(max(0, nanos(r.at)))
	dst = protowire.AppendFixed64(protowire.AppendTag(dst, recordTime, protowire.Fixed64Type), at)
	dst = protowire.AppendVarint(protowire.AppendTag(dst, recordSeverity, protowire.VarintType), uint64(r.severity))
	dst = appendText(dst, recordLevel, r.level)
	dst = appendPart(dst, recordBody, appendText(nil, anyString, r.body))
	e.attributes(ev, room, func(key string, v slog.Value, sends bool) {
		if !sends {
			dst = appendAttribute(dst, recordAttributes, key, v)
			return
		}
		const value = 2 // bytes: the tag, and the number of sends
		dst = protowire.AppendTag(dst, recordAttributes, protowire.BytesType)
		dst = protowire.AppendVarint(dst, uint64(sizeOfPart(len(key))+sizeOfPart(value)))
		dst = appendText(dst, keyValueKey, key)
		dst = protowire.AppendTag(dst, keyValueValue, protowire.BytesType)
		dst = protowire.AppendVarint(dst, value)
		dst = protowire.AppendTag(dst, anyInt, protowire.VarintType)
		slot = len(dst)
	})
	if len(r.trace) > 0 {
		dst = protowire.AppendFixed32(protowire.AppendTag(dst, recordFlags, protowire.Fixed32Type), r.flags)
		dst = appendPart(appendPart(dst, recordTrace, r.trace), recordSpan, r.span)
	}
	dst = protowire.AppendFixed64(protowire.AppendTag(dst, recordObserved, protowire.Fixed64Type), at)
	return appendText(dst, recordName, r.name), slot
}

func appendPart(dst []byte, number protowire.Number, part []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(dst, number, protowire.BytesType), part)
}

// appendText appends a text, which must be UTF-8.
func appendText(dst []byte, number protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(dst, number, protowire.BytesType), s)
}

// appendAttribute appends a KeyValue.
func appendAttribute(dst []byte, number protowire.Number, key string, v slog.Value) []byte {
	var room [512]byte
	value := appendAny(room[:0], v)
	key = strings.ToValidUTF8(key, "\uFFFD")
	dst = protowire.AppendTag(dst, number, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(sizeOfPart(len(key))+sizeOfPart(len(value))))
	return appendPart(appendText(dst, keyValueKey, key), keyValueValue, value)
}

// appendAny appends the content of an AnyValue.
func appendAny(dst []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindString:
		return appendText(dst, anyString, strings.ToValidUTF8(v.String(), "\uFFFD"))
	case slog.KindInt64:
		return protowire.AppendVarint(protowire.AppendTag(dst, anyInt, protowire.VarintType), uint64(v.Int64()))
	case slog.KindFloat64:
		return protowire.AppendFixed64(protowire.AppendTag(dst, anyDouble, protowire.Fixed64Type), math.Float64bits(v.Float64()))
	case slog.KindBool:
		return protowire.AppendVarint(protowire.AppendTag(dst, anyBool, protowire.VarintType), protowire.EncodeBool(v.Bool()))
	}
	numbers, is := v.Any().([]*float64)
	if !is {
		return dst
	}
	var values []byte
	for _, n := range numbers {
		var value []byte // empty for a null
		if n != nil {
			value = appendAny(nil, slog.Float64Value(*n))
		}
		values = appendPart(values, arrayValues, value)
	}
	return appendPart(dst, anyArray, values)
}

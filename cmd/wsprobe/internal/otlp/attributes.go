package otlp

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdkresource "go.opentelemetry.io/otel/sdk/resource"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
)

// resourceOf returns a resource as OTLP has it.
func resourceOf(r *sdkresource.Resource) *resource.Resource {
	return &resource.Resource{Attributes: keyValues(r.Attributes())}
}

// scopeOf returns a scope as OTLP has it.
func scopeOf(s instrumentation.Scope) *common.InstrumentationScope {
	return &common.InstrumentationScope{Name: s.Name, Version: s.Version, Attributes: keyValues(s.Attributes.ToSlice())}
}

func keyValues(kvs []attribute.KeyValue) []*common.KeyValue {
	all := make([]*common.KeyValue, 0, len(kvs))
	for _, kv := range kvs {
		all = append(all, keyValue(kv))
	}
	return all
}

func keyValue(kv attribute.KeyValue) *common.KeyValue {
	return &common.KeyValue{Key: string(kv.Key), Value: anyValue(kv.Value)}
}

// anyValue returns a value as OTLP has it. Lists and maps, which wsprobe does not use, become text.
func anyValue(v attribute.Value) *common.AnyValue {
	switch v.Type() {
	case attribute.EMPTY:
		return &common.AnyValue{}
	case attribute.BOOL:
		return &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: v.AsBool()}}
	case attribute.INT64:
		return &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: v.AsInt64()}}
	case attribute.FLOAT64:
		return &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: v.AsFloat64()}}
	case attribute.STRING:
		return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: v.AsString()}}
	}
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: v.String()}}
}

// nanos returns a time in nanoseconds since 1970; 0 for one before.
func nanos(t time.Time) uint64 { return uint64(max(0, t.UnixNano())) }

package telemetry

import (
	"cmp"
	"maps"
	"os"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// newResource describes this agent. Later attributes replace earlier ones: what the agent finds out by itself, what
// OTEL_RESOURCE_ATTRIBUTES or its like say, what the configuration says. Where the agent stands is no part of it, see
// [Options.common].
func newResource(o Options) *resource.Resource {
	kvs := []attribute.KeyValue{
		semconv.TelemetrySDKName("opentelemetry"),
		semconv.TelemetrySDKLanguageGo,
		semconv.TelemetrySDKVersion(sdk.Version()),
		semconv.ServiceName(DefaultServiceName),
		text(string(semconv.ServiceInstanceIDKey), o.InstanceID),
	}
	if host, err := os.Hostname(); err == nil { // a machine without a name is no reason to stop
		kvs = append(kvs, text(string(semconv.HostNameKey), host))
	}
	configured := func(key, value string) {
		if value != "" {
			kvs = append(kvs, text(key, value))
		}
	}
	configured(string(semconv.ServiceVersionKey), o.ServiceVersion)
	for _, key := range slices.Sorted(maps.Keys(o.Attributes)) {
		if key != keyLocation {
			kvs = append(kvs, text(key, o.Attributes[key]))
		}
	}
	configured(string(semconv.ServiceNameKey), o.ServiceName)
	return resource.NewWithAttributes(semconv.SchemaURL, kvs...)
}

// location is where the agent stands, empty if nobody said.
func (o Options) location() string { return cmp.Or(o.Location, o.Attributes[keyLocation]) }

// common are the attributes of every point: where the agent stands. In the resource they would be lost where Prometheus
// makes no labels of it, and be there twice where a back end does.
func (o Options) common() []metrics.Attribute {
	if o.location() == "" {
		return nil
	}
	return []metrics.Attribute{metrics.Text(keyLocation, o.location())}
}

// located returns a resource with the attributes that every point bears, for signals whose items do not bear them.
func (o Options) located(r *resource.Resource) *resource.Resource {
	if o.location() == "" {
		return r
	}
	return resource.NewWithAttributes(r.SchemaURL(), append(r.Attributes(), text(keyLocation, o.location()))...)
}

// Resource returns the attributes that describe this agent to a back end, for others that write log records. They are
// those of the records here, if o.InstanceID is set.
func (o Options) Resource() []metrics.Attribute {
	var all []metrics.Attribute
	for _, kv := range o.located(newResource(o)).Attributes() {
		all = append(all, metrics.Text(string(kv.Key), kv.Value.AsString()))
	}
	return all
}

// text is an attribute of the resource. What is not UTF-8 is replaced, because it would make whole requests
// unencodable.
func text(key, value string) attribute.KeyValue {
	a := metrics.Text(key, value)
	return attribute.String(a.Key, a.Value.String())
}

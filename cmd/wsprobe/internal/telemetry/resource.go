package telemetry

import (
	"maps"
	"os"
	"slices"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// newResource describes this agent. Later attributes replace earlier ones: what the agent finds out by
// itself, what OTEL_RESOURCE_ATTRIBUTES or its like say, what the configuration says.
func newResource(o Options, instance uuid.UUID) *resource.Resource {
	kvs := []attribute.KeyValue{
		semconv.TelemetrySDKName("opentelemetry"),
		semconv.TelemetrySDKLanguageGo,
		semconv.TelemetrySDKVersion(sdk.Version()),
		semconv.ServiceName(DefaultServiceName),
		semconv.ServiceInstanceID(instance.String()),
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
		kvs = append(kvs, text(key, o.Attributes[key]))
	}
	configured(string(semconv.ServiceNameKey), o.ServiceName)
	configured(keyLocation, o.Location)
	return resource.NewWithAttributes(semconv.SchemaURL, kvs...)
}

package config

import (
	"testing"
	"time"
)

// TestEndpoints: what becomes of an endpoint over each protocol, and of its absence.
func TestEndpoints(t *testing.T) {
	const general, metrics, protocol = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"
	for _, test := range []struct {
		name, otlp string // the latter as in the file
		variables  map[string]string
		want       string
	}{
		{"grpc/default", "", nil, "http://127.0.0.1:4317"},
		{"grpc/port", "endpoint: 'https://collector/'", nil, "https://collector:4317"},
		{"http/default", "protocol: http/protobuf", nil, "http://127.0.0.1:4318/v1/metrics"},
		{"http/host", "protocol: http/protobuf, endpoint: 'https://otlp.example.com'", nil, "https://otlp.example.com/v1/metrics"},
		{"http/base", "protocol: http/protobuf, endpoint: 'https://otlp.example.com:443/otlp/'", nil, "https://otlp.example.com:443/otlp/v1/metrics"},
		{"http/whole URL", "protocol: http/protobuf, endpoint: 'http://[::1]:4318/v1/metrics'", nil, "http://[::1]:4318/v1/metrics"},
		{"http/WSPROBE", "protocol: http/protobuf", map[string]string{"WSPROBE_OTLP_ENDPOINT": "http://a:1/b"}, "http://a:1/b/v1/metrics"},
		{"http/general", "", map[string]string{protocol: "http/protobuf", general: "http://a/b/"}, "http://a/b/v1/metrics"},
		{"http/general is always a base", "", map[string]string{protocol: "http/protobuf", general: "http://a/v1/metrics"}, "http://a/v1/metrics/v1/metrics"},
		{"http/metrics as it is", "", map[string]string{protocol: "http/protobuf", metrics: "http://a:4318/b"}, "http://a:4318/b"},
		{"http/metrics without path", "", map[string]string{protocol: "http/protobuf", metrics: "http://a:4318"}, "http://a:4318/"},
		{"http/metrics wins", "", map[string]string{protocol: "http/protobuf", metrics: "http://a/m", general: "http://b"}, "http://a/m"},
		{"protocol of metrics wins", "", map[string]string{protocol: "grpc", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/protobuf"},
			"http://127.0.0.1:4318/v1/metrics"},
		{"protocol of the file wins", "protocol: grpc", map[string]string{protocol: "http/protobuf"}, "http://127.0.0.1:4317"},
		{"WSPROBE wins", "protocol: grpc", map[string]string{"WSPROBE_OTLP_PROTOCOL": "http/protobuf"}, "http://127.0.0.1:4318/v1/metrics"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := loadWith(t, "otlp: {"+test.otlp+"}\n"+probesOnly, test.variables)
			if err != nil || got.OTLP.Endpoint.URL() != test.want {
				t.Errorf("got %v %v, want %s", got.OTLP.Endpoint, err, test.want)
			}
		})
	}
}

func TestSpool(t *testing.T) {
	for _, test := range []struct {
		name, otlp string
		variables  map[string]string
		want       Spool
	}{
		{"memory", "", nil, Spool{"", 32 << 20, 24 * time.Hour, "strict"}},
		{"memory of another size", "spool: {max_bytes: 64KiB}", nil, Spool{"", 64 << 10, 24 * time.Hour, "strict"}},
		{"disk", "spool: {dir: /var/spool/wsprobe}", nil, Spool{"/var/spool/wsprobe", 256 << 20, 24 * time.Hour, "strict"}},
		{"all", "spool: {dir: a b, max_bytes: 1TiB, max_age: 8760h}", nil, Spool{"a b", 1 << 40, 8760 * time.Hour, "strict"}},
		{"bytes", "spool: {dir: a, max_bytes: 65536, max_age: 1s}", nil, Spool{"a", 64 << 10, time.Second, "strict"}},
		{"variables", "spool: {dir: a}", map[string]string{"WSPROBE_OTLP_SPOOL_DIR": "b", "WSPROBE_OTLP_SPOOL_MAX_BYTES": "2GiB",
			"WSPROBE_OTLP_SPOOL_MAX_AGE": "1h"}, Spool{"b", 2 << 30, time.Hour, "strict"}},
		{"order", "spool: {order: interleave}", nil, Spool{"", 32 << 20, 24 * time.Hour, "interleave"}},
		{"taken away", "spool: {dir: a}", map[string]string{"WSPROBE_OTLP_SPOOL_DIR": ""}, Spool{"", 32 << 20, 24 * time.Hour, "strict"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := loadWith(t, "otlp: {"+test.otlp+"}\n"+probesOnly, test.variables)
			if err != nil || got.OTLP.Spool != test.want {
				t.Errorf("got %+v %v, want %+v", got.OTLP.Spool, err, test.want)
			}
		})
	}
}

// TestEndpointIsShownWithoutAKey: vendors put keys into paths.
func TestEndpointIsShownWithoutAKey(t *testing.T) {
	for path, want := range map[string]string{
		"": "https://otlp.example.com", "/v1/metrics": "https://otlp.example.com/v1/metrics", "/k3y/v1/metrics": "https://otlp.example.com/...",
	} {
		if got := (Endpoint{Address: "otlp.example.com", Path: path, Secure: true}).String(); got != want {
			t.Errorf("%q: got %s, want %s", path, got, want)
		}
	}
}

// TestEndMarkers: they are sent by default to receivers that are known to understand them.
func TestEndMarkers(t *testing.T) {
	for otlp, want := range map[string]bool{
		"endpoint: \"http://collector:4317\"":                                                           false,
		"protocol: http/protobuf, endpoint: \"http://collector:4318\"":                                  false,
		"protocol: http/protobuf, endpoint: \"http://prometheus:9090/api/v1/otlp\"":                     true,
		"protocol: http/protobuf, endpoint: \"https://host/a/prometheus/api/v1/otlp/v1/metrics\"":       true,
		"protocol: http/protobuf, endpoint: \"http://vm:8428/opentelemetry\"":                           true,
		"protocol: http/protobuf, endpoint: \"http://prometheus:9090/api/v1/otlp\", end_markers: false": false,
		"endpoint: \"http://collector:4317\", end_markers: true":                                        true,
	} {
		got, err := loadWith(t, "otlp: {"+otlp+"}\n"+probesOnly, nil)
		if err != nil || got.OTLP.EndMarkers != want {
			t.Errorf("%s: got %v %v, want %v", otlp, got.OTLP.EndMarkers, err, want)
		}
	}
}

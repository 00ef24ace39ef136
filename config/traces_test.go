package config

import (
	"strings"
	"testing"
)

// TestTraces: whether runs are traced, and which of them.
func TestTraces(t *testing.T) {
	const on = "otlp: {traces: true}\n" + probesOnly
	const overHTTP = "otlp: {traces: true, protocol: http/protobuf}\n" + probesOnly
	sampler := func(name, parameter string) map[string]string {
		return map[string]string{samplerVariable: name, samplerParameter: parameter}
	}
	for _, test := range []struct {
		name, file string
		variables  map[string]string
		traces     bool
		ratio      float64
	}{
		{"off", probesOnly, nil, false, 1},
		{"off, whatever is sampled", probesOnly, sampler("jaeger_remote", "x"), false, 1},
		{"on", on, nil, true, 1},
		{"file/none but failures", "otlp: {traces: true, trace_ratio: 0}\n" + probesOnly, nil, true, 0},
		{"file/off for now", "otlp: {traces: false, trace_ratio: 0.5}\n" + probesOnly, nil, false, 0.5},
		{"override/off for now", "otlp: {traces: true, trace_ratio: 0.5}\n" + probesOnly, map[string]string{"WSPROBE_OTLP_TRACES": "false"}, false, 0.5},
		{"file/share", "otlp: {traces: TRUE, trace_ratio: .125}\n" + probesOnly, sampler("jaeger_remote", "x"), true, 0.125},
		{"file/exponent", "otlp: {traces: true, trace_ratio: 5e-1}\n" + probesOnly, nil, true, 0.5},
		{"override", probesOnly, map[string]string{"WSPROBE_OTLP_TRACES": "true", "WSPROBE_OTLP_TRACE_RATIO": "0.5"}, true, 0.5},
		{"otel/exporter", probesOnly, map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, true, 1},
		{"otel/no exporter", probesOnly, map[string]string{"OTEL_TRACES_EXPORTER": "none"}, false, 1},
		{"otel/file over exporter", on, map[string]string{"OTEL_TRACES_EXPORTER": "jaeger"}, true, 1},
		{"otel/always_off", on, sampler("always_off", "1"), true, 0},
		{"otel/always_on", on, sampler("parentbased_always_on", "0"), true, 1},
		{"otel/ratio", on, sampler("parentbased_traceidratio", "0.25"), true, 0.25},
		{"otel/ratio without parameter", on, sampler("traceidratio", ""), true, 1},
		{"otel/same for both", overHTTP, map[string]string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "https://vendor/v1/metrics",
			"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://vendor/v1/traces", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "a=b",
			"OTEL_EXPORTER_OTLP_HEADERS": "a=b"}, true, 1},
		{"otel/file over variables", "otlp: {traces: true, headers: {a: b}}\n" + probesOnly,
			map[string]string{"OTEL_EXPORTER_OTLP_TRACES_HEADERS": "secret=secret"}, true, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := loadWith(t, test.file, test.variables)
			if err != nil {
				t.Fatal(err)
			}
			if o := got.OTLP; o.Traces != test.traces || o.TraceRatio != test.ratio {
				t.Errorf("got %v, %v, want %v, %v", o.Traces, o.TraceRatio, test.traces, test.ratio)
			}
		})
	}
}

// TestTraceFaults: variables that cannot be obeyed are named, if there are traces, and none of their secrets.
func TestTraceFaults(t *testing.T) {
	const on = "otlp: {traces: true}\n" + probesOnly
	for _, test := range []struct {
		name, file string
		variables  map[string]string
		want       string
	}{
		{"exporter", probesOnly, map[string]string{"OTEL_TRACES_EXPORTER": "jaeger"}, `OTEL_TRACES_EXPORTER: must be otlp or none, got "jaeger"`},
		{"sampler", on, map[string]string{samplerVariable: "jaeger_remote"},
			`OTEL_TRACES_SAMPLER: must be always_on, always_off or traceidratio, or one of these after parentbased_, got "jaeger_remote"`},
		{"sampler's parameter", on, map[string]string{samplerVariable: "traceidratio", samplerParameter: "2"},
			`OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1, got 2`},
		{"override/ratio", on, map[string]string{"WSPROBE_OTLP_TRACE_RATIO": "NaN"}, `WSPROBE_OTLP_TRACE_RATIO: must be a number from 0 to 1, got "NaN"`},
		{"override/ratio without traces", probesOnly, map[string]string{"WSPROBE_OTLP_TRACE_RATIO": "0.5"},
			"WSPROBE_OTLP_TRACE_RATIO: has no effect: otlp.traces is not true"},
		{"elsewhere", on, map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://secret@elsewhere", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE": "secret.pem"},
			`OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: must be the same as for metrics: traces go the same way; set OTEL_EXPORTER_OTLP_CERTIFICATE for both, or otlp.tls.ca_file
OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: must be the same as for metrics: traces go the same way; set OTEL_EXPORTER_OTLP_ENDPOINT for both, or otlp.endpoint`},
		{"otherwise", on, map[string]string{"OTEL_EXPORTER_OTLP_TRACES_HEADERS": "a=secret", "OTEL_EXPORTER_OTLP_HEADERS": "a=b"},
			`OTEL_EXPORTER_OTLP_TRACES_HEADERS: must be the same as for metrics: traces go the same way; set OTEL_EXPORTER_OTLP_HEADERS for both, or otlp.headers`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := loadWith(t, test.file, test.variables)
			if err == nil {
				t.Fatal("accepted")
			}
			if got := strings.ReplaceAll(err.Error(), "environment: ", ""); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

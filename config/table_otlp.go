package config

import (
	"regexp"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

var otlpSection = newSection("otlp", "otlp.", true, []field[Config]{
	{Field: Field{Path: "preset", Kind: Choice, Allowed: presetNames(), // the first, because the others depend on it
		Doc: "back end whose preset has the values of protocol, temporality, histograms, max_scale and end_markers about which " +
			"this file and the variables WSPROBE_ are silent"},
		value: wordAt(func(c *Config) *string { return &c.OTLP.Preset })},
	{Field: Field{Path: "endpoint", Kind: Text, Default: "http://127.0.0.1:4317", Pattern: "^[Hh][Tt][Tt][Pp][Ss]?://",
		Doc: "OTLP receiver, http:// or https://, then host:port (4317 by default) for grpc, or a URL for " +
			"http/protobuf, to which " +
			"/v1/metrics is appended; the default for that is http://127.0.0.1:4318",
		OTel: []string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"}},
		value: endpointAt(func(c *Config) *Endpoint { return &c.OTLP.Endpoint }), secret: public},
	{Field: Field{Path: "protocol", Kind: Choice, Default: "grpc", Allowed: []string{protocolGRPC, protocolHTTP, protocolNone},
		Doc: "protocol of exports: OTLP over gRPC, or in protobuf over HTTP; none turns them off, for agents whose " +
			"/metrics is scraped",
		OTel: []string{"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"}},
		value: wordAt(func(c *Config) *string { return &c.OTLP.Protocol })},
	{Field: Field{Path: "interval", Kind: Duration, Default: "10s", Min: int64(time.Second), Max: int64(time.Hour),
		Doc: "time between two exports", OTel: []string{"OTEL_METRIC_EXPORT_INTERVAL"}},
		value: durationAt(func(c *Config) *time.Duration { return &c.OTLP.Interval })},
	{Field: Field{Path: "timeout", Kind: Duration, Default: "10s", Min: int64(time.Millisecond), Max: int64(10 * time.Minute),
		Doc:  "time for one export",
		OTel: []string{"OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"}},
		value: durationAt(func(c *Config) *time.Duration { return &c.OTLP.Timeout })},
	{Field: Field{Path: "compression", Kind: Choice, Default: "gzip", Allowed: []string{"gzip", "none"},
		Doc:  "compression of exports",
		OTel: []string{"OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"}},
		value: wordAt(func(c *Config) *string { return &c.OTLP.Compression })},
	{Field: Field{Path: "temporality", Kind: Choice, Default: temporalityCumulative,
		Allowed: []string{temporalityCumulative, temporalityDelta, "lowmemory"},
		Doc: "over which time exported counters and histograms count: cumulative is from the start, delta from the export before, and " +
			"lowmemory is delta, but counters that the process itself reads stay cumulative",
		OTel: []string{temporalityVariable}},
		value: wordAt(func(c *Config) *string { return &c.OTLP.Temporality })},
	{Field: Field{Path: "histograms", Kind: Choice, Default: histogramsExplicit, Allowed: []string{histogramsExplicit, histogramsExponential},
		Doc: "buckets of exported histograms: explicit bounds, the same for all probes, or exponential ones, whose bounds follow " +
			"the values (native histograms in Prometheus 3)",
		OTel: []string{histogramsVariable}},
		value: wordAt(func(c *Config) *string { return &c.OTLP.Histograms })},
	{Field: Field{Path: "max_scale", Kind: Integer, Default: "20", Min: metrics.MinScale, Max: metrics.MaxScale,
		Doc: "finest scale of exponential buckets, whose bounds are powers of 2^(2^-scale); it falls by itself until 160 buckets hold all " +
			"values; 11 for VictoriaMetrics, which merges finer ones"},
		value: integerAt(func(c *Config) *int { return &c.OTLP.MaxScale })},
	{Field: Field{Path: "headers", Kind: Map, Max: maxMetadata,
		Doc:  "headers (gRPC metadata) of every export, for authentication for instance",
		OTel: []string{"OTEL_EXPORTER_OTLP_METRICS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"}},
		value: mapAt(func(c *Config) *map[string]string { return &c.OTLP.Headers }), secret: withheld, entry: metadataProblem, fold: true},
	{Field: Field{Path: "logs", Kind: Bool, Default: "false",
		Doc: "also export a log record of each failed run and of each change of state"},
		value: boolAt(func(c *Config) *bool { return &c.OTLP.Logs })},
	{Field: Field{Path: "traces", Kind: Bool, Default: "false",
		Doc:  "export each run as a trace, and send its endpoint a header traceparent",
		OTel: []string{"OTEL_TRACES_EXPORTER"}},
		value: boolAt(func(c *Config) *bool { return &c.OTLP.Traces })},
	{Field: Field{Path: "trace_ratio", Kind: Ratio, Default: "1", Max: 1,
		Doc:  "share of successful runs whose trace is exported; traces of failed runs always are",
		OTel: []string{samplerVariable}},
		value: ratioAt(func(c *Config) *float64 { return &c.OTLP.TraceRatio })},
	{Field: Field{Path: "end_markers", Kind: Bool, Default: "false",
		Doc: "end a latency series with a point without a value once a run has none, so that the last value is no " +
			"longer shown; " +
			"true by default where the endpoint is Prometheus 3 (/api/v1/otlp) or VictoriaMetrics (/opentelemetry)"},
		value: boolAt(func(c *Config) *bool { return &c.OTLP.EndMarkers })},
	{Field: Field{Path: "tls", Kind: Section, Doc: "certificates of the receiver and of this agent; https:// only"}},
	{Field: Field{Path: "spool", Kind: Section, Doc: "where exports wait while the receiver does not accept them"}},
})

var spoolSection = newSection("otlp.spool", "otlp.spool.", true, []field[Config]{
	{Field: Field{Path: "dir", Kind: Text, Max: 4096,
		Doc: "directory in which exports wait and survive a restart, created if it is absent, for one agent only; " +
			"\"\" for memory"},
		value: textAt(func(c *Config) *string { return &c.OTLP.Spool.Dir }, printableProblem), secret: public},
	{Field: Field{Path: "max_bytes", Kind: Size, Default: "256MiB", Min: 64 << 10, Max: 1 << 40,
		Doc: "maximum size of the exports that wait, compressed; beyond it the oldest are dropped; 32MiB by " +
			"default without dir"},
		value: sizeAt(func(c *Config) *int64 { return &c.OTLP.Spool.MaxBytes })},
	{Field: Field{Path: "max_age", Kind: Duration, Default: "24h", Min: int64(time.Second), Max: int64(365 * 24 * time.Hour),
		Doc: "maximum time that an export waits"},
		value: durationAt(func(c *Config) *time.Duration { return &c.OTLP.Spool.MaxAge })},
	{Field: Field{Path: "order", Kind: Choice, Default: orderStrict, Allowed: []string{orderStrict, orderInterleave},
		Doc: "order of exports after an outage: strict is the order of time, which Prometheus requires; interleave " +
			"alternates new exports with old ones"},
		value: wordAt(func(c *Config) *string { return &c.OTLP.Spool.Order })},
})

// Temporalities, see otlp.temporality.
const (
	temporalityCumulative = "cumulative"
	temporalityDelta      = "delta"
)

// The buckets of histograms, see otlp.histograms.
const (
	histogramsExplicit    = "explicit"
	histogramsExponential = "exponential"
)

// The orders of exports, see otlp.spool.order.
const (
	orderStrict     = "strict"
	orderInterleave = "interleave"
)

// maxMetadata is the most headers of exports.
const maxMetadata = 64

var metadataName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// ownMetadata are the names that gRPC or HTTP/2 set themselves, or drop without a word.
var ownMetadata = map[string]bool{
	"content-type": true, "user-agent": true, "te": true, "host": true, "connection": true, "keep-alive": true,
	"proxy-connection": true, "transfer-encoding": true, "upgrade": true, "content-length": true,
}

// metadataProblem checks a header of OTLP/gRPC: the grammar of custom metadata of gRPC over HTTP/2.
func metadataProblem(name, value string) (nameProblem, valueProblem string) {
	switch lower := strings.ToLower(name); {
	case !metadataName.MatchString(name):
		nameProblem = "must be named by letters, digits, _ . or -"
	case ownMetadata[lower], strings.HasPrefix(lower, "grpc-"):
		nameProblem = "is not allowed: gRPC sets it itself"
	case strings.HasSuffix(lower, "-bin"):
		return "", "" // binary metadata: gRPC encodes the value
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
		valueProblem = "must consist of visible ASCII characters and blanks"
	} else if strings.TrimSpace(value) != value {
		valueProblem = "must not begin or end with a blank"
	}
	return nameProblem, valueProblem
}

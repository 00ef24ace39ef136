package config

import (
	"log/slog"
	"net/url"
	"strconv"
	"time"

	"github.com/wsprobe/wsprobe/probe"
)

// This file is the one definition of the fields. Everything else reads it.

var rootSection = newSection("", "", true, []field[Config]{
	{Field: Field{Path: "agent", Kind: Section, Doc: "this agent itself"}},
	{Field: Field{Path: "otlp", Kind: Section, Doc: "where results go, over OTLP"}},
	{Field: Field{Path: "defaults", Kind: Section,
		Doc: "what probes inherit: any field of a probe but name and url"}},
	{Field: Field{Path: "probes", Kind: Sections, Required: true, Min: 1, Doc: "the probes, at least one"}},
})

var agentSection = newSection("agent", "agent.", true, []field[Config]{
	{Field: Field{Path: "listen", Kind: Text, Default: "127.0.0.1:9464",
		Doc: `host:port of the status page, of health checks and of /metrics; "" for none`},
		value: textAt(func(c *Config) *string { return &c.Agent.Listen }, listenProblem), secret: public},
	{Field: Field{Path: "hosts", Kind: List, Max: maxHosts,
		Doc: "names under which the status page may be asked for, beside localhost, addresses and the host of url; without it any name, " +
			"but none if listen is a loopback address"},
		value: listAt(func(c *Config) *[]string { return &c.Agent.Hosts }), secret: public},
	{Field: Field{Path: "max_concurrent", Kind: Integer, Default: "256", Min: 1, Max: 100_000,
		Doc: "maximum number of concurrent runs; a run beyond it is skipped and counted, a first run waits"},
		value: integerAt(func(c *Config) *int { return &c.Agent.MaxConcurrent })},
	{Field: Field{Path: "location", Kind: Text, Max: 256,
		Doc: "where this agent stands; the attribute wsprobe.location of all its metrics"},
		value: textAt(func(c *Config) *string { return &c.Agent.Location }, printableProblem), secret: public},
	{Field: Field{Path: "id", Kind: Text, Max: 256,
		Doc: "identity of this agent, the same after a restart: the attribute service.instance.id; the default is host:port of listen, " +
			"without a port host:otlp.spool.dir, else a random one"},
		value: textAt(func(c *Config) *string { return &c.Agent.ID }, printableProblem), secret: public},
	{Field: Field{Path: "url", Kind: Text, Max: 2048, Pattern: "^$|^[Hh][Tt][Tt][Pp][Ss]?://",
		Doc: "URL of the status page as people reach it, for links in alerts: the attribute wsprobe.agent.url of wsprobe.agent.build.info"},
		value: textAt(func(c *Config) *string { return &c.Agent.URL }, urlProblem), secret: public},
	{Field: Field{Path: "log_level", Kind: Choice, Default: "info", Allowed: []string{"debug", "info", "warn", "error"},
		Doc: "the least severe records that are logged"},
		value: levelAt(func(c *Config) *slog.Level { return &c.Agent.LogLevel })},
	{Field: Field{Path: "log_format", Kind: Choice, Default: "text", Allowed: []string{"text", "json"},
		Doc: "the form of log records"},
		value: wordAt(func(c *Config) *string { return &c.Agent.LogFormat })},
	{Field: Field{Path: "shard", Kind: Section, Doc: "which part of the probes this agent of a set runs"}},
})

var shardSection = newSection("agent.shard", "agent.shard.", true, []field[Shard]{
	{Field: Field{Path: "index", Kind: Integer, Max: maxShards - 1,
		Doc: "number of this agent, from 0; the pod-index of a StatefulSet, for instance"},
		value: integerAt(func(s *Shard) *int { return &s.Index })},
	{Field: Field{Path: "count", Kind: Integer, Min: 1, Max: maxShards,
		Doc: "how many agents share the probes of this file; each runs those whose name falls to it, and needs the same count"},
		value: integerAt(func(s *Shard) *int { return &s.Count })},
})

// The orders of exports, see otlp.spool.order.
const (
	orderStrict     = "strict"
	orderInterleave = "interleave"
)

// maxShards is how many agents may share a file.
const maxShards = 10_000

var otlpSection = newSection("otlp", "otlp.", true, []field[Config]{
	{Field: Field{Path: "endpoint", Kind: Text, Default: "http://127.0.0.1:4317", Pattern: "^[Hh][Tt][Tt][Pp][Ss]?://",
		Doc: "OTLP receiver, http:// or https://, then host:port (4317 by default) for grpc, or a URL for http/protobuf, to which " +
			"/v1/metrics is appended; the default for that is http://127.0.0.1:4318",
		OTel: []string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"}},
		value: endpointAt(func(c *Config) *Endpoint { return &c.OTLP.Endpoint }), secret: public},
	{Field: Field{Path: "protocol", Kind: Choice, Default: "grpc", Allowed: []string{protocolGRPC, protocolHTTP, protocolNone},
		Doc:  "how exports travel: OTLP over gRPC, or in protobuf over HTTP; none exports nothing, for who fetches /metrics and no more",
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
	{Field: Field{Path: "headers", Kind: Map, Max: maxMetadata,
		Doc:  "headers (gRPC metadata) sent with every export, to authenticate for instance",
		OTel: []string{"OTEL_EXPORTER_OTLP_METRICS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"}},
		value: mapAt(func(c *Config) *map[string]string { return &c.OTLP.Headers }), secret: withheld, entry: metadataProblem, fold: true},
	{Field: Field{Path: "logs", Kind: Bool, Default: "false",
		Doc: "also export a log record of each failed run and of each change of state"},
		value: boolAt(func(c *Config) *bool { return &c.OTLP.Logs })},
	{Field: Field{Path: "traces", Kind: Bool, Default: "false",
		Doc:  "export each run as a trace, and tell its endpoint of it in a header traceparent",
		OTel: []string{"OTEL_TRACES_EXPORTER"}},
		value: boolAt(func(c *Config) *bool { return &c.OTLP.Traces })},
	{Field: Field{Path: "trace_ratio", Kind: Ratio, Default: "1", Max: 1,
		Doc:  "share of the runs whose trace is exported though they are ok; those that fail always are",
		OTel: []string{samplerVariable}},
		value: ratioAt(func(c *Config) *float64 { return &c.OTLP.TraceRatio })},
	{Field: Field{Path: "end_markers", Kind: Bool, Default: "false",
		Doc: "end a latency series with a point without a value once a run has none, so that the last one is not shown any longer; " +
			"true by default where the endpoint is Prometheus 3 (/api/v1/otlp) or VictoriaMetrics (/opentelemetry)"},
		value: boolAt(func(c *Config) *bool { return &c.OTLP.EndMarkers })},
	{Field: Field{Path: "tls", Kind: Section, Doc: "how the receiver and this agent prove who they are; https:// only"}},
	{Field: Field{Path: "spool", Kind: Section, Doc: "where exports wait while the receiver does not take them"}},
})

var spoolSection = newSection("otlp.spool", "otlp.spool.", true, []field[Config]{
	{Field: Field{Path: "dir", Kind: Text, Max: 4096,
		Doc: "directory in which exports wait, made if it is absent, for one agent only; they outlive the agent there; \"\" for memory"},
		value: textAt(func(c *Config) *string { return &c.OTLP.Spool.Dir }, printableProblem), secret: public},
	{Field: Field{Path: "max_bytes", Kind: Size, Default: "256MiB", Min: 64 << 10, Max: 1 << 40,
		Doc: "what may wait, compressed, the oldest goes first; 32MiB by default without dir"},
		value: sizeAt(func(c *Config) *int64 { return &c.OTLP.Spool.MaxBytes })},
	{Field: Field{Path: "max_age", Kind: Duration, Default: "24h", Min: int64(time.Second), Max: int64(365 * 24 * time.Hour),
		Doc: "how long an export may wait"},
		value: durationAt(func(c *Config) *time.Duration { return &c.OTLP.Spool.MaxAge })},
	{Field: Field{Path: "order", Kind: Choice, Default: orderStrict, Allowed: []string{orderStrict, orderInterleave},
		Doc: "order of exports after an outage: strict is that of time, which Prometheus insists on; interleave sends every other one from the present"},
		value: wordAt(func(c *Config) *string { return &c.OTLP.Spool.Order })},
})

var probeSection = newSection("probes", "probes[].", false, []field[Probe]{
	{Field: Field{Path: "name", Kind: Text, Required: true, Min: 1, Max: 128,
		Doc: "name of the probe, unique in the file; the attribute wsprobe.name"},
		value: textAt(func(p *Probe) *string { return &p.Name }, nameProblem), secret: public},
	{Field: Field{Path: "url", Kind: Text, Required: true, Pattern: "^[Ww][Ss][Ss]?://",
		Doc: "endpoint, ws:// or wss://, without user information and fragment"},
		value: textAt(func(p *Probe) *string { return &p.Spec.URL }, nil), secret: toldInURL, spec: "URL"},
	{Field: Field{Path: "interval", Kind: Duration, Default: "60s", Min: int64(time.Second), Max: int64(24 * time.Hour),
		Doc: "time between the starts of two runs"},
		value: durationAt(func(p *Probe) *time.Duration { return &p.Interval })},
	{Field: Field{Path: "interpretation", Kind: Choice, Default: string(probe.HandshakeLatency),
		Allowed: words(probe.Interpretations()), Doc: "the headline value of a run"},
		value: wordAt(func(p *Probe) *probe.Interpretation { return &p.Spec.Interpretation }), spec: "Interpretation"},
	{Field: Field{Path: "timeout_ms", Kind: Milliseconds, Default: "10000",
		Min: probe.MinTimeout.Milliseconds(), Max: probe.MaxTimeout.Milliseconds(),
		Doc: "deadline of a run, from its start to the matching reply"},
		value: durationAt(func(p *Probe) *time.Duration { return &p.Spec.Timeout }), spec: "Timeout"},
	{Field: Field{Path: "ping_mode", Kind: Choice, Default: string(probe.PingNone), Allowed: words(probe.PingModes()),
		Doc: "how an answer is provoked: by send_message or exchange, by a Ping frame, or by both, which tells a silent application from a silent server; " +
			"for round_trip_latency the default is message, and none is an error"},
		value: wordAt(func(p *Probe) *probe.PingMode { return &p.Spec.PingMode }), spec: "PingMode"},
	{Field: Field{Path: "send_message", Kind: Text,
		Doc: "text message to send, at most 64 KiB; required for round_trip_latency by message, allowed only there"},
		value: textAt(func(p *Probe) *string { return &p.Spec.Send }, nil), secret: told, spec: "Send"},
	{Field: Field{Path: "expect_message", Kind: Text,
		Doc: "what the reply must contain, at most 64 KiB; any reply will do if empty; allowed with send_message only"},
		value: textAt(func(p *Probe) *string { return &p.Spec.Expect }, nil), secret: told, spec: "Expect"},
	{Field: Field{Path: "expect_pattern", Kind: Text,
		Doc: "in place of expect_message: a regular expression (RE2) that the reply must match somewhere; a binary reply is looked at byte by byte, \\x90 is the byte 0x90"},
		value: textAt(func(p *Probe) *string { return &p.Spec.ExpectPattern }, nil), secret: told, spec: "ExpectPattern"},
	{Field: Field{Path: "expect_json", Kind: Values,
		Doc: "in place of expect_message: what must stand where in a JSON reply, such as data.items.0.id: 7"},
		value: valuesAt(func(p *Probe) *map[string]any { return &p.Spec.ExpectJSON }), secret: told, spec: "ExpectJSON"},
	{Field: Field{Path: "exchange", Kind: Sections, Min: 1, Max: probe.MaxSteps,
		Doc: "in place of send_message and one reply: steps that send and expect, in order; {{nonce}} is fresh in every run; with every interpretation, but one from defaults goes to round_trip_latency only"},
		value: stepsAt(func(p *Probe) *[]probe.Step { return &p.Spec.Exchange }), spec: "Exchange"},
	{Field: Field{Path: "message_format", Kind: Choice, Default: string(probe.FormatText), Allowed: words(probe.MessageFormats()),
		Doc: "how send_message and expect_message are written; base64 and hex stand for bytes, sent as a binary message"},
		value: wordAt(func(p *Probe) *probe.MessageFormat { return &p.Spec.MessageFormat }), spec: "MessageFormat"},
	{Field: Field{Path: "protocols", Kind: List, Max: probe.MaxProtocols,
		Doc: "subprotocols to offer, in order of preference, at most 8 KiB each and 16 KiB together; one of more than 32 characters is taken for a token and never shown"},
		value: listAt(func(p *Probe) *[]string { return &p.Spec.Protocols }), secret: told, spec: "Protocols"},
	{Field: Field{Path: "expect_protocol", Kind: Text,
		Doc: "the one of protocols that the server must pick; another, or none, is bad_subprotocol"},
		value: textAt(func(p *Probe) *string { return &p.Spec.ExpectProtocol }, nil), secret: told, spec: "ExpectProtocol"},
	{Field: Field{Path: "headers", Kind: Map, Max: probe.MaxHeaders,
		Doc: "headers of the upgrade request; a Host replaces that of the url"},
		value: mapAt(func(p *Probe) *map[string]string { return &p.Spec.Headers }), secret: told, spec: "Headers", fold: true},
	{Field: Field{Path: "expect_status", Kind: Integer, Min: 200, Max: 599,
		Doc: "HTTP status of the refusal that is the right answer, for an endpoint that must stay shut; not with round_trip_latency"},
		value: integerAt(func(p *Probe) *int { return &p.Spec.ExpectStatus }), spec: "ExpectStatus"},
	{Field: Field{Path: "stay_open_ms", Kind: Milliseconds, Default: "0", Max: probe.MaxStayOpen.Milliseconds(),
		Doc: "how long the socket must stay open, from the 101 or the last step, for the run to be ok; less than timeout_ms"},
		value: durationAt(func(p *Probe) *time.Duration { return &p.Spec.StayOpen }), spec: "StayOpen"},
	{Field: Field{Path: "connect_to", Kind: Text,
		Doc: "host:port to connect to in place of the url's; the Host header and the TLS server name stay the url's"},
		value: textAt(func(p *Probe) *string { return &p.Spec.ConnectTo }, nil), secret: public, spec: "ConnectTo"},
	{Field: Field{Path: "proxy_url", Kind: Text, Pattern: "^$|^([Hh][Tt][Tt][Pp][Ss]?|[Ss][Oo][Cc][Kk][Ss]5[Hh]?)://",
		Doc: `proxy to tunnel through, http://, https:// or socks5://, then user:password@ if it wants them and host:port; "" for none; ` +
			"the default is what the environment prescribes"},
		value: proxyAt(func(p *Probe) **url.URL { return &p.Spec.Proxy }), secret: withheld, spec: "Proxy"},
	{Field: Field{Path: "ip_version", Kind: Choice, Default: string(probe.IPAny), Allowed: words(probe.IPVersions()),
		Doc: "the version of IP to connect with, to the proxy if there is one"},
		value: wordAt(func(p *Probe) *probe.IPVersion { return &p.Spec.IPVersion }), spec: "IPVersion"},
	{Field: Field{Path: "auth", Kind: Section,
		Doc: "credentials of the upgrade request, in place of a header Authorization; never shown to a proxy"},
		spec: "Authorize"},
	{Field: Field{Path: "tls", Kind: Section,
		Doc: "how the endpoint and this agent prove who they are; wss:// only, but ca_file also for an https:// proxy; field by field over that of defaults"},
		spec: "TLS"},
	{Field: Field{Path: "compression", Kind: Choice, Default: string(probe.CompressionOff), Allowed: words(probe.Compressions()),
		Doc: "whether to offer permessage-deflate (RFC 7692); a server may decline"},
		value: wordAt(func(p *Probe) *probe.Compression { return &p.Spec.Compression }), spec: "Compression"},
	{Field: Field{Path: "max_message_bytes", Kind: Integer, Default: strconv.Itoa(probe.DefaultMaxReply),
		Min: 1, Max: probe.MaxMaxReply, Doc: "the longest message that is accepted, inflated if it was compressed; a longer one is message_too_big"},
		value: integerAt(func(p *Probe) *int64 { return &p.Spec.MaxReply }), spec: "MaxReply"},
	{Field: Field{Path: "thresholds", Kind: Section,
		Doc: "which headline values are healthy, and which are not; field by field over those of defaults"}},
	{Field: Field{Path: "dwell", Kind: Section,
		Doc: "how long a change of status is held back, until it has lasted that long; field by field over that of defaults"}},
	{Field: Field{Path: "labels", Kind: Map, Max: maxLabels, Doc: "extra attributes of the probe's metrics"},
		value: mapAt(func(p *Probe) *map[string]string { return &p.Labels }), secret: public, entry: labelProblem},
})

// defaultsSection is what a probe can inherit.
var defaultsSection = func() *section[Probe] {
	s := *probeSection
	s.name = "defaults"
	s.refused = map[string]string{
		"name": "is not allowed in defaults: every probe has its own",
		"url":  "is not allowed in defaults: every probe has its own",
	}
	return &s
}()

// words returns the values of a string type as strings.
func words[S ~string](values []S) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

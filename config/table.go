package config

import (
	"net/url"
	"strconv"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/maintenance"
)

// The files table*.go are the one definition of the fields. Everything else reads them.

var rootSection = newSection("", "", true, []field[Config]{
	{Field: Field{Path: "agent", Kind: Section, Doc: "settings of this agent"}},
	{Field: Field{Path: "otlp", Kind: Section, Doc: "settings of the export over OTLP"}},
	{Field: Field{Path: "defaults", Kind: Section,
		Doc: "fields that probes inherit: any field of a probe but name and url"}},
	{Field: Field{Path: "probes", Kind: Sections, Doc: "the probes; at least one in all files together, unless targets are discovered or asked for"}},
	{Field: Field{Path: "modules", Kind: Sections, Max: maxModules,
		Doc: "probes without a url, for targets that come later: a name of its own and any other field of a probe"}},
	{Field: Field{Path: "discover", Kind: Sections, Max: maxDiscover, Doc: "sources of targets that come and go"}},
	{Field: Field{Path: "streams", Kind: Sections, Max: maxStreams,
		Doc: "WebSocket endpoints that results go to as events; they inherit nothing from defaults"}},
})

var probeSection = newSection("probes", "probes[].", false, []field[Probe]{
	{Field: Field{Path: "name", Kind: Text, Required: true, Min: 1, Max: 128,
		Doc: "name of the probe, unique in all files; the attribute wsprobe.name"},
		value: textAt(func(p *Probe) *string { return &p.Name }, nameProblem), secret: public},
	{Field: Field{Path: "url", Kind: Text, Required: true, Pattern: "^[Ww][Ss][Ss]?://",
		Doc: "endpoint, ws:// or wss://, without user information and fragment"},
		value: textAt(func(p *Probe) *string { return &p.Spec.URL }, nil), secret: sentInURL, spec: "URL"},
	{Field: Field{Path: "enabled", Kind: Bool, Default: "true",
		Doc: "false checks the probe and does not run it; not in defaults"},
		value: undigested(boolAt(func(p *Probe) *bool { return &p.enabled }))},
	{Field: Field{Path: "interval", Kind: Duration, Default: "60s", Min: int64(time.Second), Max: int64(24 * time.Hour),
		Doc: "time between the starts of two runs, or between two reports on a session"},
		value: durationAt(func(p *Probe) *time.Duration { return &p.Interval })},
	{Field: Field{Path: "interpretation", Kind: Choice, Default: string(probe.HandshakeLatency),
		Allowed: words(probe.Interpretations()), Doc: "headline value of a run"},
		value: wordAt(func(p *Probe) *probe.Interpretation { return &p.Spec.Interpretation }), spec: "Interpretation"},
	{Field: Field{Path: "timeout_ms", Kind: Milliseconds, Default: "10000",
		Min: probe.MinTimeout.Milliseconds(), Max: probe.MaxTimeout.Milliseconds(),
		Doc: "deadline of a run, from its start to the matching reply"},
		value: durationAt(func(p *Probe) *time.Duration { return &p.Spec.Timeout }), spec: "Timeout"},
	{Field: Field{Path: "ping_mode", Kind: Choice, Default: string(probe.PingNone), Allowed: words(probe.PingModes()),
		Doc: "message that provokes an answer: send_message or exchange, a Ping frame, or both, which distinguishes " +
			"a silent application from a silent server; " +
			"for round_trip_latency the default is message, and none is an error"},
		value: wordAt(func(p *Probe) *probe.PingMode { return &p.Spec.PingMode }), spec: "PingMode"},
	{Field: Field{Path: "send_message", Kind: Text,
		Doc: "message to send, at most 64 KiB; required for round_trip_latency by message, allowed only there"},
		value: textAt(func(p *Probe) *string { return &p.Spec.Send }, nil), secret: sent, spec: "Send"},
	{Field: Field{Path: "expect_message", Kind: Text,
		Doc: "text that the reply must contain, at most 64 KiB; empty accepts any reply; allowed with send_message only"},
		value: textAt(func(p *Probe) *string { return &p.Spec.Expect }, nil), secret: sent, spec: "Expect"},
	{Field: Field{Path: "expect_pattern", Kind: Text,
		Doc: "in place of expect_message: a regular expression (RE2) that the reply must match somewhere; it " +
			"matches a binary reply byte by byte, \\x90 is the byte 0x90"},
		value: textAt(func(p *Probe) *string { return &p.Spec.ExpectPattern }, nil), secret: sent, spec: "ExpectPattern"},
	{Field: Field{Path: "expect_json", Kind: Values,
		Doc: "in place of expect_message: the values that a JSON reply must have, by their paths, such as " +
			"data.items.0.id: 7"},
		value: valuesAt(func(p *Probe) *map[string]any { return &p.Spec.ExpectJSON }), secret: sent, spec: "ExpectJSON"},
	{Field: Field{Path: "exchange", Kind: Sections, Min: 1, Max: probe.MaxSteps,
		Doc: "in place of send_message and one reply: steps that send and expect, in order; {{nonce}} is fresh in " +
			"every run; with every interpretation, but one from defaults goes to round_trip_latency and to sessions only"},
		value: stepsAt(func(p *Probe) *[]probe.Step { return &p.Spec.Exchange }), spec: "Exchange"},
	{Field: Field{Path: "connections", Kind: Named,
		Doc: "what differs on the connections that steps of the exchange name with on, at most 8 with main; not in defaults"},
		value: connectionsAt(func(p *Probe) *map[string]connection { return &p.connections }), spec: "Connections"},
	{Field: Field{Path: "message_format", Kind: Choice, Default: string(probe.FormatText), Allowed: words(probe.MessageFormats()),
		Doc: "format of send_message and expect_message, of an exchange and a session; base64 and hex stand for the bytes of a binary message"},
		value: wordAt(func(p *Probe) *probe.MessageFormat { return &p.Spec.MessageFormat }), spec: "MessageFormat"},
	{Field: Field{Path: "protocols", Kind: List, Max: probe.MaxProtocols,
		Doc: "subprotocols to offer, in order of preference, at most 8 KiB each and 16 KiB together; one of more " +
			"than 32 characters counts as a token and is never shown"},
		value: listAt(func(p *Probe) *[]string { return &p.Spec.Protocols }), secret: sent, spec: "Protocols"},
	{Field: Field{Path: "expect_protocol", Kind: Text,
		Doc: "the one of protocols that the server must pick; another, or none, is bad_subprotocol"},
		value: textAt(func(p *Probe) *string { return &p.Spec.ExpectProtocol }, nil), secret: sent, spec: "ExpectProtocol"},
	{Field: Field{Path: "headers", Kind: Map, Max: probe.MaxHeaders,
		Doc: "headers of the upgrade request; a Host replaces that of the url"},
		value: mapAt(func(p *Probe) *map[string]string { return &p.Spec.Headers }), secret: sent, spec: "Headers", fold: true},
	{Field: Field{Path: "expect_status", Kind: Integer, Min: 200, Max: 599,
		Doc: "HTTP status of the refusal that an endpoint must answer with because it must stay shut; not with " +
			"round_trip_latency"},
		value: integerAt(func(p *Probe) *int { return &p.Spec.ExpectStatus }), spec: "ExpectStatus"},
	{Field: Field{Path: "stay_open_ms", Kind: Milliseconds, Default: "0", Max: probe.MaxStayOpen.Milliseconds(),
		Doc: "time that the socket must stay open, from the 101 or the last step, for the run to be ok; less than " +
			"timeout_ms"},
		value: durationAt(func(p *Probe) *time.Duration { return &p.Spec.StayOpen }), spec: "StayOpen"},
	{Field: Field{Path: "connect_to", Kind: Text,
		Doc: "host:port to connect to in place of the url's; the Host header and the TLS server name stay the url's"},
		value: textAt(func(p *Probe) *string { return &p.Spec.ConnectTo }, nil), secret: public, spec: "ConnectTo"},
	{Field: Field{Path: "proxy_url", Kind: Text, Pattern: "^$|^([Hh][Tt][Tt][Pp][Ss]?|[Ss][Oo][Cc][Kk][Ss]5[Hh]?)://",
		Doc: `proxy to tunnel through, http://, https:// or socks5://, then user:password@ if it wants them and host:port; "" for none; ` +
			"the default is the proxy that the environment prescribes"},
		value: proxyAt(func(p *Probe) **url.URL { return &p.Spec.Proxy }), secret: withheld, spec: "Proxy"},
	{Field: Field{Path: "ip_version", Kind: Choice, Default: string(probe.IPAny), Allowed: words(probe.IPVersions()),
		Doc: "version of IP of the connection, to the proxy if there is one"},
		value: wordAt(func(p *Probe) *probe.IPVersion { return &p.Spec.IPVersion }), spec: "IPVersion"},
	{Field: Field{Path: "auth", Kind: Section,
		Doc: "credentials of the upgrade request, in place of a header Authorization; never shown to a proxy"},
		spec: "Authorize"},
	{Field: Field{Path: "prepare", Kind: Section,
		Doc: "one HTTP request before the socket, in every run and before every open of a session: a login whose cookie the upgrade needs, " +
			"a ticket, a negotiation; within timeout_ms and in no latency; that of a probe replaces that of defaults, and {} takes it away"},
		value: prepareAt(func(p *Probe) **probe.Prepare { return &p.Spec.Prepare }), spec: "Prepare"},
	{Field: Field{Path: "tls", Kind: Section,
		Doc: "certificates of the endpoint and of this agent; wss:// only, but ca_file also for an https:// proxy; " +
			"field by field over that of defaults"},
		spec: "TLS"},
	{Field: Field{Path: "compression", Kind: Choice, Default: string(probe.CompressionOff), Allowed: words(probe.Compressions()),
		Doc: "whether to offer permessage-deflate (RFC 7692); a server may decline"},
		value: wordAt(func(p *Probe) *probe.Compression { return &p.Spec.Compression }), spec: "Compression"},
	{Field: Field{Path: "max_message_bytes", Kind: Integer, Default: strconv.Itoa(probe.DefaultMaxReply),
		Min: 1, Max: probe.MaxMaxReply, Doc: "maximum size of a received message, after decompression; a larger one is message_too_big"},
		value: integerAt(func(p *Probe) *int64 { return &p.Spec.MaxReply }), spec: "MaxReply"},
	{Field: Field{Path: "session", Kind: Section,
		Doc: "opens the endpoint once and holds the socket, in place of runs; field by field over that of defaults"}},
	{Field: Field{Path: "thresholds", Kind: Section,
		Doc: "conditions for healthy and unhealthy headline values; field by field over those of defaults"}},
	{Field: Field{Path: "dwell", Kind: Section,
		Doc: "time that a change of status must last before it is reported; field by field over that of defaults"}},
	{Field: Field{Path: "maintenance", Kind: Sections, Max: maxWindows,
		Doc: "windows in which the probe runs and counts neither as success nor as failure; in place of those of defaults"},
		value: windowsAt(func(p *Probe) **maintenance.Schedule { return &p.Maintenance })},
	{Field: Field{Path: "labels", Kind: Map, Max: maxLabels, Doc: "extra attributes of the probe's metrics"},
		value: mapAt(func(p *Probe) *map[string]string { return &p.Labels }), secret: public, entry: labelProblem},
})

// defaultsSection is what a probe can inherit.
var defaultsSection = func() *section[Probe] {
	s := *probeSection
	s.name = "defaults"
	s.refused = map[string]string{
		"name":        "is not allowed in defaults: every probe has its own",
		"url":         "is not allowed in defaults: every probe has its own",
		"connections": "is not allowed in defaults: it belongs to the exchange of a probe",
		"enabled":     "is not allowed in defaults: it is for one probe",
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

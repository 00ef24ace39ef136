package convert

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/session"
)

// goTimes are the units of Telegraf.
var goTimes = map[string]time.Duration{
	"": time.Second, "ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour,
}

// TelegrafOptions is the table of Telegraf's output websocket.
func TelegrafOptions() []Option {
	const metrics = "chooses or changes metrics of Telegraf: probes, labels, reasons and events choose, encoding changes"
	all := []Option{
		{Name: "url", Default: "required", Ours: "url", Meaning: "the same", apply: telegrafURL},
		{Name: "alias", Ours: "name", Meaning: "the same", apply: textOnly},
		{Name: "connect_timeout", Default: "30s", Ours: "timeout_ms", Meaning: "in milliseconds, up to the open socket", apply: connectTimeout},
		{Name: "write_timeout", Default: "30s", Ours: "write_timeout", Meaning: "the same",
			apply: func(c *conversion, l leaf) {
				c.period(l, "write_timeout", goTimes, session.MinInterval, maxWriteTimeout)
			}},
		{Name: "read_timeout", Default: "30s", Meaning: "ping_timeout finds out that nothing comes, from Pings of its own"},
		{Name: "use_text_frames", Default: "false", Meaning: "the codec decides: msgpack and otlp_protobuf go in binary messages, all else in text messages"},
		{Name: "headers.*", Ours: "headers", Meaning: "the same; Sec-WebSocket-Protocol becomes protocols", apply: telegrafHeaders},
		{Name: "data_format", Default: "influx", Ours: "encoding.codec", Meaning: "json, csv and msgpack are the same, in wsprobe's own " +
			"fields; any other has no counterpart: json in its place", apply: telegrafCodec},
		{Name: "json_timestamp_units", Default: "1s", Ours: "encoding.timestamp_format", Meaning: "1s is unix, 1ms unix_ms, 1us unix_us, 1ns unix_ns", apply: telegrafUnits},
		{Name: "metric_batch_size", Default: "1000", Ours: "batch.max_events", Meaning: "up to 1000", apply: telegrafBatch},
		{Name: "metric_buffer_limit", Default: "10000", Ours: "buffer.max_events", Meaning: "the same", apply: telegrafLimit},
		{Name: "flush_interval", Default: "10s", Ours: "batch.linger", Meaning: "how long an event waits for others", apply: telegrafLinger},
		{Name: "flush_jitter", Default: "0s", Meaning: "events have times of their own"},
		{Name: "log_level", Meaning: "agent.log_level is that of all"},
		{Name: "startup_error_behavior", Default: "error", Ours: "health_check", Meaning: "error is require, retry is log; ignore and probe are log", apply: telegrafStartup},
		{Name: "agent.metric_batch_size", Default: "1000", Ours: "batch.max_events", Meaning: "where the output has none", apply: telegrafBatch},
		{Name: "agent.metric_buffer_limit", Default: "10000", Ours: "buffer.max_events", Meaning: "where the output has none", apply: telegrafLimit},
		{Name: "agent.flush_interval", Default: "10s", Ours: "batch.linger", Meaning: "where the output has none", apply: telegrafLinger},
		{Name: "agent.buffer_strategy", Default: "memory", Ours: "buffer.type", Meaning: "disk needs buffer.dir, where Telegraf has buffer_directory", apply: telegrafBuffer},
	}
	for _, name := range []string{
		"namepass", "namepass_separator", "namedrop", "namedrop_separator", "tagpass.*", "tagdrop.*", "metricpass", "fieldinclude", "fieldpass",
		"fieldexclude", "fielddrop", "taginclude", "tagexclude", "name_override", "name_prefix", "name_suffix",
	} {
		all = append(all, Option{Name: name, Meaning: metrics})
	}
	return append(append(all, telegrafTLSOptions()...), telegrafProxyOptions()...)
}

// telegrafTLSOptions are those of TLS.
func telegrafTLSOptions() []Option {
	return []Option{
		{Name: "tls_enable", Meaning: "the scheme of the url decides"},
		{Name: "tls_ca", Ours: "tls.ca_file", Meaning: "the same", apply: tlsText("tls.ca_file")},
		{Name: "tls_cert", Ours: "tls.cert_file", Meaning: "the same", apply: tlsText("tls.cert_file")},
		{Name: "tls_key", Ours: "tls.key_file", Meaning: "the same", apply: tlsText("tls.key_file")},
		{Name: "tls_key_pwd", Ours: "tls.key_password", Meaning: "the same", apply: tlsText("tls.key_password")},
		{Name: "tls_server_name", Ours: "tls.server_name", Meaning: "the same", apply: tlsText("tls.server_name")},
		{Name: "tls_min_version", Default: "TLS12", Ours: "tls.min_version", Meaning: "TLS12 is 1.2", apply: tlsMinVersion},
		{Name: "tls_cipher_suites", Meaning: "those of Go's standard library are used"},
		{Name: "tls_renegotiation_method", Default: "never", Meaning: "TLS is never negotiated anew"},
		{Name: "insecure_skip_verify", Default: "false", Ours: "tls.insecure_skip_verify", Meaning: "the same", apply: telegrafInsecure},
	}
}

// telegrafProxyOptions are those of a proxy.
func telegrafProxyOptions() []Option {
	taken := func(*conversion, leaf) {} // by that of socks5_enabled
	return []Option{
		{Name: "use_system_proxy", Default: "false", Ours: "proxy_url", Meaning: `false is "", true is without proxy_url`, apply: telegrafSystemProxy},
		{Name: "http_proxy_url", Ours: "proxy_url", Meaning: "the same", apply: telegrafProxy},
		{Name: "socks5_enabled", Default: "false", Ours: "proxy_url", Meaning: "true is socks5://, with the other three", apply: telegrafSOCKS},
		{Name: "socks5_address", Ours: "proxy_url", Meaning: "a part of it", apply: taken},
		{Name: "socks5_username", Ours: "proxy_url", Meaning: "a part of it", apply: taken},
		{Name: "socks5_password", Ours: "proxy_url", Meaning: "a part of it", apply: taken},
	}
}

func telegrafBatch(c *conversion, l leaf) { c.count(l, "batch.max_events", minEvents, maxBatch) }

func telegrafLimit(c *conversion, l leaf) { c.count(l, "buffer.max_events", minEvents, maxEvents) }

func telegrafLinger(c *conversion, l leaf) { c.period(l, "batch.linger", goTimes, 0, maxLinger) }

// telegrafURL sets url.
func telegrafURL(c *conversion, l leaf) {
	value, ok := c.text(l)
	if !ok {
		return
	}
	if a, known := parseAddress(value); known {
		c.setURL(l, a)
	} else {
		c.oddURL(l, value)
	}
}

// telegrafHeaders sets headers.
func telegrafHeaders(c *conversion, l leaf) {
	for _, f := range l.node.fields {
		one := leaf{path: l.path + "." + f.name, line: f.line, node: f.node}
		if value, ok := c.text(one); ok {
			c.header(one, f.name, value)
		}
	}
}

// telegrafCodec sets encoding.codec.
func telegrafCodec(c *conversion, l leaf) {
	value, ok := c.text(l)
	switch {
	case !ok:
	case value == "json":
		c.codec(l, "json", "a message is an array of events, and not an object with metrics")
	case value == "csv":
		c.codec(l, "csv", "")
		c.stream.set("encoding.csv.fields", columns)
		c.remark(l, "encoding.csv.fields", "choose the columns")
	case value == "msgpack":
		c.codec(l, "msgpack", "an array of maps")
	case referring(value):
		c.codec(l, value, "a codec of wsprobe")
	default:
		c.codec(l, "json", "was "+value+", which wsprobe does not write")
	}
}

// telegrafUnits sets encoding.timestamp_format.
func telegrafUnits(c *conversion, l leaf) {
	value, ok := c.text(l)
	format, known := map[string]string{
		"1s": "unix", "1ms": "unix_ms", "1us": "unix_us", "1µs": "unix_us", "1ns": "unix_ns",
	}[value]
	switch {
	case !ok:
	case known:
		c.stream.set("encoding.timestamp_format", format)
	default:
		c.leave(l, "must be one of 1s, 1ms, 1us, 1ns")
	}
}

// telegrafStartup sets health_check.
func telegrafStartup(c *conversion, l leaf) {
	switch value, ok := c.text(l); {
	case !ok:
	case value == "error":
		c.stream.set("health_check", "require")
	case slices.Contains([]string{"retry", "ignore", "probe"}, value):
		c.stream.set("health_check", "log")
	default:
		c.leave(l, "must be one of error, retry, ignore, probe")
	}
}

// telegrafBuffer sets buffer.type.
func telegrafBuffer(c *conversion, l leaf) {
	switch value, ok := c.text(l); {
	case !ok:
	case strings.HasPrefix(value, "disk"):
		c.disk(l, "Telegraf has it below its buffer_directory")
	default:
		c.stream.set("buffer.type", "memory")
	}
}

// telegrafInsecure sets tls.insecure_skip_verify.
func telegrafInsecure(c *conversion, l leaf) {
	switch is, ok := c.truth(l); {
	case !ok:
	case !c.secure:
		c.leave(l, noTLS)
	case is:
		c.stream.set("tls.insecure_skip_verify", true)
	}
}

// telegrafSystemProxy sets proxy_url to none, unless there is one.
func telegrafSystemProxy(c *conversion, l leaf) {
	if is, ok := c.truth(l); ok && !is && !c.has("http_proxy_url") && !truths[c.get("socks5_enabled")] {
		c.stream.set("proxy_url", "")
	}
}

// telegrafProxy sets proxy_url.
func telegrafProxy(c *conversion, l leaf) {
	if value, ok := c.text(l); ok {
		c.proxy(l, value)
	}
}

// telegrafSOCKS makes proxy_url of its parts.
func telegrafSOCKS(c *conversion, l leaf) {
	if is, ok := c.truth(l); !ok || !is {
		return
	}
	address := c.get("socks5_address")
	if address == "" {
		address = "127.0.0.1:1080"
	}
	user, password := c.get("socks5_username"), c.get("socks5_password")
	if user == "" {
		c.stream.set("proxy_url", "socks5://"+address)
		return
	}
	c.secret(l, "proxy_url", "socks5://"+inURL(user)+":"+inURL(password)+"@"+address)
}

// inURL writes a user or a password as a URL has it. A reference stays one.
func inURL(part string) string {
	if referring(part) {
		return part
	}
	return url.User(plain(part)).String()
}

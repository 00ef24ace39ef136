package convert

import "github.com/wsprobe/wsprobe/probe/session"

// FluentBitOptions is the table of Fluent Bit's output websocket.
func FluentBitOptions() []Option {
	taken := func(*conversion, leaf) {} // by that what is made of several options
	all := []Option{
		{Name: "name", Default: "required", Meaning: "websocket", apply: taken},
		{Name: "match", Default: "required", Meaning: noTags},
		{Name: "match_regex", Meaning: noTags},
		{Name: "alias", Ours: "name", Meaning: "the same", apply: taken},
		{Name: "host", Default: "127.0.0.1", Ours: "url", Meaning: "a part of it", apply: textOnly},
		{Name: "port", Default: "80", Ours: "url", Meaning: "a part of it; 80 with tls, too", apply: fluentBitPort},
		{Name: "uri", Default: "/", Ours: "url", Meaning: "a part of it", apply: textOnly},
		{Name: "format", Default: "msgpack", Ours: "encoding.codec", Meaning: "json and json_lines are the same, json_stream is " +
			"json_lines; msgpack is an array of maps, in binary messages; gelf has no counterpart: json in its place", apply: fluentBitCodec},
		{Name: "json_date_key", Default: "date", Ours: "encoding.date_key", Meaning: "the same; false leaves timestamp out by except_fields", apply: fluentBitDateKey},
		{Name: "json_date_format", Default: "double", Ours: "encoding.timestamp_format",
			Meaning: "double is unix_float, epoch unix, epoch_ms unix_ms, iso8601 rfc3339, java_sql_timestamp java_sql", apply: fluentBitDates},
		{Name: "header", Ours: "headers", Meaning: "a mapping; Sec-WebSocket-Protocol becomes protocols", apply: fluentBitHeader},
		{Name: "workers", Default: "0", Ours: "workers", Meaning: "connections, 1 to 8; those of a probe stay in order",
			apply: func(c *conversion, l leaf) { c.count(l, "workers", 1, 8) }},
		{Name: "retry_limit", Default: "1", Meaning: "an event is sent until it is acknowledged, unless the buffer is full: buffer.max_size bounds that"},
		{Name: "storage.total_limit_size", Ours: "buffer.max_size", Meaning: "with buffer.type disk", apply: fluentBitStorage},
		{Name: "log_level", Meaning: "agent.log_level is that of all"},
		{Name: "log_suppress_interval", Meaning: "wsprobe sums up what repeats"},
		{Name: "processors", Meaning: "encoding has the fields that processors change"},
		{Name: "processors.*", Meaning: "encoding has the fields that processors change"},
		{Name: "service.flush", Default: "1", Ours: "batch.linger", Meaning: "how long an event waits for others",
			apply: func(c *conversion, l leaf) { c.period(l, "batch.linger", times, 0, maxLinger) }},
		{Name: "service.grace", Default: "5", Ours: "drain", Meaning: "how long a stop waits",
			apply: func(c *conversion, l leaf) { c.period(l, "drain", times, 0, maxDrain) }},
		{Name: "service.scheduler.base", Default: "5", Ours: "reconnect.min", Meaning: "with a unit",
			apply: func(c *conversion, l leaf) {
				c.period(l, "reconnect.min", times, session.MinInterval, session.MaxReconnect)
			}},
		{Name: "service.scheduler.cap", Default: "2000", Ours: "reconnect.max", Meaning: "with a unit",
			apply: func(c *conversion, l leaf) {
				c.period(l, "reconnect.max", times, session.MinInterval, session.MaxReconnect)
			}},
	}
	return append(append(all, fluentBitTLSOptions()...), fluentBitNetOptions()...)
}

const noTags = "chooses records of Fluent Bit by their tags: probes, labels, reasons and events choose the events of a stream"

// fluentBitTLSOptions are those of tls, which every output has.
func fluentBitTLSOptions() []Option {
	const system = "Windows has its store of authorities, which holds unless ca_file is set"
	return []Option{
		{Name: "tls", Default: "off", Ours: "url", Meaning: "the scheme decides: on is wss://", apply: func(c *conversion, l leaf) { c.truth(l) }},
		{Name: "tls.verify", Default: "on", Ours: "tls.insecure_skip_verify", Meaning: "the opposite", apply: tlsVerify},
		{Name: "tls.verify_hostname", Default: "off", Ours: "tls.verify_hostname", Meaning: "on unless it is false", apply: tlsVerifyHostname},
		{Name: "tls.ca_file", Ours: "tls.ca_file", Meaning: "trusted in place of the system's authorities", apply: tlsText("tls.ca_file")},
		{Name: "tls.ca_path", Meaning: "tls.ca_file is one file, with any number of certificates"},
		{Name: "tls.crt_file", Ours: "tls.cert_file", Meaning: "the same", apply: tlsText("tls.cert_file")},
		{Name: "tls.key_file", Ours: "tls.key_file", Meaning: "the same", apply: tlsText("tls.key_file")},
		{Name: "tls.key_passwd", Ours: "tls.key_password", Meaning: "the same", apply: tlsText("tls.key_password")},
		{Name: "tls.vhost", Ours: "tls.server_name", Meaning: "the same", apply: tlsText("tls.server_name")},
		{Name: "tls.min_version", Ours: "tls.min_version", Meaning: "TLSv1.2 is 1.2, which is the default", apply: tlsMinVersion},
		{Name: "tls.max_version", Meaning: "the newest version that both have is used"},
		{Name: "tls.ciphers", Meaning: "those of Go's standard library are used"},
		{Name: "tls.debug", Default: "1", Meaning: "the log and the state of the stream name what failed"},
		{Name: "tls.windows.certstore_name", Meaning: system},
		{Name: "tls.windows.use_enterprise_store", Meaning: system},
	}
}

// fluentBitNetOptions are those of net, which every output has.
func fluentBitNetOptions() []Option {
	const (
		kept     = "a socket stays open, and ping_interval finds out when it is dead"
		resolver = "the resolver is that of the system"
		both     = "all addresses of a name are tried; ip_version allows one kind alone"
	)
	return []Option{
		{Name: "net.connect_timeout", Default: "10s", Ours: "timeout_ms", Meaning: "in milliseconds, up to the open socket", apply: connectTimeout},
		{Name: "net.io_timeout", Default: "0s", Ours: "write_timeout", Meaning: "of each message; 0 is the default", apply: fluentBitWriteTimeout},
		{Name: "net.proxy_env_ignore", Default: "false", Ours: "proxy_url", Meaning: `true is ""`, apply: fluentBitProxy},
		{Name: "net.connect_timeout_log_error", Default: "true", Meaning: "an open that fails is told once, and then its end"},
		{Name: "net.keepalive", Default: "true", Meaning: kept},
		{Name: "net.keepalive_idle_timeout", Default: "30s", Meaning: kept},
		{Name: "net.keepalive_max_recycle", Default: "2000", Meaning: kept},
		{Name: "net.tcp_keepalive", Default: "off", Meaning: kept},
		{Name: "net.tcp_keepalive_time", Default: "-1", Meaning: kept},
		{Name: "net.tcp_keepalive_interval", Default: "-1", Meaning: kept},
		{Name: "net.tcp_keepalive_probes", Default: "-1", Meaning: kept},
		{Name: "idle_interval", Default: "20", Meaning: kept},
		{Name: "net.dns.mode", Meaning: resolver},
		{Name: "net.dns.resolver", Meaning: resolver},
		{Name: "net.dns.prefer_ipv4", Default: "false", Meaning: both},
		{Name: "net.dns.prefer_ipv6", Default: "false", Meaning: both},
		{Name: "net.source_address", Meaning: "the system chooses the source address"},
		{Name: "net.max_worker_connections", Default: "0", Meaning: "a worker has one connection"},
	}
}

package convert

import "github.com/wsprobe/wsprobe/probe/session"

// VectorOptions is the table of Vector's sink websocket.
func VectorOptions() []Option {
	all := []Option{
		{Name: "type", Meaning: "websocket; a websocket_server is no stream: /api/v1/stream of agent.listen serves who connects",
			apply: func(*conversion, leaf) {}},
		{Name: "inputs", Default: "required", Meaning: "names components of Vector: probes, labels, reasons and events " +
			"choose the events of a stream"},
		{Name: "uri", Default: "required", Ours: "url", Meaning: "the same; wss:// alone turns TLS on", apply: vectorURI},
		{Name: "ping_interval", Default: "none", Ours: "ping_interval", Meaning: "with a unit: 30 is 30s",
			apply: func(c *conversion, l leaf) {
				c.period(l, "ping_interval", seconds, session.MinInterval, session.MaxInterval)
			}},
		{Name: "ping_timeout", Default: "none", Ours: "ping_timeout",
			Meaning: "counted from each Ping, so that it may be shorter or longer than the interval", apply: vectorPingTimeout},
		{Name: "acknowledgements.enabled", Default: "false", Ours: "acknowledgements",
			Meaning: "true is pong: an event is kept until a Pong proves that the next hop has read it; message waits " +
				"for an answer of the receiver", apply: vectorAcknowledgements},
		{Name: "acknowledgements", Meaning: "short for acknowledgements.enabled", Ours: "acknowledgements", apply: vectorAcknowledgements},
	}
	all = append(all, vectorAuthOptions()...)
	all = append(all, vectorTLSOptions()...)
	all = append(all, vectorEncodingOptions()...)
	return append(all, vectorBufferOptions()...)
}

// vectorBufferOptions are those that every sink has.
func vectorBufferOptions() []Option {
	return []Option{
		{Name: "buffer.type", Default: "memory", Ours: "buffer.type", Meaning: "the same: memory or disk; disk needs " +
			"buffer.dir, where Vector has data_dir", apply: vectorBufferType},
		{Name: "buffer.max_events", Default: "500", Ours: "buffer.max_events", Meaning: "the same, and for disk, too",
			apply: func(c *conversion, l leaf) { c.count(l, "buffer.max_events", minEvents, maxEvents) }},
		{Name: "buffer.max_size", Default: "required for disk, at least 268435488", Ours: "buffer.max_size",
			Meaning: "with a unit: 268435456 is 256MiB; for memory, too",
			apply: func(c *conversion, l leaf) {
				c.size(l, "buffer.max_size", map[string]int64{"": 1}, minBuffer, maxBuffer)
			}},
		{Name: "buffer.when_full", Default: "block", Ours: "buffer.when_full",
			Meaning: "block becomes drop_newest, because a probe never waits; drop_oldest is there, too", apply: vectorWhenFull},
		{Name: "buffer", Meaning: "a chain of buffers has no counterpart: there is one buffer"},
		{Name: "healthcheck.enabled", Default: "true", Ours: "health_check", Meaning: "false is off, true is log; require " +
			"ends the start, as --require-healthy does", apply: vectorHealthcheck},
		{Name: "healthcheck", Ours: "health_check", Meaning: "short for healthcheck.enabled", apply: vectorHealthcheck},
		{Name: "healthcheck.uri", Meaning: "the check opens the url itself"},
		{Name: "healthcheck.timeout", Default: "10", Meaning: "timeout_ms bounds every open, that of the check, too"},
		{Name: "healthcheck_uri", Meaning: "the check opens the url itself"},
		{Name: "proxy.enabled", Default: "true", Ours: "proxy_url", Meaning: `false is ""`, apply: vectorProxy},
		{Name: "proxy.http", Ours: "proxy_url", Meaning: "for a ws:// url; Vector's sink itself connects without any proxy", apply: vectorProxy},
		{Name: "proxy.https", Ours: "proxy_url", Meaning: "for a wss:// url; Vector's sink itself connects without any proxy", apply: vectorProxy},
		{Name: "proxy.no_proxy", Meaning: "proxy_url is that of one stream; NO_PROXY of the environment holds without it"},
		{Name: "graph.*", Meaning: "is about a drawing of Vector's components"},
	}
}

// vectorAuthOptions are the options of auth.
func vectorAuthOptions() []Option {
	return []Option{
		{Name: "auth.strategy", Default: "none", Ours: "auth.strategy", Meaning: "basic and bearer are the same; custom " +
			"becomes headers.Authorization; aws has no counterpart", apply: vectorStrategy},
		{Name: "auth.user", Ours: "auth.user", Meaning: "the same", apply: vectorAuth("basic", "auth.user")},
		{Name: "auth.password", Ours: "auth.password", Meaning: "the same; password_file reads a file at every open",
			apply: vectorAuth("basic", "auth.password")},
		{Name: "auth.token", Ours: "auth.token", Meaning: "the same; token_file reads a file at every open",
			apply: vectorAuth("bearer", "auth.token")},
		{Name: "auth.value", Ours: "headers", Meaning: "headers.Authorization", apply: vectorAuth("custom", "headers/Authorization")},
		{Name: "auth.service", Meaning: noAWS},
		{Name: "auth.auth.*", Meaning: noAWS},
	}
}

const noAWS = "requests are not signed for AWS"

// vectorTLSOptions are the options of tls.
func vectorTLSOptions() []Option {
	return []Option{
		{Name: "tls.enabled", Default: "false", Ours: "url", Meaning: "the scheme decides: true makes wss:// of ws://",
			apply: func(c *conversion, l leaf) { c.truth(l) }},
		{Name: "tls.alpn_protocols", Meaning: "http/1.1 is offered, the only protocol with an upgrade; tls.alpn: [] offers none"},
		{Name: "tls.ca_file", Ours: "tls.ca_file", Meaning: "trusted in place of the system's authorities, not beside them",
			apply: tlsText("tls.ca_file")},
		{Name: "tls.crt_file", Ours: "tls.cert_file", Meaning: "the same", apply: tlsText("tls.cert_file")},
		{Name: "tls.key_file", Ours: "tls.key_file", Meaning: "the same", apply: tlsText("tls.key_file")},
		{Name: "tls.key_pass", Ours: "tls.key_password", Meaning: "the same", apply: tlsText("tls.key_password")},
		{Name: "tls.server_name", Ours: "tls.server_name", Meaning: "the same", apply: tlsText("tls.server_name")},
		{Name: "tls.verify_certificate", Default: "true", Ours: "tls.insecure_skip_verify", Meaning: "the opposite", apply: tlsVerify},
		{Name: "tls.verify_hostname", Default: "true", Ours: "tls.verify_hostname", Meaning: "the same", apply: tlsVerifyHostname},
	}
}

// vectorEncodingOptions are the options of encoding.
func vectorEncodingOptions() []Option {
	const noCodec = "belongs to a codec that wsprobe does not have"
	return []Option{
		{Name: "encoding.codec", Default: "required", Ours: "encoding.codec", Meaning: "json, logfmt and csv are the same; " +
			"otlp is otlp_protobuf; text and raw_message are text with a template; native_json is json; avro, cef, gelf, " +
			"native, protobuf and syslog have no counterpart: json in their place", apply: vectorCodec},
		{Name: "encoding", Ours: "encoding.codec", Meaning: "short for encoding.codec", apply: vectorCodec},
		{Name: "encoding.only_fields", Ours: "encoding.only_fields", Meaning: "the same, of fields of wsprobe's event", apply: fieldList("encoding.only_fields")},
		{Name: "encoding.except_fields", Ours: "encoding.except_fields", Meaning: "the same, of fields of wsprobe's event", apply: fieldList("encoding.except_fields")},
		{Name: "encoding.timestamp_format", Default: "rfc3339", Ours: "encoding.timestamp_format",
			Meaning: "the same: rfc3339, unix, unix_ms, unix_us, unix_ns, unix_float; and java_sql", apply: vectorTimestamps},
		{Name: "encoding.metric_tag_values", Default: "single", Meaning: "an event is no metric: labels have one value each"},
		{Name: "encoding.json.pretty", Default: "false", Meaning: "a message is as short as it can be"},
		{Name: "encoding.csv.fields", Default: "required for csv", Ours: "encoding.csv.fields", Meaning: "the same, of fields of wsprobe's event", apply: fieldList("encoding.csv.fields")},
		{Name: "encoding.csv.delimiter", Default: ",", Ours: "encoding.csv.delimiter", Meaning: "the same", apply: vectorDelimiter},
		{Name: "encoding.csv.*", Meaning: `quotes are those of RFC 4180: " where a value needs them, doubled within it`},
		{Name: "encoding.avro.*", Meaning: noCodec},
		{Name: "encoding.cef.*", Meaning: noCodec},
		{Name: "encoding.gelf.*", Meaning: noCodec},
		{Name: "encoding.protobuf.*", Meaning: noCodec},
		{Name: "encoding.syslog.*", Meaning: noCodec},
	}
}

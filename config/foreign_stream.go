package config

const (
	proven      = "an event is sent again until it is acknowledged, or dropped from a full buffer"
	ownBuffer   = "the buffer of the stream bounds what waits"
	fieldsThere = "encoding has only_fields, except_fields, rename and static"
)

// foreignStreams are the foreign names of the fields of streams, by section. They are those of the WebSocket outputs of
// Vector, Fluent Bit and Telegraf.
var foreignStreams = map[string][]foreign{
	"streams": {
		{"uri endpoint endpoints address addr host port server target websocketurl", "url", "ws:// or wss://, with host, port and path"},
		{"inputs input match tag matchregex sources", "probes", "names of probes, * is any text"},
		{"type kind plugin sink outputswebsocket", "", "every stream is a WebSocket"}, {"alias id title", "name", ""},
		{"enabled disabled", "", "a stream that is in the file runs"},
		{"header extraheaders customheaders httpheaders", "headers", "a mapping of names to texts"},
		{"authentication authorization basicauth httpuser httppasswd username user password bearer token", "auth", "with strategy basic, user and password, or bearer and token"},
		{"tlsenabled usetls ssl tlsenable", "", byScheme}, {skipNames, "tls.insecure_skip_verify", ""},
		{verifyNames + " tlsverifycertificate tlsinsecureskipverify", "tls.insecure_skip_verify", opposite},
		{caNames, "tls.ca_file", ""}, {certNames + " tlscrtfile", "tls.cert_file", ""}, {keyNames, "tls.key_file", ""}, {pwdNames + " tlskeypass tlskeypasswd", "tls.key_password", ""},
		{sniNames + " tlsvhost tlssni", "tls.server_name", ""}, {"tlsverifyhostname", "tls.verify_hostname", ""}, {"tlsalpnprotocols alpn", "tls.alpn", ""},
		{minNames, "tls.min_version", ""}, {maxNames, "", noMaximum}, {cipherNames, "", noCiphers},
		{"subprotocol subprotocols protocol secwebsocketprotocol", "protocols", "a list"},
		{"proxy httpproxy httpproxyurl httpsproxy socksproxy socks5address", "proxy_url", ""},
		{"usesystemproxy netproxyenvignore", "", `HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the environment hold; proxy_url: "" is for no proxy`},
		{"permessagedeflate deflate gzip", "compression", "on or off"},
		{"connecttimeout netconnecttimeout timeout opentimeout handshaketimeout dialtimeout", "timeout_ms", "in milliseconds, without a unit"},
		{"netiotimeout writedeadline", "write_timeout", ""}, {"netdnsmode netdnsresolver netdnsprefer netdnspreferipv4", "ip_version", "4 or 6"},
		{"netsourceaddress sourceaddress", "", "the system chooses the source address"},
		{"netkeepalive netkeepaliveidletimeout netkeepalivemaxrecycle nettcpkeepalive", "", "a connection is held open, with Pings every ping_interval"},
		{"netmaxworkerconnections threads connections concurrency", "workers", ""},
		{"pinginterval pinginternal keepalive heartbeat keepaliveinterval", "ping_interval", ""},
		{"pongtimeout pongwait readtimeout idletimeout", "ping_timeout", "from each Ping"},
		{"format codec dataformat usetextframes messageformat", "encoding.codec", "msgpack and otlp_protobuf go in binary messages, all others in text messages"},
		{"jsondatekey datekey timekey", "encoding.date_key", ""}, {"jsondateformat timestampformat timeformat", "encoding.timestamp_format", ""},
		{"onlyfields includefields fieldinclude", "encoding.only_fields", ""}, {"exceptfields excludefields fieldexclude", "encoding.except_fields", ""},
		{"fields tags static extrafields", "encoding.static", "or encoding.only_fields"}, {"template", "encoding.template", "with codec text"},
		{"batchsize metricbatchsize", "batch.max_events", ""}, {"flushinterval batchtimeout linger", "batch.linger", ""},
		{"metricbufferlimit storagetotallimitsize queue spool", "buffer", "with max_events or max_size"},
		{"whenfull overflow", "buffer.when_full", ""},
		{"ack acks acknowledgement acknowledge acknowledgementsenabled delivery", "acknowledgements", "written, pong or message"},
		{"ackpath messageidpath acknowledgementfield", "acknowledgement_path", ""},
		{"retry retries retrylimit maxretries", "", proven}, {"backoff reconnectinterval retrydelay schedulerbase schedulercap", "reconnect", "with min and max"},
		{"healthcheckenabled requirehealthy", "health_check", "log, require or off"}, {"filter filters where", "", "probes, labels, reasons and events select"},
		{"onlychanges changes onchange", "events", "all or changes"}, {"label tagfilter", "labels", ""}, {"reason codes", "reasons", ""},
		{"shutdowntimeout closetimeout graceperiod", "drain", ""},
	},
	"encoding": {
		{"format type dataformat", "codec", ""}, {"json jsonpretty pretty", "", "json has no spaces"}, {"metrictagvalues avro avroschema protobuf cef gelf syslog", "", "there is no such option here; " + fieldsThere},
		{"fields include includefields onlyfield", "only_fields", "or csv.fields"}, {"exclude excludefields drop omit", "except_fields", ""},
		{"jsondatekey timekey timestampkey timestampfield", "date_key", ""}, {"jsondateformat timeformat dateformat timestamps", "timestamp_format", ""},
		{"tags add extra constants labels extrafields", "static", ""}, {"text message line", "template", "with codec text"}, {"mapping renames", "rename", ""},
		{"delimiter", "csv.delimiter", ""}, {"header", "csv.header", ""},
	},
	"encoding.csv": {
		{"columns", "fields", ""}, {"headers withheader headerrow", "header", "true or false"}, {"separator sep comma", "delimiter", ""},
		{"capacity doublequote escape quote quotestyle", "", "a value is quoted as in RFC 4180 where it has to be"},
	},
	"batch": {
		{"size count events maxcount", "max_events", ""}, {"bytes maxsize", "max_bytes", ""}, {"timeout timeoutsecs wait maxwait interval flushinterval", "linger", ""},
		{"enabled", "", "max_events: 1 makes a message of each event"},
	},
	"buffer": {
		{"kind mode", "type", "memory or disk"}, {"path directory datadir datadirectory", "dir", ""}, {"size maxbytes bytes limit", "max_size", "with a unit, such as 256MiB"},
		{"events count maxmessages", "max_events", ""}, {"full overflow policy onfull strategy", "when_full", "drop_oldest or drop_newest"},
		{"maxage ttl", "", ownBuffer},
	},
}

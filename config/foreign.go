package config

import (
	"slices"
	"strings"
	"sync"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

// foreign are names that other programs have for a field of ours, or for what we have no field for. They are those of
// blackbox_exporter, Gatus, Telegraf, cloudprober and Uptime Kuma, and what people write who know none of them.
type foreign struct {
	names string // separated by blanks, in lower case without _ - and .
	path  string // of our field, from the section on; empty if there is none
	note  string // what else there is to know
}

// The names of what is said about TLS are the same in a probe, in its tls and in otlp.tls.
const (
	skipNames = "insecure insecuretls insecureskipverify skipverify skiptlsverify tlsskipverify skipsslverify ignoretls ignoressl ignorecertificate allowinsecure " +
		"disablecertvalidation disablecertificatevalidation notlsverify nocheckcertificate trustall"
	verifyNames = "verify verifyssl sslverify verifytls tlsverify verifycertificate verifycert checkcertificate validatecerts rejectunauthorized " +
		"certificateverification verifypeer sslverifypeer"
	caNames     = "ca cafile cacert cacertfile cacertificate capath cabundle catrust tlsca tlscafile sslca rootca rootcas rootcafile certificateauthority trustedca truststore"
	certNames   = "cert certfile certificate certificatefile clientcert clientcertfile clientcertificate tlscert tlscertfile sslcert certpath keystore"
	keyNames    = "key keyfile privatekey privatekeyfile clientkey clientkeyfile tlskey tlskeyfile sslkey keypath"
	pwdNames    = "keypwd tlskeypwd tlskeypassword keypassword keypassphrase passphrase"
	sniNames    = "sni servername tlsservername servernameoverride"
	minNames    = "minversion mintlsversion tlsminversion minimumversion sslversion tlsversion"
	maxNames    = "maxversion maxtlsversion tlsmaxversion maximumversion"
	cipherNames = "ciphers ciphersuites tlsciphersuites curves curvepreferences"
)

const (
	opposite   = "with the opposite value"
	noMaximum  = "the newest version of TLS cannot be bounded"
	noCiphers  = "cipher suites and curves cannot be chosen"
	byScheme   = "wss:// in the url turns TLS on, ws:// off"
	asBasic    = "with auth.strategy basic"
	asBearer   = "with auth.strategy bearer"
	unrepeated = "a run is never repeated; let an alert wait for wsprobe.consecutive_failures"
	noCatch    = "the text that a group (?P<name>...) of expect_pattern catches is {{name}} in later steps"
)

var foreignTLS = []foreign{
	{skipNames, "insecure_skip_verify", ""}, {verifyNames, "insecure_skip_verify", opposite},
	{caNames, "ca_file", ""}, {certNames, "cert_file", ""}, {keyNames, "key_file", ""}, {pwdNames, "key_password", ""},
	{sniNames, "server_name", ""}, {minNames, "min_version", ""}, {maxNames, "", noMaximum}, {cipherNames, "", noCiphers},
	{"checkhostname verifyhost hostnameverification verifyservername", "verify_hostname", ""},
	{"alpnprotocols nextprotos", "alpn", ""}, {"enabled enable tlsenable usetls", "", byScheme},
	{"renegotiation renegotiationmethod tlsrenegotiationmethod", "", "a server that wants another handshake is refused"},
}

// foreignFields are the foreign names by the section in which people write them.
var foreignFields = map[string][]foreign{
	"": {
		{"probe endpoints endpoint checks check monitors monitor targets target services jobs modules urls externalendpoints websockets tests inputs", "probes", ""},
		{"global globals default common settings", "defaults", ""},
		{"exporter exporters otel opentelemetry outputs output collector telemetry surfacer", "otlp", ""},
		{"server web metrics logging log http status host port listen", "agent", "listen, log_level and log_format are its fields"},
		{"sink sinks stream websocketoutput", "streams", ""},
		{"alerting alerts alert alertmanagers", "", "alerts are rules of the back end; deploy/alerts has some"},
		{"anchors templates definitions", "", "a place for anchors begins with x-"},
	},
	"agent": {
		{"listenaddress listenaddr address addr bind bindaddress port httpaddress weblistenaddress host", "listen", ""},
		{"concurrency workers maxconcurrency parallelism maxworkers", "max_concurrent", ""},
		{"region zone site datacenter dc", "location", ""}, {"name instance agentid instanceid", "id", ""},
		{"externalurl baseurl publicurl webexternalurl", "url", ""}, {"loglevel level verbosity debug", "log_level", ""},
		{"logformat format", "log_format", ""},
	},
	"otlp": {
		{"url address addr target host server urls", "endpoint", ""},
		{"insecure", "endpoint", "with http://, which is without TLS"},
		{"tlsconfig", "tls", ""}, {"sendingqueue queue buffer retryonfailure persistentqueue filestorage", "spool", ""},
		{"auth authorization basicauth username password bearertoken token apikey", "headers", "with a name such as Authorization"},
		{"exportinterval period flushinterval", "interval", ""}, {"exporttimeout", "timeout", ""},
		{"histogram histogramaggregation defaulthistogramaggregation buckets", "histograms", ""}, {"scale maxexponentialscale", "max_scale", ""},
		{"temporalitypreference metricstemporality aggregationtemporality", "temporality", ""},
		{skipNames, "tls.insecure_skip_verify", ""}, {caNames, "tls.ca_file", ""}, {certNames, "tls.cert_file", ""}, {keyNames, "tls.key_file", ""},
	},
	"otlp.tls": foreignTLS,
	"tls":      foreignTLS,
	"auth": {
		{"username login basicusername", "user", ""}, {"pass passwd secret", "password", ""},
		{"type scheme method kind mode", "strategy", ""}, {"credentials bearer bearertoken accesstoken", "token", ""},
		{"credentialsfile bearertokenfile", "token_file", ""}, {"basic basicauth", "strategy", "basic, with user and password beside it"},
		{"usernamefile userfile", "user", "with ${file:PATH}"},
		{"oauth2 oauth clientid clientsecret tokenurl scopes", "", "no token is fetched; token_file is read at every run"},
		{"header headers", "", "other headers belong into headers of the probe"},
	},
	"prepare": {
		{"uri endpoint path address target loginurl tokenurl", "url", "http:// or https://, or a path"}, {"header httpheaders", "headers", ""},
		{"data payload json form content", "body", ""}, {"verb httpmethod", "method", ""},
		{"status statuscode expectedstatus validstatuscodes", "expect_status", ""},
		{"captures extract save store variables outputs", "capture", "names with json, pattern, header or cookie"},
		{"timeout timeoutms", "", "timeout_ms of the probe bounds it, too"}, {"followredirects", "", "redirects are not followed"},
	},
	"prepare.capture": {
		{"jsonpath path body", "json", ""}, {"regex regexp re", "pattern", "with a group"}, {"cookies", "cookie", ""}, {"headers", "header", ""},
	},
	"exchange": {
		{"sendmessage message payload body data write text request", "send", ""},
		{"expectmessage response receive read recv contains match reply expected", "expect", ""},
		{"expectregexp expectregex regexp regex pattern", "expect_pattern", ""}, {"json jsonpath", "expect_json", ""},
		{"timeout timeoutms timeoutmsec wait", "timeout_ms", "in milliseconds, without a unit"},
		{"capture extract save store variables", "expect_pattern", noCatch}, {"starttls", "", byScheme},
		{"sleep delay pause think", "", "a step waits for a message and for nothing else"},
	},
	"session": {
		{"ping pings pinginterval pingevery keepalive keepaliveinterval pingperiod", "ping_interval", ""},
		{"pongtimeout pongwait pingwait keepalivetimeout", "ping_timeout", ""},
		{"heartbeats appheartbeat send sendmessage message", "heartbeat", "with send"},
		{"heartbeatinterval interval", "heartbeat.interval", ""}, {"heartbeattimeout timeout timeoutms", "heartbeat.timeout_ms", "or ping_timeout"},
		{"reply replies respond response responses answer autoreply", "answers", "a list, each with an expectation and send"},
		{"expectmessage wanted match filter", "expect", ""}, {"regex regexp pattern expectregex", "expect_pattern", ""}, {"json jsonpath", "expect_json", ""},
		{"idletimeout readtimeout silence maxidle stale staleafter deadafter maxgap", "max_silence", ""},
		{"seq sequencenumber sequencefield seqpath", "sequence", ""}, {"timestamp sentat time ts timestamppath", "sent_at", ""},
		{"lifetime maxage ttl maxduration duration", "max_lifetime", ""}, {"renewal rotate", "renew", "after or before"},
		{"backoff retry retries reconnectdelay reconnectinterval reconnectwait retryinterval", "reconnect", "with min and max"},
	},
	"session.heartbeat": {
		{"message payload body data text request sendmessage", "send", ""}, {"response reply expected answer expectmessage", "expect", ""},
		{"expectregex regex regexp pattern", "expect_pattern", ""}, {"json jsonpath", "expect_json", ""},
		{"every period frequency", "interval", ""}, {"timeout timeoutms wait", "timeout_ms", "in milliseconds, without a unit"},
	},
	"session.answers": {
		{"message match receive on when expectmessage", "expect", ""}, {"expectregex regex regexp pattern", "expect_pattern", ""},
		{"json jsonpath", "expect_json", ""}, {"reply response answer respond sendmessage with", "send", ""},
	},
	"session.reconnect": {
		{"initial first base delay initialdelay mindelay minimum start", "min", ""}, {"limit cap maxdelay maximum maxbackoff", "max", ""},
		{"jitter factor multiplier", "", "each wait is a random part of a bound that doubles"},
		{"attempts maxattempts retries enabled", "", "an endpoint is opened anew until the agent stops"},
	},
	"thresholds": {
		{"ok good max warning warn", "healthy", "as a condition, \"< 200\""},
		{"critical crit bad error", "unhealthy", "as a condition, \"> 1000\""},
		{"degraded", "", "what is neither healthy nor unhealthy is degraded"},
	},
	"dwell": {{"for down fail failing pending trigger", "breach", ""}, {"up recovery resolve resolved keepfiringfor", "recover", ""}},
}

// foreignKeys are the entries of foreignFields by section and name.
var foreignKeys = sync.OnceValue(func() map[string]map[string]foreign {
	keys := make(map[string]map[string]foreign)
	for section, entries := range foreignFields {
		keys[section] = indexForeign(entries)
	}
	for section, entries := range foreignStreams {
		keys[section] = indexForeign(entries)
	}
	keys["reconnect"] = keys["session.reconnect"]
	keys["probes"] = indexForeign(foreignProbe)
	keys["defaults"] = keys["probes"]
	return keys
})

func indexForeign(entries []foreign) map[string]foreign {
	names := make(map[string]foreign)
	for _, entry := range entries {
		for name := range strings.FieldsSeq(entry.names) {
			if _, first := names[name]; !first {
				names[name] = entry
			}
		}
	}
	return names
}

// bareKey drops what separates the words of a key.
var bareKey = strings.NewReplacer("_", "", "-", "", ".", "", " ", "")

// guess says which field was meant by a key that a section does not have: the same word in another spelling, a word of
// another program, a field of another section, or one that looks like it. key is the field if the section has it, and
// advice the end of a sentence.
func (s *section[T]) guess(word string) (key, advice string) {
	bare := bareKey.Replace(strings.ToLower(word))
	if len(word) > excerpt.Max {
		return "", ""
	}
	keys := s.keys()
	if i := slices.IndexFunc(keys, func(key string) bool { return bareKey.Replace(key) == bare }); i >= 0 {
		return keys[i], didYouMean(keys[i])
	}
	if entry, ok := foreignKeys()[s.name][bare]; ok {
		if _, own := s.index[entry.path]; s.name == "otlp.tls" && entry.path != "" && !own {
			return "", "" // the exporter has no such setting
		}
		return entry.path, entry.advice()
	}
	elsewhere := s.elsewhere(word)
	switch {
	case s.name == "streams" && strings.Contains(elsewhere, "probes[]."):
		return "", ": it is for probes"
	case elsewhere != "":
		return "", didYouMean(elsewhere)
	}
	key = suggest(word, keys)
	return key, didYouMean(key)
}

// advice ends a sentence that says that there is no such field.
func (f foreign) advice() string {
	switch {
	case f.path == "":
		return ": " + f.note
	case f.note != "":
		return ", did you mean " + f.path + " (" + f.note + ")?"
	default:
		return didYouMean(f.path)
	}
}

// elsewhere returns the paths of the fields of other sections that are called so, of those nearest to this one.
func (s *section[T]) elsewhere(key string) string {
	here := ""
	if len(s.fields) > 0 {
		here = familyOf(s.fields[0].Path)
	}
	ofEntry := slices.Contains([]string{"probes", "defaults", "streams"}, s.name) // whose fields are named without the list
	var near, far []string
	for _, f := range Fields() {
		switch family := familyOf(f.Path); {
		case f.Key() != key || !strings.Contains(f.Path, "."):
		case family == here && ofEntry:
			near = append(near, strings.TrimPrefix(f.Path, family))
		case family == here:
			near = append(near, f.Path)
		case family != "streams[].":
			far = append(far, f.Path)
		}
	}
	if len(near) > 0 || s.name == "otlp.tls" {
		return strings.Join(near, " or ")
	}
	return strings.Join(far, " or ")
}

// familyOf returns the list of which a field is, as its path begins, or nothing for a setting.
func familyOf(path string) string {
	for _, list := range []string{"probes[].", "streams[]."} {
		if strings.HasPrefix(path, list) {
			return list
		}
	}
	return ""
}

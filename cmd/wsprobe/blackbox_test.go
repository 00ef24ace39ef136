package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/prometheus"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/permit"
)

// blackboxMetricTable has the metrics of /probe that have names of blackbox_exporter.
func blackboxMetricTable() string {
	var rows [][]string
	for _, m := range prometheus.Table() {
		rows = append(rows, []string{code(strings.TrimSuffix(m.Name+"{"+strings.Join(m.Labels, ", ")+"}", "{}")), m.Help, m.Without})
	}
	return markdown([]string{"metric", "value", "without one"}, rows)
}

// blackboxMissingTable has the metrics of its http prober that /probe has not.
func blackboxMissingTable() string {
	var rows [][]string
	missing := prometheus.Missing()
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		rows = append(rows, []string{code(name), missing[name]})
	}
	return markdown([]string{"metric", "why not"}, rows)
}

// specialTable has the networks that a pattern must name.
func specialTable() string {
	var rows [][]string
	for _, s := range permit.Specials() {
		name := s.Network.String()
		if s.Network.IsSingleIP() {
			name = s.Network.Addr().String()
		}
		rows = append(rows, []string{code(name), s.Is})
	}
	return markdown([]string{"address or network", "what it is"}, rows)
}

// blackboxOptions are the options of a module of blackbox_exporter, and the fields of a module of wsprobe.
var blackboxOptions = []struct{ theirs, ours, meaning string }{
	{"prober: http", "interpretation", "handshake_latency: the request is an upgrade"},
	{"prober: tcp", "interpretation", "handshake_latency without tls.*; a socket without WebSocket has no counterpart"},
	{"prober: websocket", "interpretation", "handshake_latency, or round_trip_latency with a query_response; of forks, because no release has it"},
	{"prober: icmp, dns, grpc, unix", "", "another protocol"},
	{"timeout", "timeout_ms", "in milliseconds; the time of the scrape less 0.5 s bounds both"},
	{"http.headers, websocket.http_config.headers", "headers", "the same; Origin and Host, too"},
	{"http.http_headers", "headers", "values in place of secrets and files: ${file:NAME} reads one"},
	{"http.basic_auth, websocket.http_config.basic_auth", "auth.strategy", "basic, with user and password or password_file"},
	{"http.authorization, websocket.http_config.bearer_token", "auth.strategy", "bearer, with token or token_file"},
	{"http.oauth2", "auth.strategy", "oauth2, with token_url, client_id, scopes and client_secret or client_secret_file; of endpoint_params only audience"},
	{"http.tls_config, tcp.tls_config", "tls.ca_file", "and the other fields of tls: cert_file, key_file, server_name, insecure_skip_verify"},
	{"tcp.tls", "url", "the target's scheme: wss:// or https://"},
	{"tcp.query_response.starttls", "", "a WebSocket has no STARTTLS"},
	{"http.proxy_url, http.proxy_from_environment", "proxy_url", "the proxy of the environment is the default"},
	{"http.no_proxy", "proxy_url", `"" for no proxy`},
	{"http.preferred_ip_protocol, http.ip_protocol_fallback", "ip_version", "any tries both families at once (RFC 8305), 4 or 6 only that"},
	{"tcp.source_ip_address", "", "the routes of the machine decide"},
	{"http.valid_status_codes", "expect_status", "of a refusal; without it, 101 is the one right status"},
	{"http.valid_http_versions, http.enable_http2, http.enable_http3", "", "HTTP/1.1 alone has the upgrade of RFC 6455"},
	{"http.method", "prepare.method", "of a request before the socket; an upgrade is a GET"},
	{"http.body, http.body_file", "send_message", "the first message on the socket"},
	{"http.body_size_limit", "max_message_bytes", "of a message"},
	{"http.compression", "compression", "of messages (RFC 7692)"},
	{"http.follow_redirects", "", "redirects are not followed: the target must be the last URL"},
	{"http.fail_if_ssl, http.fail_if_not_ssl", "url", "the target's scheme decides"},
	{"http.fail_if_body_not_matches_regexp", "expect_pattern", "of the reply"},
	{"http.fail_if_body_matches_regexp", "expect_pattern", "of the right replies; a wrong one is ws_reply_mismatch"},
	{"http.fail_if_body_json_not_matches_cel", "expect_json", "values by their paths; there are no expressions"},
	{"http.fail_if_header_matches, http.fail_if_header_not_matches", "expect_protocol", "of the subprotocol; the other fields of a 101 are checked anyway"},
	{"tcp.query_response, websocket.query_response", "exchange", "steps that send and expect; a group (?P<name>...) is {{name}} in later ones"},
	{"tcp.query_response.expect_bytes", "message_format", "hex or base64, for binary messages"},
	{"tcp.query_response.labels", "", "a reply becomes no label"},
}

// blackboxOptionTable has the options of modules beside the fields that take their places.
func blackboxOptionTable() string {
	var rows [][]string
	for _, o := range blackboxOptions {
		theirs := strings.Split(o.theirs, ", ")
		if strings.HasPrefix(o.theirs, "prober:") {
			theirs = []string{o.theirs}
		}
		for i := range theirs {
			theirs[i] = code(theirs[i])
		}
		ours := "—"
		if o.ours != "" {
			ours = code(o.ours)
		}
		rows = append(rows, []string{strings.Join(theirs, ", "), ours, o.meaning})
	}
	return markdown([]string{"blackbox_exporter", "wsprobe", "what becomes of it, or why there is none"}, rows)
}

// TestBlackboxFields: the fields that take the places of options are fields of a probe.
func TestBlackboxFields(t *testing.T) {
	known := make(map[string]bool)
	for _, f := range config.Fields() {
		known[f.Path] = true
	}
	for _, o := range blackboxOptions {
		if o.ours != "" && !known["probes[]."+o.ours] {
			t.Errorf("%s: there is no field %s", o.theirs, o.ours)
		}
	}
}

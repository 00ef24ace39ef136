package prometheus_test

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/prometheus"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// without are the names of samples, without labels, sorted and each once.
func without(all map[string]string) []string {
	var names []string
	for sample := range all {
		name, _, _ := strings.Cut(sample, "{")
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func expect(t *testing.T, got map[string]string, want map[string]string) {
	t.Helper()
	for sample, value := range want {
		if got[sample] != value {
			t.Errorf("%s: got %q, want %q", sample, got[sample], value)
		}
	}
}

const own = `{exported_url_path="own",server_address="127.0.0.1",server_port="0",team="web",url_path="/",url_scheme="ws",` +
	`wsprobe_interpretation="round_trip_latency",wsprobe_location="lab",wsprobe_name="NAME"}`

// TestGoodRun: every metric of the table that needs no TLS is there, and those of /metrics with their labels.
func TestGoodRun(t *testing.T) {
	s := wstest.Start(wstest.Reply(pong))
	defer s.Close()
	h, told := newHandler(t, map[string]prometheus.Module{"chat": module(nil)})
	got := samples(t, h, s.Addr().String(), nil)
	expect(t, got, map[string]string{
		"probe_success": "1", "probe_ip_protocol": "4", "probe_failed_due_to_regex": "0", "probe_http_status_code": "101", "probe_http_version": "1.1",
		"probe_http_ssl": "0", "probe_http_redirects": "0", "probe_dns_lookup_time_seconds": "0", `probe_http_duration_seconds{phase="resolve"}`: "0",
		`probe_http_duration_seconds{phase="tls"}`: "0", `probe_http_duration_seconds{phase="transfer"}`: "0", "probe_websocket_connection_upgraded": "1",
		"probe_websocket_status_code": "101", "probe_websocket_failed_due_to_regex": "0",
		strings.ReplaceAll("wsprobe_success"+own, "NAME", "chat/"+s.Addr().String()): "1",
	})
	for _, name := range []string{"probe_duration_seconds", "probe_ip_addr_hash", `probe_http_duration_seconds{phase="connect"}`, `probe_http_duration_seconds{phase="processing"}`} {
		if value, err := strconv.ParseFloat(got[name], 64); err != nil || value <= 0 {
			t.Errorf("%s: %q", name, got[name])
		}
	}
	for _, name := range []string{"wsprobe_handshake_latency_milliseconds", "wsprobe_round_trip_latency_milliseconds", "wsprobe_connection_success",
		"wsprobe_phase_duration_milliseconds"} {
		if !slices.Contains(without(got), name) {
			t.Errorf("no %s", name)
		}
	}
	for _, name := range []string{prometheus.FailureInfo, "probe_ssl_earliest_cert_expiry", "probe_tls_version_info", "wsprobe_runs_total"} {
		if slices.Contains(without(got), name) {
			t.Errorf("%s is there", name)
		}
	}
	if told.last() != 200 {
		t.Errorf("told %d", told.last())
	}
}

// TestSecureRun: what is known of the certificates, by the names of blackbox_exporter.
func TestSecureRun(t *testing.T) {
	s := wstest.StartTLS(wstest.Reply(pong), nil)
	defer s.Close()
	h, _ := newHandler(t, map[string]prometheus.Module{"chat": module(trusting(s.ClientTLS()))})
	got := samples(t, h, s.URL, nil)
	expect(t, got, map[string]string{"probe_success": "1", "probe_http_ssl": "1", `probe_tls_version_info{version="TLS 1.3"}`: "1"})
	for _, m := range prometheus.Table() {
		if !slices.Contains(without(got), m.Name) {
			t.Errorf("no %s", m.Name)
		}
	}
	now := float64(time.Now().Unix())
	for _, name := range []string{"probe_ssl_earliest_cert_expiry", "probe_ssl_last_chain_expiry_timestamp_seconds"} {
		if at, err := strconv.ParseFloat(got[name], 64); err != nil || at < now {
			t.Errorf("%s: %q", name, got[name])
		}
	}
	info := regexp.MustCompile(`^probe_ssl_last_chain_info\{fingerprint_sha256="[0-9a-f]{64}",issuer="[^"]+",serialnumber="[0-9a-f]+",subject="[^"]*",subjectalternative="[^"]*"\}$`)
	if !slices.ContainsFunc(keys(got), info.MatchString) {
		t.Errorf("no chain info in %q", keys(got))
	}
}

func keys(all map[string]string) (names []string) {
	for name := range all {
		names = append(names, name)
	}
	return names
}

// TestUntrustedCertificate: the expiry of a certificate that is refused is told, because that is when it is wanted most.
func TestUntrustedCertificate(t *testing.T) {
	s := wstest.StartTLS(wstest.Reply(pong), nil)
	defer s.Close()
	h, _ := newHandler(t, map[string]prometheus.Module{"chat": module(nil)})
	got := samples(t, h, s.URL, nil)
	expect(t, got, map[string]string{"probe_success": "0", "probe_http_ssl": "0", "probe_http_status_code": "0"})
	names := without(got)
	if !slices.Contains(names, "probe_ssl_earliest_cert_expiry") || slices.Contains(names, "probe_ssl_last_chain_expiry_timestamp_seconds") ||
		slices.Contains(names, "probe_tls_version_info") {
		t.Errorf("%q", names)
	}
}

// TestFailures: what there is of a run that failed.
func TestFailures(t *testing.T) {
	failure := func(reason, errorType string) string {
		return strings.Replace(own, `{`, prometheus.FailureInfo+`{error_type="`+errorType+`",`, 1)[:0] + errorType + " " + reason
	}
	for _, test := range []struct {
		name   string
		script wstest.Script
		change func(*probe.Spec)
		target string // in place of the server
		want   map[string]string
		reason string // and error type
	}{
		{name: "refused", script: wstest.Refuse(503, "no"), reason: failure("ws_open_failed", "http_503"),
			want: map[string]string{"probe_http_status_code": "503", "probe_websocket_status_code": "503", "probe_ip_protocol": "4", "probe_http_version": "1.1"}},
		{name: "mismatch", script: wstest.Reply("no"), reason: failure("ws_reply_mismatch", "reply_mismatch"), change: func(s *probe.Spec) { s.Timeout = time.Second },
			want: map[string]string{"probe_failed_due_to_regex": "1", "probe_websocket_failed_due_to_regex": "1", "probe_http_status_code": "101",
				"probe_websocket_connection_upgraded": "1"}},
		{name: "metadata by name", target: "ws://chat.test/", change: resolving("169.254.169.254"), reason: failure("ws_open_failed", "address_not_permitted"),
			want: map[string]string{"probe_http_status_code": "0", "probe_ip_protocol": "0", "probe_ip_addr_hash": "0", "probe_http_version": "0"}},
		{name: "loopback by name", target: "ws://chat.test/", change: resolving("::1"), reason: failure("ws_open_failed", "address_not_permitted")},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.script == nil {
				test.script = wstest.Silent
			}
			s := wstest.Start(test.script)
			defer s.Close()
			if test.target == "" {
				test.target = s.URL
			}
			h, _ := newHandler(t, map[string]prometheus.Module{"chat": module(test.change)})
			got := samples(t, h, test.target, nil)
			expect(t, got, map[string]string{"probe_success": "0"})
			expect(t, got, test.want)
			errorType, reason, _ := strings.Cut(test.reason, " ")
			if !slices.ContainsFunc(keys(got), func(name string) bool {
				return strings.HasPrefix(name, prometheus.FailureInfo+"{") && strings.Contains(name, `error_type="`+errorType+`"`) &&
					strings.Contains(name, `wsprobe_reason="`+reason+`"`)
			}) {
				t.Errorf("no %s with %s in %q", prometheus.FailureInfo, test.reason, keys(got))
			}
		})
	}
}

// TestFormats: the client chooses.
func TestFormats(t *testing.T) {
	s := wstest.Start(wstest.Reply(pong))
	defer s.Close()
	h, _ := newHandler(t, map[string]prometheus.Module{"chat": module(nil)})
	plain := ask(t, h, s.URL, nil)
	if text := bodyOf(t, plain); !strings.HasPrefix(plain.Header.Get("Content-Type"), "text/plain; version=0.0.4") || strings.Contains(text, "# EOF") ||
		!strings.Contains(text, "# TYPE probe_success gauge\n") || !strings.Contains(text, "# HELP probe_success ") {
		t.Errorf("%s: %s", plain.Header.Get("Content-Type"), text)
	}
	open := ask(t, h, s.URL, nil, "Accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
	if text := bodyOf(t, open); !strings.HasPrefix(open.Header.Get("Content-Type"), "application/openmetrics-text") || !strings.HasSuffix(text, "# EOF\n") {
		t.Errorf("%s: %s", open.Header.Get("Content-Type"), text)
	}
}

// TestPage: the answer for people tells the run, the metrics and the module, and no secret.
func TestPage(t *testing.T) {
	const secret = "s3cr3t-token-of-the-module"
	s := wstest.Start(wstest.Reply("you sent " + secret + " and pong"))
	defer s.Close()
	h, _ := newHandler(t, map[string]prometheus.Module{"chat": module(func(s *probe.Spec) {
		s.Headers = map[string]string{"Authorization": "Bearer " + secret}
	})})
	r := ask(t, h, s.URL+"?token="+secret, url.Values{"debug": {"true"}})
	text := bodyOf(t, r)
	for _, want := range []string{"Logs for the probe:\n", "module chat, target ws://", "connect", "> GET /", "< HTTP/1.1 101", "text, ", "result: ok",
		"Metrics that would have been returned:\n", "\nprobe_success 1\n", "Module configuration:\nname: x\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, secret) || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("%s\n%s", r.Header.Get("Content-Type"), text)
	}
	if got := bodyOf(t, ask(t, h, s.URL+"?token="+secret, nil)); strings.Contains(got, secret) {
		t.Errorf("the metrics have the secret:\n%s", got)
	}
}

// TestTable: every row says what it is, and what there is without a value.
func TestTable(t *testing.T) {
	form := regexp.MustCompile(`^probe_[a-z0-9_]+$`)
	for _, m := range prometheus.Table() {
		if !form.MatchString(m.Name) || m.Help == "" || m.Without == "" || strings.HasSuffix(m.Help, ".") {
			t.Errorf("%+v", m)
		}
		if prometheus.Missing()[m.Name] != "" {
			t.Errorf("%s is there and missing", m.Name)
		}
	}
}

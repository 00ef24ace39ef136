package prometheus

import (
	"crypto/tls"
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

// Metric is one row of [Table]: a metric by its name in blackbox_exporter.
type Metric struct {
	Name   string
	Help   string
	Labels []string
	// Without is what there is if the run did not measure it.
	Without string

	points func(*answer) []point
}

// point is a value with the values of the labels that its row names.
type point struct {
	value  float64
	labels []string
}

// Table returns the metrics with names of blackbox_exporter, in the order of the documentation. All are gauges.
func Table() []Metric { return slices.Clone(table) }

const (
	always = "always there"
	zero   = "0"
	absent = "absent"
)

// table is the only place where these metrics are described. It does not change.
var table = []Metric{
	{Name: "probe_success", Without: always, Help: "1 if the run was ok, as wsprobe_success, else 0",
		points: always1(func(a *answer) float64 { return number(a.result.Reason == reasons.OK) })},
	{Name: "probe_duration_seconds", Without: always, Help: "Length of the run with its close handshake",
		points: always1(func(a *answer) float64 { return a.took.Seconds() })},
	{Name: "probe_dns_lookup_time_seconds", Without: zero, Help: "Time that the name was looked up, also in vain",
		points: always1(func(a *answer) float64 { return a.lasted(probe.PhaseDNS).Seconds() })},
	{Name: "probe_ip_protocol", Without: zero, Help: "4 or 6: version of IP of the connection, to the proxy if there is one",
		points: always1(func(a *answer) float64 { return a.family() })},
	{Name: "probe_ip_addr_hash", Without: zero, Help: "FNV-1a hash of the address that was connected to, to see that it changes",
		points: always1(func(a *answer) float64 { return a.addressHash() })},
	{Name: "probe_failed_due_to_regex", Without: zero, Help: "1 if messages came and none was the expected reply",
		points: always1(mismatched)},
	{Name: "probe_http_status_code", Without: zero, Help: "Status of the response to the upgrade, 101 if the socket opened",
		points: always1(func(a *answer) float64 { return float64(a.result.HTTPStatus) })},
	{Name: "probe_http_version", Without: zero, Help: "1.1 if there was a response: no other version has the upgrade of RFC 6455",
		points: always1(func(a *answer) float64 { return 1.1 * number(a.result.HTTPStatus != 0) })},
	{Name: "probe_http_ssl", Without: always, Help: "1 if the TLS handshake ended well, else 0",
		points: always1(func(a *answer) float64 { return number(a.secured()) })},
	{Name: "probe_http_redirects", Without: always, Help: "0: redirects are not followed",
		points: always1(func(*answer) float64 { return 0 })},
	{Name: "probe_http_duration_seconds", Without: "0 for that phase", Labels: []string{"phase"},
		Help:   "Length of each phase that ended: resolve, connect, tls, processing (the upgrade), transfer (0: a socket has no body)",
		points: httpPhases},
	{Name: "probe_ssl_earliest_cert_expiry", Without: absent, Help: "When the first certificate shown expires, as Unix time, also if it was refused",
		points: earliestExpiry},
	{Name: "probe_ssl_last_chain_expiry_timestamp_seconds", Without: absent, Help: "When the verified chain that lasts longest expires, as Unix time",
		points: lastChainExpiry},
	{Name: "probe_ssl_last_chain_info", Without: absent, Labels: []string{"fingerprint_sha256", "subject", "issuer", "subjectalternative", "serialnumber"},
		Help: "1, with what the endpoint's certificate says, also if it was refused", points: chainInfo},
	{Name: "probe_tls_version_info", Without: absent, Labels: []string{"version"}, Help: "1, with the version of TLS", points: tlsVersion},
	{Name: "probe_tls_cipher_info", Without: absent, Labels: []string{"cipher"}, Help: "1, with the cipher suite", points: tlsCipher},
	{Name: "probe_websocket_connection_upgraded", Without: always, Help: "1 if the socket opened, else 0",
		points: always1(func(a *answer) float64 { return number(a.result.Opened) })},
	{Name: "probe_websocket_status_code", Without: zero, Help: "The same as probe_http_status_code",
		points: always1(func(a *answer) float64 { return float64(a.result.HTTPStatus) })},
	{Name: "probe_websocket_failed_due_to_regex", Without: zero, Help: "The same as probe_failed_due_to_regex",
		points: always1(mismatched)},
}

// Missing are metrics of blackbox_exporter's http prober that /probe has not, and why.
func Missing() map[string]string {
	return map[string]string{
		"probe_http_content_length":                  "a 101 has no body",
		"probe_http_uncompressed_body_length":        "a 101 has no body",
		"probe_http_last_modified_timestamp_seconds": "a socket is not modified",
		"probe_failed_due_to_cel":                    "expect_json has no expressions; a mismatch is probe_failed_due_to_regex",
	}
}

// always1 are the points of a metric with one value and no labels.
func always1(value func(*answer) float64) func(*answer) []point {
	return func(a *answer) []point { return []point{{value: value(a)}} }
}

// number is 1 for yes and 0 for no.
func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// lasted is how long a phase took, or had taken when the run failed in it.
func (a *answer) lasted(phase probe.Phase) time.Duration {
	switch span := a.result.Phases[phase]; span.State {
	case probe.SpanEnded:
		return span.Duration()
	case probe.SpanBroken:
		return max(0, a.result.Ended.Sub(a.result.Started)-span.Start)
	default:
		return 0
	}
}

// peer is the address that was connected to; not valid without a connection.
func (a *answer) peer() netip.Addr {
	at, _ := netip.ParseAddrPort(a.result.Peer)
	return at.Addr().Unmap()
}

func (a *answer) family() float64 {
	switch peer := a.peer(); {
	case peer.Is4():
		return 4
	case peer.Is6():
		return 6
	default:
		return 0
	}
}

func (a *answer) addressHash() float64 {
	peer := a.peer()
	if !peer.IsValid() {
		return 0
	}
	hash := fnv.New32a()
	_, _ = hash.Write(peer.WithZone("").AsSlice())
	return float64(hash.Sum32())
}

func mismatched(a *answer) float64 { return number(a.result.Reason == reasons.ReplyMismatch) }

// secured reports whether the TLS handshake with the endpoint ended well.
func (a *answer) secured() bool { return a.result.TLSVersion != 0 }

// httpPhases are the phases by the names that blackbox_exporter has for those of HTTP.
func httpPhases(a *answer) []point {
	length := func(phase probe.Phase) float64 {
		if span := a.result.Phases[phase]; span.State == probe.SpanEnded {
			return span.Duration().Seconds()
		}
		return 0
	}
	return []point{
		{length(probe.PhaseDNS), []string{"resolve"}},
		{length(probe.PhaseConnect), []string{"connect"}},
		{length(probe.PhaseTLS), []string{"tls"}},
		{length(probe.PhaseUpgrade), []string{"processing"}},
		{0, []string{"transfer"}},
	}
}

// chain is the certificates that the endpoint showed, its own first.
func (a *answer) chain() []probe.Certificate {
	if a.watch.TLS == nil {
		return nil
	}
	return a.watch.TLS.Chain
}

func earliestExpiry(a *answer) []point {
	var earliest time.Time
	for _, c := range a.chain() {
		if earliest.IsZero() || c.Until.Before(earliest) {
			earliest = c.Until
		}
	}
	if earliest.IsZero() {
		return nil
	}
	return []point{{value: float64(earliest.Unix())}}
}

func lastChainExpiry(a *answer) []point {
	if !a.secured() || !a.watch.TLS.Verified || a.result.CertificateExpiry.IsZero() {
		return nil
	}
	return []point{{value: float64(a.result.CertificateExpiry.Unix())}}
}

func chainInfo(a *answer) []point {
	chain := a.chain()
	if len(chain) == 0 {
		return nil
	}
	c := chain[0]
	names := slices.DeleteFunc(slices.Clone(c.Names), func(name string) bool { // it has no addresses
		_, err := netip.ParseAddr(name)
		return err == nil
	})
	return []point{{1, []string{c.Fingerprint, c.Subject, c.Issuer, strings.Join(names, ","), c.Serial}}}
}

func tlsVersion(a *answer) []point {
	if !a.secured() {
		return nil
	}
	return []point{{1, []string{tls.VersionName(a.result.TLSVersion)}}}
}

func tlsCipher(a *answer) []point {
	if !a.secured() {
		return nil
	}
	return []point{{1, []string{tls.CipherSuiteName(a.result.TLSCipher)}}}
}

package config

import (
	"net/netip"
	"strings"

	"github.com/wsprobe/wsprobe/probe"
)

var tlsSection = newSection("otlp.tls", "otlp.tls.", true, []field[tlsSettings]{
	{Field: Field{Path: "ca_file", Kind: Text, File: true,
		Doc:  "PEM or DER file, or PEM text, of the authorities that are trusted instead of the system's",
		OTel: []string{"OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"}},
		value: textAt(func(t *tlsSettings) *string { return &t.ca }, nil), secret: withheld},
	{Field: Field{Path: "cert_file", Kind: Text, File: true,
		Doc:  "client certificate: PEM, with its key in key_file, or a PKCS#12 bundle without key_file",
		OTel: []string{"OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"}},
		value: textAt(func(t *tlsSettings) *string { return &t.Cert }, nil), secret: withheld},
	{Field: Field{Path: "key_file", Kind: Text, File: true, Doc: "PEM file of the private key of cert_file",
		OTel: []string{"OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_KEY"}},
		value: textAt(func(t *tlsSettings) *string { return &t.Key }, nil), secret: withheld},
	{Field: Field{Path: "key_password", Kind: Text, Doc: "password of an encrypted key (PKCS#8) or of a bundle (PKCS#12)"},
		value: textAt(func(t *tlsSettings) *string { return &t.Password }, nil), secret: withheld},
	{Field: Field{Path: "insecure_skip_verify", Kind: Bool, Default: "false",
		Doc: "accept any certificate of the receiver: for tests only"},
		value: boolAt(func(t *tlsSettings) *bool { return &t.skipVerify })},
})

// probeTLSSection is the mapping tls of a probe.
var probeTLSSection = newSection("tls", "probes[].tls.", false, []field[tlsSettings]{
	{Field: Field{Path: "ca_file", Kind: Text, File: true,
		Doc: "PEM or DER file, or PEM text, of the authorities that are trusted instead of the system's"},
		value: textAt(func(t *tlsSettings) *string { return &t.ca }, nil), secret: withheld},
	{Field: Field{Path: "cert_file", Kind: Text, File: true,
		Doc: "client certificate: PEM, with its key in key_file or in the same file, or a PKCS#12 bundle without " +
			"key_file"},
		value: textAt(func(t *tlsSettings) *string { return &t.Cert }, nil), secret: withheld},
	{Field: Field{Path: "key_file", Kind: Text, File: true, Doc: "PEM file of the private key of cert_file"},
		value: textAt(func(t *tlsSettings) *string { return &t.Key }, nil), secret: withheld},
	{Field: Field{Path: "key_password", Kind: Text, Doc: "password of an encrypted key (PKCS#8) or of a bundle (PKCS#12)"},
		value: textAt(func(t *tlsSettings) *string { return &t.Password }, nil), secret: withheld},
	{Field: Field{Path: "server_name", Kind: Text,
		Doc: "name to ask for (SNI) and to find in the certificate, in place of the url's host"},
		value: textAt(func(t *tlsSettings) *string { return &t.serverName }, serverNameProblem), secret: public},
	{Field: Field{Path: "insecure_skip_verify", Kind: Bool, Default: "false",
		Doc: "accept any certificate: for tests only"},
		value: boolAt(func(t *tlsSettings) *bool { return &t.skipVerify })},
	{Field: Field{Path: "verify_hostname", Kind: Bool, Default: "true",
		Doc: "false accepts a certificate of a trusted authority with any name"},
		value: boolAt(func(t *tlsSettings) *bool { return &t.verifyName })},
	{Field: Field{Path: "min_version", Kind: Choice, Default: "1.2", Allowed: []string{"1.0", "1.1", "1.2", "1.3"},
		Doc: "oldest version of TLS that is accepted"},
		value: wordAt(func(t *tlsSettings) *string { return &t.minVersion })},
	{Field: Field{Path: "alpn", Kind: List, Max: 1,
		Doc: "protocols offered by ALPN: http/1.1, which is the default and the only one with an upgrade, or [] to " +
			"offer none"},
		value: listAt(func(t *tlsSettings) *[]string { return &t.alpn }), secret: public},
})

// serverNameProblem checks a name that a certificate can be for: what can be the host of a URL can be one.
func serverNameProblem(name string) string {
	if _, err := netip.ParseAddr(name); name == "" || err == nil {
		return ""
	}
	if strings.ContainsAny(name, ":/?#@[]") {
		return "must be a host name or an address, and nothing more"
	}
	for _, f := range (probe.Spec{Opening: probe.Opening{URL: "wss://" + name}}).Validate() {
		return f.Problem
	}
	return ""
}

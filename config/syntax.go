package config

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

// Limits of labels and of the metadata of exports.
const (
	maxLabels     = 32
	maxLabelName  = 128
	maxLabelValue = 1024
	maxMetadata   = 64
)

// nameProblem checks the name of a probe. It becomes an attribute, a line of a log and a word on a command
// line, so what cannot be seen has no place in it.
func nameProblem(name string) string {
	if strings.TrimSpace(name) != name {
		return "must not begin or end with a blank"
	}
	return printableProblem(name)
}

func printableProblem(text string) string {
	if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		return fmt.Sprintf("must consist of printable characters, got %U", r)
	}
	return ""
}

// urlProblem checks the URL of a page, which may be missing. It stands in alerts for everybody, so it has no password.
func urlProblem(text string) string {
	u, err := url.Parse(text)
	if text != "" && (err != nil || u.Hostname() == "" || u.User != nil) {
		return "must be http:// or https://, then a host, without user information"
	}
	return printableProblem(text)
}

// listenProblem checks an address to listen on. The host may be missing, for all addresses; port
// 0 lets the system choose.
func listenProblem(address string) string {
	if address == "" {
		return ""
	}
	host, port, err := net.SplitHostPort(address)
	switch {
	case err == nil && host == "*":
		return fmt.Sprintf("must be host:port or :port, got %s: write :%s for all addresses", excerpt.Quote(address), excerpt.Of(port))
	case err != nil || strings.ContainsFunc(host, notOfHost):
		return fmt.Sprintf("must be host:port or :port, got %s", excerpt.Quote(address))
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Sprintf("must have a port between 0 and 65535, got %s", excerpt.Quote(address))
	}
	return ""
}

// hostNameProblem checks a name as it stands in a Host field, without a port.
func hostNameProblem(host string) string {
	if host == "" || strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`:/?#@[]*\,"<>`, r) }) {
		return fmt.Sprintf("must be the name of a host, without scheme and port, got %s", excerpt.Quote(host))
	}
	return ""
}

// notOfHost reports what neither a name nor an address has in it. Letters beyond ASCII have to be those of the DNS.
func notOfHost(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(".:-_%", r)
}

var labelName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`)

// ownAttributes are the attributes of the metrics of a probe that no label may replace.
var ownAttributes = []string{"server.address", "server.port", "url.scheme", "url.path", "error.type"}

// resourceAttributes are what the agent says about itself. VictoriaMetrics and resource_to_telemetry_conversion of
// Collectors make labels of them, and of the scope: a label of the same name would be there twice.
var resourceAttributes = []string{
	"service.name", "service.version", "service.instance.id", "host.name",
	"telemetry.sdk.name", "telemetry.sdk.language", "telemetry.sdk.version",
	"scope.name", "scope.version", "otel.scope.name", "otel.scope.version",
}

// prometheusName is how Prometheus spells the name of an attribute.
func prometheusName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '-' {
			return '_'
		}
		return r
	}, name)
}

// oneOf reports whether a name is one of others to Prometheus.
func oneOf(name string, others []string) bool {
	return slices.ContainsFunc(others, func(other string) bool { return prometheusName(name) == prometheusName(other) })
}

// ownName reports whether a name is, or looks like, that of an attribute that the metrics of a probe bear.
func ownName(name string) bool {
	return strings.HasPrefix(prometheusName(name), "wsprobe_") || oneOf(name, ownAttributes)
}

func labelProblem(name, value string) (nameProblem, valueProblem string) {
	switch {
	case !labelName.MatchString(name):
		nameProblem = "must be named by letters, digits, _ . or -, beginning with a letter"
	case len(name) > maxLabelName:
		nameProblem = fmt.Sprintf("must have a name of at most %d characters, got %d", maxLabelName, len(name))
	case ownName(name), oneOf(name, resourceAttributes):
		nameProblem = "is not allowed: it is an attribute that wsprobe sets itself"
	}
	if n := utf8.RuneCountInString(value); n > maxLabelValue {
		valueProblem = fmt.Sprintf("must be at most %d characters, got %d", maxLabelValue, n)
	}
	return nameProblem, valueProblem
}

var metadataName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// ownMetadata are the names that gRPC or HTTP/2 set themselves, or drop without a word.
var ownMetadata = map[string]bool{
	"content-type": true, "user-agent": true, "te": true, "host": true, "connection": true, "keep-alive": true,
	"proxy-connection": true, "transfer-encoding": true, "upgrade": true, "content-length": true,
}

// metadataProblem checks a header of OTLP/gRPC: the grammar of custom metadata of gRPC over HTTP/2.
func metadataProblem(name, value string) (nameProblem, valueProblem string) {
	switch lower := strings.ToLower(name); {
	case !metadataName.MatchString(name):
		nameProblem = "must be named by letters, digits, _ . or -"
	case ownMetadata[lower], strings.HasPrefix(lower, "grpc-"):
		nameProblem = "is not allowed: gRPC sets it itself"
	case strings.HasSuffix(lower, "-bin"):
		return "", "" // binary metadata: gRPC encodes the value
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
		valueProblem = "must consist of visible ASCII characters and blanks"
	} else if strings.TrimSpace(value) != value {
		valueProblem = "must not begin or end with a blank"
	}
	return nameProblem, valueProblem
}

package probe

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/probe/internal/opening"
)

// MaxURLBytes is the longest URL accepted; RFC 7230 3.1.1 asks servers for 8,000 bytes at least.
const MaxURLBytes = 8 << 10

// urlProblems names every fault of the URL of an endpoint (RFC 6455 3). It repeats no part of the URL, because
// credentials can stand in user information, paths and queries.
//
// It does not use [url.Parse], which stops at the first problem, quotes the URL in its error, and checks neither the
// query nor the range of the port.
func urlProblems(raw string) []string { return problemsOfURL(raw, "ws") }

// problemsOfURL is urlProblems for a scheme, "ws" or "http", or its secure twin.
func problemsOfURL(raw, plain string) []string {
	other := map[string]string{"ws": "http", "http": "ws"}[plain]
	switch {
	case raw == "":
		return []string{"is required"}
	case len(raw) > MaxURLBytes:
		return []string{fmt.Sprintf("must be at most %d bytes, got %d", MaxURLBytes, len(raw))}
	case hasBlank(raw):
		return []string{"must not contain blanks or control characters"}
	}
	scheme, rest, found := strings.Cut(raw, "://")
	switch scheme = strings.ToLower(scheme); {
	case found && (scheme == other || scheme == other+"s"):
		return []string{fmt.Sprintf("must begin with %s:// instead of %s://", plain+scheme[len(other):], scheme)}
	case !found || scheme != plain && scheme != plain+"s":
		return []string{fmt.Sprintf("must begin with %s:// or %ss://", plain, plain)}
	}
	var problems []string
	rest, _, fragment := strings.Cut(rest, "#")
	if fragment {
		rule := map[string]string{"ws": " (RFC 6455 3)"}[plain]
		problems = append(problems, "must not have a fragment"+rule+"; write %23 for a # in the path or query")
	}
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
		problems = append(problems, "must not have user information before the host: put credentials into headers")
	}
	problems = append(problems, hostPortProblems(authority)...)
	problems = append(problems, tailProblems(tail)...)
	if problems == nil && !isPlainURL(rest) {
		if u, err := url.Parse(raw); err != nil || u.Host == "" {
			return []string{"must be a valid URL"}
		}
	}
	return problems
}

// hasBlank reports whether a text has a blank or a control character of ASCII.
func hasBlank(text string) bool {
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c == 0x7f {
			return true
		}
	}
	return false
}

// isPlainURL reports whether what follows the :// has no character that means anything but itself to [url.Parse].
func isPlainURL(rest string) bool {
	for i := range len(rest) {
		if c := rest[i]; !alphanumeric(c) && strings.IndexByte("-._~/:", c) < 0 {
			return false
		}
	}
	return true
}

// tailProblems names the faults of the path and the query of a URL.
func tailProblems(tail string) []string {
	var problems []string
	if !isASCII(tail) {
		problems = append(problems, "must have characters outside ASCII percent-encoded after the host")
	}
	for i := range len(tail) {
		if tail[i] == '%' && (i+2 >= len(tail) || !isHex(tail[i+1]) || !isHex(tail[i+2])) {
			return append(problems, "must have two hexadecimal digits after each % (write %25 for a percent sign)")
		}
	}
	return problems
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// hostPortProblems names the faults of a host and its optional port.
func hostPortProblems(hostport string) []string {
	host, port, hasPort := hostport, "", false
	if i := strings.LastIndexByte(hostport, ':'); i > strings.LastIndexByte(hostport, ']') {
		host, port, hasPort = hostport[:i], hostport[i+1:], true
	}
	var problems []string
	if problem := hostProblem(host); problem != "" {
		problems = append(problems, problem)
	}
	if hasPort {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			problems = append(problems, "must have a port between 1 and 65535")
		}
	}
	return problems
}

// hostProblem names the fault of a name or an address. A name that ends in a number must be an address: no top-level
// domain is a number, and resolvers disagree about one.
func hostProblem(host string) string {
	if host == "" {
		return "must have a host"
	}
	if inner, bracketed := strings.CutPrefix(host, "["); bracketed {
		inner, closed := strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(strings.Replace(inner, "%25", "%", 1)) // a zone (RFC 6874)
		if !closed || err != nil || !addr.Is6() {
			return "must have a valid IPv6 address between the brackets"
		}
		if addr.IsLinkLocalUnicast() && addr.Zone() == "" {
			return "must have the zone of a link-local address, the interface that it is on: [fe80::1%25eth0] (RFC 6874)"
		}
		return ""
	}
	if strings.Contains(host, ":") {
		return "must have an IPv6 address in brackets"
	}
	name := strings.TrimSuffix(host, ".")
	name, err := opening.ASCIIHost(name)
	if err != nil {
		return "must have a valid internationalized host name"
	}
	if !isDomain(name) {
		return "must have a valid host: labels of letters, digits, - and _, at most 63 characters each and 253 together"
	}
	if last := name[strings.LastIndexByte(name, '.')+1:]; strings.Trim(last, "0123456789") == "" {
		if addr, err := netip.ParseAddr(host); err != nil || !addr.Is4() {
			return "must have a valid IPv4 address, or a host name that does not end in a number"
		}
	}
	return ""
}

// isDomain reports whether the name consists of labels of RFC 1123 2.1. It accepts underscores, as Go's resolver does,
// because container networks are full of them.
func isDomain(name string) bool {
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !alphanumeric(c) && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

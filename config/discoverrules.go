package config

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

// checkDNS completes the mapping dns by the URL, and checks it.
func (r *discoverReader) checkDNS(d *discoverEntry) {
	host, port := authorityOf(d.url)
	names := &d.dns.Names
	var findings []finding
	problem := func(key, text string, args ...any) {
		if !r.dns.faultyKey(key) {
			findings = append(findings, finding{key: key, problem: fmt.Sprintf(text, args...)})
		}
	}
	switch {
	case len(*names) == 0 && host != "":
		*names = []string{host}
	case len(*names) == 0:
		problem("names", "is required, because url names no host")
	case len(*names) > maxLookedUp:
		problem("names", "must be at most %d, got %d", maxLookedUp, len(*names))
	}
	for _, name := range *names {
		if text := lookupProblem(name); text != "" && r.dns.setsKey("names") {
			problem("names", "%s", text)
			break
		}
	}
	switch {
	case d.dns.Type == dnsSRV && d.dns.Port != 0:
		problem("port", "is not allowed with type SRV, whose records have ports")
	case d.dns.Type != dnsSRV && d.dns.Port == 0 && port == 0:
		problem("port", "is required, because url has no port")
	case d.dns.Type != dnsSRV && d.dns.Port == 0:
		d.dns.Port = port
	}
	if !r.set.faulty[discoverSection.index["url"]] {
		r.dns.reportAll(findings)
	}
}

// authorityOf returns host and port of a URL with placeholders: "" and 0 where one stands.
func authorityOf(text string) (host string, port int) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return "", 0
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 && !strings.Contains(rest[:i], "{{") {
		rest = rest[:i]
	}
	if i := strings.Index(rest, "}}/"); i >= 0 {
		rest = rest[:i+2]
	}
	host, digits := rest, ""
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.HasSuffix(rest, "]") {
		host, digits = rest[:i], rest[i+1:]
	}
	switch {
	case digits != "":
		port, _ = strconv.Atoi(digits) // 0 for a placeholder
	case strings.Contains(host, "{{target.address}}"):
	case strings.EqualFold(scheme, "wss"):
		port = 443
	case strings.EqualFold(scheme, "ws"):
		port = 80
	}
	if strings.Contains(host, "{{") {
		host = ""
	}
	return strings.ToLower(strings.Trim(host, "[]")), port
}

// filePatternProblem checks a pattern of files.
func filePatternProblem(pattern string) string {
	_, err := filepath.Match(pattern, "")
	if err != nil || !slices.Contains([]string{".json", ".yaml", ".yml"}, filepath.Ext(pattern)) {
		return "must be a pattern of files that end in .json, .yaml or .yml, such as targets/*.json, got " + excerpt.Quote(pattern)
	}
	return ""
}

// listURLProblem checks the URL of a list of targets, and does not repeat it.
func listURLProblem(text string) string {
	u, err := url.Parse(text)
	if scheme, _, _ := strings.Cut(strings.ToLower(text), "://"); scheme != "http" && scheme != "https" {
		return "must begin with http:// or https://"
	}
	if err != nil || u.Hostname() == "" {
		return "must be http:// or https://, then a host"
	}
	return ""
}

// dnsServerProblem checks the address of a name server.
func dnsServerProblem(text string) string {
	host, port, err := net.SplitHostPort(text)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || host == "" || bad != nil || n == 0 || strings.ContainsFunc(host, notOfHost) {
		return "must be host:port, such as 10.96.0.10:53, got " + excerpt.Quote(text)
	}
	return ""
}

// lookupProblem checks a name to look up.
func lookupProblem(name string) string {
	if name == "" || len(name) > 253 || strings.ContainsFunc(name, func(r rune) bool { return notOfHost(r) || r == ':' || r == '%' }) {
		return "must have names to look up, such as chat.default.svc, got " + excerpt.Quote(name)
	}
	if net.ParseIP(name) != nil {
		return "must have names to look up, got the address " + excerpt.Quote(name)
	}
	return ""
}

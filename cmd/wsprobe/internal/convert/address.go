package convert

import (
	"regexp"
	"strings"
)

// address is a URL in parts. A reference may stand in any of them.
type address struct {
	scheme   string // "ws", "wss", or "" if a reference holds it
	userinfo string
	host     string // with the port
	rest     string // the path and the query
	fragment string
}

// reference is what wsprobe fills in.
var reference = regexp.MustCompile(`\$\{[^}]*\}`)

// parseAddress takes a translated URL apart. It reports false if that is no URL of a WebSocket.
func parseAddress(url string) (address, bool) {
	if strings.Contains(url, "\x00") {
		return address{}, false
	}
	var held []string
	masked := reference.ReplaceAllStringFunc(url, func(r string) string {
		held = append(held, r)
		return "\x00"
	})
	put := func(part string) string {
		for strings.Contains(part, "\x00") {
			part = strings.Replace(part, "\x00", held[0], 1)
			held = held[1:]
		}
		return part
	}
	scheme, rest, found := strings.Cut(masked, "://")
	if scheme = strings.ToLower(scheme); !found || scheme != "ws" && scheme != "wss" {
		return address{}, false
	}
	rest, fragment, _ := strings.Cut(rest, "#")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	authority, rest := rest[:end], rest[end:]
	userinfo := ""
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		userinfo, authority = authority[:at], authority[at+1:]
	}
	a := address{scheme: scheme}
	a.userinfo, a.host, a.rest, a.fragment = put(userinfo), put(authority), put(rest), put(fragment)
	return a, a.host != ""
}

// port reports whether the host has a port.
func (a address) port() bool {
	last := a.host[strings.LastIndexByte(a.host, ']')+1:]
	return strings.Contains(reference.ReplaceAllString(last, ""), ":")
}

func (a address) String() string { return a.scheme + "://" + a.host + a.rest }

// telling matches a query with a value that looks like a secret.
var telling = regexp.MustCompile(`(?i)[?&][^=&]*(token|key|secret|pass|auth|sig)[^=&]*=([^&]+)`)

// secretQuery reports whether a query has a secret in plain text.
func (a address) secretQuery() bool {
	for _, match := range telling.FindAllStringSubmatch(a.rest, -1) {
		if !referring(match[2]) {
			return true
		}
	}
	return false
}

// name is a name for a stream to the host.
func (a address) name() string { return reference.ReplaceAllString(a.host, "") }

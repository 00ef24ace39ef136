package redact

import "strings"

// URL returns a URL as it may be shown: without its query and without user information.
func URL(raw string) string {
	if !strings.ContainsAny(raw, "?@") {
		return raw // and not a copy, because there are many probes
	}
	head, query, hasQuery := strings.Cut(raw, "?")
	if scheme, rest, ok := strings.Cut(head, "://"); ok {
		host, path, hasPath := strings.Cut(rest, "/")
		if at := strings.LastIndexByte(host, '@'); at >= 0 {
			host = host[at+1:]
		}
		head = scheme + "://" + host
		if hasPath {
			head += "/" + path
		}
	}
	if hasQuery && query != "" {
		return head + "?" + Mark
	}
	return head
}

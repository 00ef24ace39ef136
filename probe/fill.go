package probe

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/wsprobe/wsprobe/probe/internal/match"
)

// texts are those of an Opening that can have placeholders: the URL behind its host, headers and protocols.
func (o Opening) texts() []string {
	texts := append([]string{tailOf(o.URL)}, o.Protocols...)
	for _, name := range slices.Sorted(maps.Keys(o.Headers)) {
		texts = append(texts, o.Headers[name])
	}
	return texts
}

func (o Opening) hasPlaceholder() bool { return slices.ContainsFunc(o.texts(), match.HasPlaceholder) }

// tailOf is a URL from its path on.
func tailOf(raw string) string {
	_, rest, _ := strings.Cut(raw, "://")
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		return rest[i:]
	}
	return ""
}

// filled returns the Opening with values in the place of placeholders, and with the cookies that a jar has for it. The
// problem says which text is not fit to be sent then, and repeats no part of it.
func (o Opening) filled(values map[string]string, jar http.CookieJar) (filled Opening, problem string) {
	if len(values) > 0 {
		if o, problem = o.withValues(values); problem != "" {
			return o, problem
		}
	}
	if u, err := url.Parse(o.URL); err == nil {
		u.Scheme = strings.Replace(strings.ToLower(u.Scheme), "ws", "http", 1)
		o.Headers = withCookies(o.Headers, jar.Cookies(u))
	}
	return o, ""
}

// withValues returns the Opening with values in the place of placeholders.
func (o Opening) withValues(values map[string]string) (Opening, string) {
	verbatim := match.Filler{Values: values}
	o.URL = fillURL(o.URL, values)
	if len(o.URL) > MaxURLBytes {
		return o, fmt.Sprintf("the url is longer than %d bytes", MaxURLBytes)
	}
	o.Headers = maps.Clone(o.Headers)
	for _, name := range slices.Sorted(maps.Keys(o.Headers)) {
		o.Headers[name] = verbatim.Verbatim(o.Headers[name])
		if problem := headerValueProblem(o.Headers[name]); problem != "" {
			return o, "header " + name + " " + problem
		}
	}
	o.Protocols = slices.Clone(o.Protocols)
	for i := range o.Protocols {
		o.Protocols[i] = verbatim.Verbatim(o.Protocols[i])
		if len(o.Protocols[i]) > MaxProtocolLen || !httpguts.ValidHeaderFieldName(o.Protocols[i]) {
			return o, fmt.Sprintf("protocol %d must be a token of at most %d bytes (RFC 7230 3.2.6)", i, MaxProtocolLen)
		}
	}
	o.ExpectProtocol = verbatim.Verbatim(o.ExpectProtocol)
	return o, ""
}

// fillURL puts values into the path and the query of a URL, percent-encoded.
func fillURL(raw string, values map[string]string) string {
	tail := tailOf(raw)
	path, query, found := strings.Cut(tail, "?")
	path = escaped(values, url.PathEscape).Verbatim(path)
	if found {
		path += "?" + escaped(values, url.QueryEscape).Verbatim(query)
	}
	return raw[:len(raw)-len(tail)] + path
}

// escaped fills in values that a function has escaped.
func escaped(values map[string]string, escape func(string) string) *match.Filler {
	all := make(map[string]string, len(values))
	for name, value := range values {
		all[name] = escape(value)
	}
	return &match.Filler{Values: all}
}

// withCookies adds cookies to headers. A cookie that the headers have already stays as it is.
func withCookies(headers map[string]string, cookies []*http.Cookie) map[string]string {
	name, given := "Cookie", ""
	for key, value := range headers {
		if strings.EqualFold(key, name) {
			name, given = key, value
		}
	}
	set, _ := http.ParseCookie(given)
	all := given
	for _, c := range cookies {
		if slices.ContainsFunc(set, func(known *http.Cookie) bool { return known.Name == c.Name }) {
			continue
		}
		if all != "" {
			all += "; "
		}
		all += c.String()
	}
	if all == given {
		return headers
	}
	if headers = maps.Clone(headers); headers == nil {
		headers = make(map[string]string, 1)
	}
	headers[name] = all
	return headers
}

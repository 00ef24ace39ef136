package probe

import (
	"cmp"
	"encoding/base64"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// secretSet collects secrets, whole and in the parts and forms in which endpoints and libraries tend to repeat them,
// and whether what is cut from them is worth hiding.
type secretSet map[string]bool

// add takes a text.
func (set secretSet) add(text string) {
	if len(text) < minSecret {
		return
	}
	set[text] = true
	quoted := strconv.Quote(text) // as net/http repeats what it cannot parse
	set[quoted[1:len(quoted)-1]] = true
	// As endpoints repeat it in redirects and on error pages.
	set[url.QueryEscape(text)], set[url.PathEscape(text)] = true, true
	escaped := html.EscapeString(text)
	set[escaped], set[otherQuotes.Replace(escaped)] = true, true
}

// otherQuotes turns the escapes that package html has for quotation marks into those of most others.
var otherQuotes = strings.NewReplacer("&#34;", "&quot;", "&#39;", "&#x27;")

// addText takes a text of a Spec: whole, by line, and as the bytes that it stands for in a message.
func (set secretSet) addText(text string, format MessageFormat) {
	set.add(text)
	for line := range strings.Lines(text) {
		set.add(strings.TrimRight(line, "\r\n"))
	}
	if plain, err := format.decode(text); format != FormatText && err == nil {
		set.add(string(plain))
	}
}

// publicHeaders say nothing that could not be guessed, but have hosts and words in them that errors need.
var publicHeaders = []string{"accept", "accept-encoding", "accept-language", "cache-control", "host", "origin", "pragma", "user-agent"}

// addHeader takes the value of a header.
func (set secretSet) addHeader(name, value string) {
	if slices.Contains(publicHeaders, strings.ToLower(name)) {
		if len(value) >= minSecret && !set[value] {
			set[value] = false
		}
		return
	}
	set.add(value)
	for _, part := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t;,", r) }) {
		set.add(part)
		if _, after, ok := strings.Cut(part, "="); ok { // a cookie, or a parameter of a scheme
			set.add(strings.Trim(after, `"`))
		}
	}
	if scheme, credentials, ok := strings.Cut(value, " "); ok && strings.EqualFold(scheme, "Basic") {
		plain, _ := base64.StdEncoding.DecodeString(credentials)
		_, password, _ := strings.Cut(string(plain), ":")
		set.add(password)
	}
}

// addQuery takes the query string of a URL.
func (set secretSet) addQuery(query string) {
	set.add(query)
	for _, pair := range strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' }) {
		_, value, _ := strings.Cut(pair, "=")
		set.add(value)
		if plain, err := url.QueryUnescape(value); err == nil {
			set.add(plain)
		}
	}
}

// redactor hides what is in the set.
func (set secretSet) redactor() *redactor {
	r := &redactor{}
	for text, parts := range set {
		r.secrets = append(r.secrets, secret{text, lowerASCII(text), parts})
	}
	slices.SortFunc(r.secrets, func(a, b secret) int {
		return cmp.Or(len(b.text)-len(a.text), strings.Compare(a.text, b.text))
	})
	return r
}

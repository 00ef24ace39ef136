package probe

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

const redacted = "[redacted]"

// minSecret is the shortest text that is worth hiding. Shorter ones would eat holes into every sentence,
// and protect nothing that could be guessed less quickly.
const minSecret = 3

// minPart is how much of the beginning or the end of a secret gives it away.
const minPart = 6

// redactor hides the secrets of a Spec in texts that an endpoint or a library wrote: those it names, the values of
// headers, the query string and the credentials, the proxy's too.
type redactor struct {
	secrets []secret // longest first
}

// secret is a text to hide, in whatever case it comes.
type secret struct {
	text  string
	low   string // in lower case
	parts bool   // what others have cut from its beginning or its end is worth hiding, too
}

func newRedactor(s Spec) *redactor {
	set := make(secretSet)
	for _, text := range s.Secrets {
		set.addText(text, s.MessageFormat)
	}
	for name, value := range s.Headers {
		set.addHeader(name, value)
	}
	if u, err := url.Parse(s.URL); err == nil && u.RawQuery != "" {
		set.addQuery(u.RawQuery)
	}
	if s.Proxy != nil && s.Proxy.User != nil {
		password, _ := s.Proxy.User.Password()
		set.add(password)
		set.add(s.Proxy.User.Username())
		set.add(basicAuth(s.Proxy.User))
	}
	return set.redactor()
}

// with returns a redactor that hides the value of the Authorization field, too.
func (r *redactor) with(authorization string) *redactor {
	if authorization == "" {
		return r
	}
	set := make(secretSet)
	for _, secret := range r.secrets {
		set[secret.text] = secret.parts
	}
	set.addHeader("Authorization", authorization)
	return set.redactor()
}

// slack is how much more of a text than is shown must be redacted, so that its cut cannot leave the first
// half of a secret.
func (r *redactor) slack() int {
	if len(r.secrets) == 0 {
		return 0
	}
	return len(r.secrets[0].text)
}

// text returns what may be shown of a text: its first limit bytes, printable, without secrets. A secret
// that begins within the limit is hidden whole, so give it slack bytes more than the limit where there are.
func (r *redactor) text(s string, limit int) string {
	var b strings.Builder
	low, start := lowerASCII(s), 0
	for i := 0; i < len(s) && i < limit; {
		secret := r.secretAt(low[i:])
		if secret == 0 {
			i++
			continue
		}
		b.WriteString(s[start:i])
		b.WriteString(redacted)
		i += secret
		start = i
	}
	if end := min(len(s), limit); start < end {
		for end > start && end < len(s) && !utf8.RuneStart(s[end]) {
			end--
		}
		b.WriteString(s[start:end])
	}
	shown := printable(b.String())
	if shown != b.String() { // an escape can complete a secret that lacked a character
		for _, secret := range r.secrets {
			shown = strings.ReplaceAll(shown, secret.text, redacted)
		}
	}
	return shown
}

// secretAt returns how much of a secret a text begins with, or 0. Not only whole secrets count: a text that ends in the
// middle of one was cut there by someone else, and what others have cut, on either side, may stand in the middle of a
// sentence. The text is in lower case.
func (r *redactor) secretAt(low string) int {
	longest := 0
	for _, secret := range r.secrets {
		n := commonPrefix(low, secret.low)
		if n == len(secret.low) || secret.parts && (n >= minPart || n == len(low) && n > minSecret) {
			longest = max(longest, n)
		} else if secret.parts && len(low) >= minPart {
			longest = max(longest, secret.endAt(low))
		}
	}
	return longest
}

// endAt returns how much of the end of the secret a text begins with, or 0 if that is less than minPart.
func (s secret) endAt(low string) int {
	for from := 1; ; from++ {
		i := strings.Index(s.low[from:], low[:minPart])
		if i < 0 {
			return 0
		}
		if from += i; strings.HasPrefix(low, s.low[from:]) {
			return len(s.low) - from
		}
	}
}

// lowerASCII is a text with the letters of ASCII in lower case, byte for byte.
func lowerASCII(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return 'A' <= r && r <= 'Z' }) {
		return s
	}
	b := []byte(s)
	for i, c := range b {
		b[i] = lower(c)
	}
	return string(b)
}

// commonPrefix returns the length of what two texts have in common at their beginnings, in whatever case.
func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && lower(a[n]) == lower(b[n]) {
		n++
	}
	return n
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// printable keeps text on its line and in its order, and terminals in their senses: control characters, those that turn
// the direction of what follows, and bytes that are not UTF-8 become their Go escapes.
func printable(s string) string {
	clean := func(r rune) bool {
		return r != utf8.RuneError && !unicode.IsControl(r) && !unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
	}
	if strings.IndexFunc(s, func(r rune) bool { return !clean(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		if clean(r) {
			b.WriteRune(r)
			continue
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		b.WriteString(escape(s[i : i+size]))
	}
	return b.String()
}

func escape(s string) string {
	switch s {
	case "\n":
		return `\n`
	case "\r":
		return `\r`
	case "\t":
		return `\t`
	}
	const hex = "0123456789abcdef"
	var b strings.Builder
	for i := range len(s) {
		b.WriteString(`\x`)
		b.WriteByte(hex[s[i]>>4])
		b.WriteByte(hex[s[i]&15])
	}
	return b.String()
}

// RedactURL returns a URL as it may be shown: without its query and without user information.
func RedactURL(raw string) string {
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
		return head + "?" + redacted
	}
	return head
}

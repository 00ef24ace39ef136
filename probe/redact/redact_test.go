package redact

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"
)

// hiding returns what hides texts.
func hiding(texts ...string) *Redactor {
	var s Secrets
	for _, text := range texts {
		s.Add(text)
	}
	return s.Redactor(context.Background())
}

// escapeAll writes every character of a text with a function.
func escapeAll(s string, write func(r rune) string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteString(write(r))
	}
	return b.String()
}

// eachByte writes every byte of a text with a format.
func eachByte(s, format, between string) string {
	parts := make([]string, len(s))
	for i := range len(s) {
		parts[i] = fmt.Sprintf(format, s[i])
	}
	return strings.Join(parts, between)
}

// eachUTF16 writes every unit of UTF-16 of a text with a format.
func eachUTF16(s, format string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, format, unit)
	}
	return b.String()
}

// encodings are what ordinary software does to a text that it repeats.
var encodings = []struct {
	name   string
	encode func(string) string
}{
	{"plain", func(s string) string { return s }},
	{"JSON", func(s string) string { b, _ := json.Marshal(s); return string(b) }},
	{"JSON of ASCII", func(s string) string { return strings.Trim(strconv.QuoteToASCII(s), `"`) }},
	{"JSON all escaped", func(s string) string { return eachUTF16(s, `\u%04X`) }},
	{"JSON of PHP", func(s string) string {
		return strings.ReplaceAll(strings.Trim(strconv.QuoteToASCII(s), `"`), "/", `\/`)
	}},
	{"JavaScript", func(s string) string { return escapeAll(s, func(r rune) string { return fmt.Sprintf(`\u{%x}`, r) }) }},
	{"Go", strconv.Quote},
	{"octal", func(s string) string { return eachByte(s, `\%03o`, "") }},
	{"backslash x", func(s string) string { return eachByte(s, `\x%02x`, "") }},
	{"HTML", html.EscapeString},
	{"HTML decimal", func(s string) string { return escapeAll(s, func(r rune) string { return fmt.Sprintf("&#%d;", r) }) }},
	{"HTML decimal, no semicolon", func(s string) string { return escapeAll(s, func(r rune) string { return fmt.Sprintf("&#%d", r) }) }},
	{"HTML hexadecimal", func(s string) string { return escapeAll(s, func(r rune) string { return fmt.Sprintf("&#X%x;", r) }) }},
	{"HTML zeros", func(s string) string { return escapeAll(s, func(r rune) string { return fmt.Sprintf("&#x%06x;", r) }) }},
	{"HTML names", func(s string) string {
		return strings.NewReplacer("&", "&amp", "<", "&LT;", ">", "&gt;", `"`, "&quot;", "/", "&sol;", "+", "&plus;", "=", "&equals;", "é", "&eacute;").Replace(s)
	}},
	{"form", url.QueryEscape},
	{"path", url.PathEscape},
	{"percent", func(s string) string { return eachByte(s, "%%%02x", "") }},
	{"percent, upper case", func(s string) string { return eachByte(s, "%%%02X", "") }},
	{"escape()", func(s string) string { return eachUTF16(s, "%%u%04x") }},
	{"upper case", strings.ToUpper},
	{"lower case", strings.ToLower},
	{"upper case of any language", func(s string) string { return strings.ReplaceAll(strings.ToUpper(s), "ß", "SS") }},
	{"upper case of Turkish", func(s string) string { return strings.ToUpperSpecial(unicode.TurkishCase, s) }},
	{"base64", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }},
	{"base64 second alignment", func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte("u" + s)) }},
	{"base64 third alignment", func(s string) string { return base64.URLEncoding.EncodeToString([]byte("u:" + s + ":")) }},
	{"base64 of URLs", func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }},
	{"base64 behind other letters", func(s string) string { return "/x" + base64.StdEncoding.EncodeToString([]byte(s)) }},
	{"base64 in lines", func(s string) string {
		b := base64.StdEncoding.EncodeToString([]byte(s))
		return b[:len(b)/2] + "\r\n" + b[len(b)/2:]
	}},
	{"base64 of UTF-16", func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte(escapeAll(s, func(r rune) string { return string(r) + "\x00" })))
	}},
	{"hexadecimal", func(s string) string { return hex.EncodeToString([]byte(s)) }},
	{"hexadecimal behind a digit", func(s string) string { return "0" + strings.ToUpper(hex.EncodeToString([]byte(s))) }},
	{"dump", func(s string) string { return eachByte(s, "%02x", " ") }},
	{"fingerprint", func(s string) string { return eachByte(s, "%02X", ":") }},
	{"bytes of C", func(s string) string { return eachByte(s, "0x%02x", ", ") }},
	{"bytes of Node.js", func(s string) string { return "[" + eachByte(s, "%d", ",") + "]" }},
	{"bytes of Go", func(s string) string { return "[" + eachByte(s, "%d", " ") + "]" }},
	{"quoted-printable", func(s string) string { return eachByte(s, "=%02X", "") }},
	{"UTF-8 as Latin-1", func(s string) string {
		r := make([]rune, len(s))
		for i := range len(s) {
			r[i] = rune(s[i])
		}
		return string(r)
	}},
}

// hostile are secrets with all that encodings treat in a way of its own.
var hostile = []string{
	"Plain-Secret-0123456789",
	`quo"ted\\sec/ret+with=all &<>'%41;&amp;`,
	"caf\u00e9-Stra\u00dfe-\u0130stanbul",
	"\u041f\u0430\u0440\u043e\u043b\u044c-\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2",
	"key-\U0001f511-\U00010400-end",
	"C:\\new\\table%20%2541",
	"two lines\nof one secret",
	"dXNlcjpwYXNzd29yZDEyMw==",
}

// TestEveryEncoding hides every secret in every encoding, and in every one of every other.
func TestEveryEncoding(t *testing.T) {
	for _, secret := range hostile {
		r := hiding(secret)
		for _, inner := range encodings {
			for _, outer := range encodings {
				if strings.Contains(outer.name, "case") && ambiguous(inner.name) {
					continue
				}
				encoded := outer.encode(inner.encode(secret))
				got := r.Text("said <"+encoded+"> so", 4096)
				shown := strings.TrimSuffix(strings.TrimPrefix(got, "said <"), "> so")
				if rest := strings.ReplaceAll(shown, Mark, ""); len(rest) > 12+len(encoded)/8 {
					t.Errorf("%s of %s of %q: %q is shown as %q", outer.name, inner.name, secret, encoded, got)
				}
			}
		}
	}
}

// ambiguous reports whether nobody could decode such an encoding in another letter case.
func ambiguous(name string) bool {
	return strings.HasPrefix(name, "base64") || name == "UTF-8 as Latin-1" || name == "JSON of ASCII" || name == "JSON of PHP"
}

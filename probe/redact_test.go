package probe

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// secretive is a Spec whose every secret is listed beside it.
func secretive() (Spec, []string) {
	return Spec{Opening: Opening{
			URL: "wss://h/p?token=Query-Secret-1&sig=a%2Bdecoded%2Fsig",
			Headers: map[string]string{
				"Authorization": "Bearer header-secret-2",
				"X-Basic":       "Basic dXNlcjpiYXNpYy1zZWNyZXQtMw==", // user:basic-secret-3
				"Cookie":        `a=cookie-secret-4; b="cookie-secret-5"`,
				"X-Quoted":      `quo"ted\secret-6`,
				"X-Latin":       "caf\u00e9-secret-7",
				"X-Html":        `<"secret'10">`,
			},
			Proxy: &url.URL{Scheme: "http", Host: "proxy:1", User: url.UserPassword("proxy-user-8", "proxy-secret-9")},
		}}, []string{
			"Query-Secret-1", "a+decoded/sig", "a%2Bdecoded%2Fsig", "header-secret-2", "basic-secret-3",
			"cookie-secret-4", "cookie-secret-5",
			`quo"ted\secret-6`, `quo\"ted\\secret-6`, "caf\u00e9-secret-7", "proxy-user-8", "proxy-secret-9",
			`&lt;&quot;secret&#x27;10&quot;&gt;`, "dXNlcjpiYXNpYy1zZWNyZXQtMw==",
		}
}

// TestRedactSecrets: what a Spec names is hidden as it stands, by line, and as the bytes that it stands for.
func TestRedactSecrets(t *testing.T) {
	r := newRedactor(Spec{Opening: Opening{Secrets: []string{"first line\r\nsecond line", "63616e617279", "ab"}},
		MessageFormat: FormatHex})
	for text, want := range map[string]string{
		"a first line b":                            "a [redacted] b",
		"a second line b":                           "a [redacted] b",
		"first line\r\nsecond line":                 "[redacted]",
		"the bytes canary, in hex too 63616e617279": "the bytes [redacted], in hex too [redacted]",
		"ab is too short":                           "ab is too short",
	} {
		if got := r.text(text, 1000); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// FuzzRedact: what is shown is printable UTF-8 on one line, and holds no secret.
func FuzzRedact(f *testing.F) {
	spec, secrets := secretive()
	r := newRedactor(spec)
	f.Add("plain", 5)
	f.Add("\x00\x1b[31m\xff\u202e\r\n\t"+secrets[0], 100)
	f.Add("\u2066\u2028\u0085", 100)
	f.Add("\xcbasic-secret-3", 100) // escaped, its first byte ends in the letter that is missing
	for _, secret := range secrets {
		f.Add(secret+secret[:5]+secret, 20)
	}
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = min(max(limit, 0), 1<<20)
		got := r.text(text, limit)
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\x1b\x00\x7f\u0085\u202e\u2066\u2028") {
			t.Fatalf("%q from %q", got, text)
		}
		for _, secret := range secrets {
			if strings.Contains(got, secret) {
				t.Fatalf("%q shows %q", got, secret)
			}
		}
	})
}

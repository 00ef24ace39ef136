package redact

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

const secret = "S4o-dfish-0123456789-abcdef-Marl1n"

// TestCut: what others have cut of a secret, at either end or at both, is hidden as far as it gives the secret away.
func TestCut(t *testing.T) {
	r := hiding(secret)
	for from := range secret {
		for to := from + 1; to <= len(secret); to++ {
			part := secret[from:to]
			atEnd := from == 0 || to == len(secret)
			for text, want := range map[string]bool{
				"a " + part + " b": atEnd && len(part) >= piece || len(part) >= middle,
				part:               len(part) >= piece || atEnd && len(part) >= edge,
				"a " + part:        len(part) >= piece || from == 0 && len(part) >= edge || to == len(secret) && len(part) >= piece,
				part + " b":        len(part) >= piece || to == len(secret) && len(part) >= edge,
			} {
				if got := r.Text(text, 1000); strings.Contains(got, part) == want {
					t.Errorf("%q is shown as %q", text, got)
				}
			}
		}
	}
}

// TestLimit: where a text is cut to what may be shown, no beginning of a secret stays.
func TestLimit(t *testing.T) {
	const limit = 40
	r := hiding(secret)
	for at := range limit + len(secret) {
		for _, encoded := range []string{secret, url.QueryEscape(secret), eachByte(secret, "%%25%02x", ""), eachByte(secret, "&#x%06x;", "")} {
			text := strings.Repeat(".", at) + encoded + strings.Repeat(".", Slack)
			if got := strings.TrimLeft(r.Text(text, limit), "."); got != "" && got != Mark && strings.TrimLeft(got, ".") != Mark && !strings.HasPrefix(got, Mark+".") {
				t.Fatalf("%q is shown as %q", text, got)
			}
		}
	}
}

// TestParts: what is split over messages is hidden in each.
func TestParts(t *testing.T) {
	r := hiding(secret)
	for n := 1; n < len(secret); n++ {
		parts := []string{"a "}
		for i := 0; i < len(secret); i += n {
			parts = append(parts, secret[i:min(i+n, len(secret))])
		}
		got := strings.Join(r.Parts(append(parts, " b"), 100), "|")
		if strings.Trim(strings.ReplaceAll(got, Mark, ""), "|ab ") != "" {
			t.Errorf("pieces of %d: %q", n, got)
		}
	}
	if got := r.Parts([]string{"one", "two"}, 2); got[0] != "on" || got[1] != "tw" {
		t.Errorf("got %q", got)
	}
}

// TestOnlySecrets: words, names and places stay legible.
func TestOnlySecrets(t *testing.T) {
	var s Secrets
	s.AddQuery("EIO=4&transport=websocket&channel=orders-7&lang=en&flag&v=13")
	s.AddHeader("Authorization", "Bearer eyJhbGciOi-token")
	s.AddHeader("Cookie", `session=abc123; theme="dark-blue"; a=b`)
	s.AddHeader("Origin", "https://app.example.com")
	s.AddHeader("USER-AGENT", "Mozilla/5.0 (X11)")
	s.AddHeader("X-Version", "4")
	s.AddHeader("X-Short", "acme")
	s.AddHeader("X-Phrase", "the quick brown fox-99")
	s.AddHeader("X-Basic", "Basic dXNlcm5hbWU6YmFzaWMtcGFzcw==")
	r := s.Redactor(context.Background())
	for text, want := range map[string]string{
		`{"channel":"orders-7","transport":"websocket"}`:                   `{"channel":"[redacted]","transport":"websocket"}`,
		"EIO=4&transport=websocket&channel=orders-7&v=13":                  "EIO=4&transport=websocket&channel=[redacted]&v=13",
		`request Origin "https://app.example.com" is not authorized`:       `request Origin "https://app.example.com" is not authorized`,
		"Bearer eyJhbGciOi-token was refused, send a Bearer token":         "Bearer [redacted] was refused, send a Bearer token",
		"a session of 4 orders, the theme is dark":                         "a session of 4 orders, the theme is dark",
		"cookies session=abc123; theme=dark-blue":                          "cookies session=[redacted]; theme=[redacted]",
		"Mozilla/5.0 (X11) on HTTP/1.1":                                    "Mozilla/5.0 (X11) on HTTP/1.1",
		"acme, academe, acmeism":                                           "[redacted], academe, acmeism",
		"the quick brown fox-99 and a quick fox":                           "[redacted] and a quick fox",
		"fox-99":                                                           "[redacted]",
		"user username has the password basic-pass (basic)":                "user [redacted] has the password [redacted] (basic)",
		"Basic dXNlcm5hbWU6YmFzaWMtcGFzcw==":                               "Basic [redacted]",
		"Transfer-Encoding: chunked, 100% &c., C:\\new\\ and a\\b + c = d": "Transfer-Encoding: chunked, 100% &c., C:\\new\\ and a\\b + c = d",
	} {
		if got := r.Text(text, 1000); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestVisible: what is shown stands on one line, and no escape of it completes a secret.
func TestVisible(t *testing.T) {
	r := hiding("bash-1", secret)
	for text, want := range map[string]string{
		"a\r\n\x1b[2J\u202e":   `a\r\n\x1b[2J\u202e`,
		"a \xcbash-1 b":        `a \xc[redacted] b`,
		"a\n" + secret + "\nb": `a\n[redacted]\nb`,
		"ab\u00e9":             "ab\u00e9",
	} {
		if got := r.Text(text, 100); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := r.Text("ab\u00e9", 3); got != "ab" {
		t.Errorf("cut to %q", got)
	}
}

// TestBlind: if time is up before all secrets are known, nothing is shown.
func TestBlind(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var s Secrets
	s.Add(secret)
	if got := s.Redactor(ctx).Text("whatever", 100); got != Mark {
		t.Errorf("got %q", got)
	}
	var none Secrets
	if got := none.Redactor(ctx).Text("whatever", 100); got != "whatever" {
		t.Errorf("without a secret: %q", got)
	}
}

// TestLabyrinth: a text that can be decoded without end is not shown.
func TestLabyrinth(t *testing.T) {
	text := strings.Repeat("QUJD", 300)
	for range 4 {
		text = eachByte(text[:min(len(text), 300)], "%d,", "") + strings.Repeat("%41", 300)
	}
	if got := hiding(secret).Text(text, 2000); strings.Contains(got, "dfish-01") {
		t.Errorf("got %q", got)
	}
}

// FuzzEncodings: a secret is hidden in any composition of up to four encodings, whatever stands beside it.
func FuzzEncodings(f *testing.F) {
	f.Add([]byte{1, 2}, "before", "after")
	f.Add([]byte{9, 24, 3}, "\xff\u202e", "%")
	f.Add([]byte{22, 23, 24}, "a", "&")
	r := hiding(secret)
	f.Fuzz(func(t *testing.T, steps []byte, before, after string) {
		encoded, nested := secret, 0
		for _, step := range steps[:min(len(steps), 4)] {
			e := encodings[int(step)%len(encodings)]
			whole := strings.Contains(e.name, "b") && !strings.Contains(e.name, "backslash") || strings.Contains(e.name, "hex") || e.name == "dump" || e.name == "fingerprint" || strings.Contains(e.name, "quoted") || strings.Contains(e.name, "Latin")
			if strings.Contains(e.name, "case") || whole && nested == 2 || len(encoded) > 2000 {
				continue
			}
			if whole {
				nested++
			}
			encoded = e.encode(encoded)
		}
		got := r.Text(before[:min(len(before), 50)]+" <"+encoded+"> "+after, 1<<16)
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\x1b\x00\x7f\u0085\u202e\u2066\u2028") {
			t.Fatalf("raw characters in %q", got)
		}
		if strings.Contains(got, encoded) {
			t.Fatalf("steps %v: %q is shown", steps, encoded)
		}
	})
}

// BenchmarkText shows that the cost is linear: the time per byte is much the same for all sizes.
func BenchmarkText(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 13, 1 << 16} {
		for name, long := range map[string]string{"zeros": strings.Repeat("0", size), "words": strings.Repeat("word-", size/5)} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					hiding(long).Text(long[:len(long)-40]+" is too long", 1024)
				}
			})
		}
	}
}

// TestLinear counts the bytes that are looked at, for a text and a secret that repeat themselves and each other.
func TestLinear(t *testing.T) {
	for _, size := range []int{1 << 12, 1 << 14, 1 << 16} {
		text := strings.Repeat("x", size-40) + "-"
		r := hiding(`{"p":"` + strings.Repeat("x", size) + `"}`)
		s := search{index: &r.index, size: len(text), left: 1 << 40}
		s.look(plainLayer(text), 0)
		if looked := 1<<40 - s.left; looked > 64*len(text) {
			t.Errorf("%d bytes: looked at %d", size, looked)
		}
		if len(r.index.long) > size+2*piece {
			t.Errorf("%d bytes: an index of %d", size, len(r.index.long))
		}
	}
}

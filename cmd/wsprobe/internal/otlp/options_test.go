package otlp

import (
	"strings"
	"testing"
	"time"
)

func TestDefaults(t *testing.T) {
	o := Options{}.filled()
	if err := o.Check(); err != nil {
		t.Errorf("the zero value is refused: %v", err)
	}
	if o.Protocol != GRPC || o.Endpoint != "http://127.0.0.1:4317" || o.Compression != "gzip" || o.Timeout != 10*time.Second {
		t.Errorf("got %+v", o)
	}
}

func TestEndpoints(t *testing.T) {
	for _, c := range []struct {
		protocol         Protocol
		endpoint, target string
	}{
		{GRPC, "http://127.0.0.1:4317", "http://127.0.0.1:4317"},
		{GRPC, "https://collector.example.com:443/", "https://collector.example.com:443"},
		{GRPC, "http://collector", "http://collector:4317"},
		{GRPC, "https://[::1]", "https://[::1]:4317"},
		{GRPC, "HTTP://collector:1", "http://collector:1"},
		{HTTP, "http://127.0.0.1:4318/v1/metrics", "http://127.0.0.1:4318/v1/metrics"},
		{HTTP, "HTTPS://otlp.example.com/otlp/v1/metrics", "https://otlp.example.com/otlp/v1/metrics"},
		{HTTP, "", DefaultHTTPEndpoint},
		{"", "", DefaultEndpoint},
	} {
		target, err := Options{Protocol: c.protocol, Endpoint: c.endpoint}.filled().target()
		if err != nil || target.String() != c.target {
			t.Errorf("%s %s: got %v %v, want %s", c.protocol, c.endpoint, target, err, c.target)
		}
	}
}

func TestRedaction(t *testing.T) {
	redact := newRedactor(map[string]string{"a": "Bearer abc", "b": "abcdef", "c": "", "d": "two words more"}, "/pa7h/v1/metrics")
	for text, want := range map[string]string{
		"":                             "",
		"nothing to hide":              "nothing to hide",
		"Bearer abc, abcdef and abc":   "Bearer [redacted], [redacted] and [redacted]",
		"two words more or less":       "[redacted] or less",
		"two+words%2Bmore":             "[redacted]",
		"\x1b[2J\n\u202e":              `\x1b[2J\n\u202e`,
		"no /pa7h/v1/metrics here":     "no /[redacted]/v1/metrics here",
		strings.Repeat("ä", 300):       strings.Repeat("ä", 256) + "...",
		strings.Repeat("x", 511) + "ä": strings.Repeat("x", 511) + "...",
	} {
		if got := redact(text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := newRedactor(nil, metricsPath)("text"); got != "text" {
		t.Errorf("without headers: got %q", got)
	}
}

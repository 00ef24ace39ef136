package telemetry

import (
	"cmp"
	"slices"
	"strings"
)

// maxMessage bounds the receiver's words in a log line, in bytes.
const maxMessage = 512

// newRedactor returns a function that takes the values of the headers out of a text, and a path that is the
// receiver's own, for a receiver can quote what it was sent. Of a value like "Bearer abc" the credential alone is a
// secret too.
func newRedactor(headers map[string]string, path string) func(string) string {
	secrets := []string{strings.Trim(strings.TrimSuffix(path, metricsPath), "/")}
	for _, value := range headers {
		secrets = append(secrets, value)
		if scheme, credential, ok := strings.Cut(value, " "); ok && scheme != "" {
			secrets = append(secrets, strings.TrimSpace(credential))
		}
	}
	// Long ones first: a short one may be part of a long one.
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var pairs []string
	for _, secret := range secrets {
		if secret != "" {
			pairs = append(pairs, secret, "[redacted]")
		}
	}
	replacer := strings.NewReplacer(pairs...)
	return func(s string) string {
		s = replacer.Replace(s)
		if len(s) > maxMessage {
			s = strings.ToValidUTF8(s[:maxMessage], "") + "..."
		}
		return s
	}
}

package otlp

import (
	"context"
	"strings"

	"github.com/wsprobe/wsprobe/probe/redact"
)

// maxMessage bounds the receiver's words in a log line, in bytes.
const maxMessage = 512

// newRedactor returns a function that makes a text of the receiver fit to be shown: short, escaped, and without the
// values of the headers and the path of the endpoint, because a receiver can quote its requests.
func newRedactor(headers map[string]string, path string) func(string) string {
	var secrets redact.Secrets
	secrets.AddToken(strings.Trim(strings.TrimSuffix(path, metricsPath), "/"))
	for name, value := range headers {
		secrets.AddHeader(name, value)
	}
	r := secrets.Redactor(context.Background())
	return func(s string) string {
		shown := r.Text(s, maxMessage)
		if len(s) > maxMessage {
			shown += "..."
		}
		return shown
	}
}

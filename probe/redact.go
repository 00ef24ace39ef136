package probe

import (
	"context"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/probe/redact"
)

// longProtocol is the length of a subprotocol in bytes beyond which it is no name but a token: browsers can send one in
// no other header.
const longProtocol = 32

// hidingTime bounds what a run takes to prepare its secrets. Ordinary ones take less than a millisecond; if it is not
// enough, nothing that others said is shown.
const hidingTime = 500 * time.Millisecond

// redactor hides the secrets of a Spec in texts that an endpoint or a library wrote: those it names, the values of headers
// and of the query, long subprotocols and the credentials, the proxy's too.
type redactor struct{ hide *redact.Redactor }

func newRedactor(s Spec) *redactor { return newRedactorWithin(context.Background(), s, "") }

// newRedactorWithin is newRedactor for a Spec and the value of the Authorization field, if any. It ends with the context.
func newRedactorWithin(ctx context.Context, s Spec, authorization string) *redactor {
	var set redact.Secrets
	for _, text := range s.Secrets {
		set.AddLines(text)
		if plain, err := s.MessageFormat.decode(text); s.MessageFormat != FormatText && err == nil {
			set.Add(string(plain))
		}
	}
	for name, value := range s.Headers {
		set.AddHeader(name, value)
	}
	for _, protocol := range append(s.Protocols[:len(s.Protocols):len(s.Protocols)], s.ExpectProtocol) {
		if len(protocol) > longProtocol {
			set.AddToken(protocol)
		}
	}
	if _, query, found := strings.Cut(s.URL, "?"); found {
		query, _, _ = strings.Cut(query, "#")
		set.AddQuery(query)
	}
	if s.Proxy != nil && s.Proxy.User != nil {
		password, _ := s.Proxy.User.Password()
		set.AddUser(s.Proxy.User.Username(), password)
	}
	if authorization != "" {
		set.AddHeader("Authorization", authorization)
	}
	return &redactor{hide: set.Redactor(ctx)}
}

// text returns what may be shown of a text of others: its first limit bytes, visible, without secrets. Give it
// redact.Slack bytes more than the limit where there are.
func (r *redactor) text(s string, limit int) string { return r.hide.Text(s, limit) }

// texts is text for messages, or parts of one, that came one after the other: what is split over them is found, too.
func (r *redactor) texts(parts []string, limit int) []string { return r.hide.Parts(parts, limit) }

// sentence returns what may be shown of a sentence of the probe, see package say: its first limit bytes, without secrets in
// the words of others.
func (r *redactor) sentence(s string, limit int) string { return say.Shown(s, limit, r.text) }

// RedactURL returns a URL as it may be shown: without its query and without user information.
func RedactURL(raw string) string { return redact.URL(raw) }

package probe

import (
	"context"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/probe/redact"
)

// longProtocol is the longest subprotocol, in bytes, that counts as a name. A longer one counts as a token, because
// browsers can send a token in no other header.
const longProtocol = 32

// hidingTime bounds the preparation of the secrets of a run. Ordinary ones take less than a millisecond. If the time is
// not enough, no text of others is shown.
const hidingTime = 500 * time.Millisecond

// redactor hides the secrets of a Spec in texts of endpoints and libraries: its Secrets, the values of headers and of
// the query, long subprotocols, and the credentials of endpoint and proxy.
type redactor struct{ hide *redact.Redactor }

func newRedactor(s Spec) *redactor { return newRedactorWithin(context.Background(), s) }

// newRedactorWithin is newRedactor for a Spec and for what is secret in one run: the values of the Authorization fields,
// captures and cookies. The context bounds it.
func newRedactorWithin(ctx context.Context, s Spec, private ...string) *redactor {
	var set redact.Secrets
	for _, text := range s.Secrets {
		set.AddLines(text)
		if plain, err := s.MessageFormat.Decode(text); s.MessageFormat != FormatText && err == nil {
			set.Add(string(plain))
		}
	}
	addSecrets(&set, s.URL, s.Headers, append(s.Protocols[:len(s.Protocols):len(s.Protocols)], s.ExpectProtocol))
	if s.Prepare != nil {
		addSecrets(&set, s.Prepare.URL, s.Prepare.Headers, nil)
		set.AddBody(s.Prepare.Body)
	}
	for _, c := range s.Connections {
		addSecrets(&set, c.URL, c.Headers, c.Protocols)
	}
	if s.Proxy != nil && s.Proxy.User != nil {
		password, _ := s.Proxy.User.Password()
		set.AddUser(s.Proxy.User.Username(), password)
	}
	for _, value := range private {
		if value != "" {
			set.AddHeader("Authorization", value)
		}
	}
	return &redactor{hide: set.Redactor(ctx)}
}

// addSecrets adds those of a request.
func addSecrets(set *redact.Secrets, url string, headers map[string]string, protocols []string) {
	for name, value := range headers {
		set.AddHeader(name, value)
	}
	for _, protocol := range protocols {
		if len(protocol) > longProtocol {
			set.AddToken(protocol)
		}
	}
	if _, query, found := strings.Cut(url, "?"); found {
		query, _, _ = strings.Cut(query, "#")
		set.AddQuery(query)
	}
}

// text returns the first limit bytes of a text of others, visible and without secrets. It needs redact.Slack bytes
// beyond the limit, if there are any, to find a secret that the limit cuts.
func (r *redactor) text(s string, limit int) string { return r.hide.Text(s, limit) }

// texts is text for messages, or parts of one, in the order of arrival. It also finds secrets that are split over them.
func (r *redactor) texts(parts []string, limit int) []string { return r.hide.Parts(parts, limit) }

// sentence returns the first limit bytes of a sentence of the probe, see package say, without secrets in the words of
// others.
func (r *redactor) sentence(s string, limit int) string { return say.Shown(s, limit, r.text) }

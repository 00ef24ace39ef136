package token

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

// maxAnswer is the most bytes of the answer of a token server.
const maxAnswer = 64 << 10

// maxSaid is the most bytes of a failure in the words of a token server.
const maxSaid = 300

// errLarge is that of an answer with more.
var errLarge = fmt.Errorf("its answer is over %d KiB", maxAnswer>>10)

// ask sends one request. It returns the token and the rest of its life, which is 0 for one that may have ended already:
// a token lives from some time on between the request and the answer.
func (c *Cache) ask(ctx context.Context, g Grant) (value string, life time.Duration, err error) {
	config := clientcredentials.Config{ClientID: g.ClientID, ClientSecret: g.Secret, TokenURL: g.URL, AuthStyle: oauth2.AuthStyleInHeader}
	if g.InBody {
		config.AuthStyle = oauth2.AuthStyleInParams
	}
	if g.Scopes != "" {
		config.Scopes = strings.Fields(g.Scopes)
	}
	if g.Audience != "" {
		config.EndpointParams = url.Values{"audience": {g.Audience}}
	}
	asked := time.Now()
	t, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, c.client))
	switch {
	case err != nil:
		return "", 0, g.explained(err)
	case !strings.EqualFold(cmp.Or(t.TokenType, "bearer"), "bearer"):
		return "", 0, errors.New("token server: it grants a token of the type " + excerpt.Quote(g.hidden(t.TokenType)) + ", and not bearer")
	case strings.ContainsFunc(t.AccessToken, func(r rune) bool { return r <= ' ' || r > '~' }) || len(t.AccessToken) > maxAnswer/2:
		return "", 0, errors.New("token server: its token cannot stand in a header")
	}
	life = unknownLife
	if !t.Expiry.IsZero() {
		answered := time.Now()
		life = max(0, min(t.Expiry.Sub(answered)-answered.Sub(asked), longestLife))
	}
	return t.AccessToken, life, nil
}

// explained says what a token server answered, or why there is no answer, without the secret.
func (g Grant) explained(err error) error {
	var refused *oauth2.RetrieveError
	var failed *url.Error
	said := "its answer is no token"
	switch {
	case errors.As(err, &refused):
		said = "it answered " + strings.TrimSpace(refused.Response.Status)
		if refused.ErrorCode != "" {
			said += ": " + refused.ErrorCode
		}
		if refused.ErrorDescription != "" {
			said += ": " + refused.ErrorDescription
		}
	case strings.Contains(err.Error(), errLarge.Error()): // which the library does not wrap
		said = errLarge.Error()
	case errors.Is(err, context.DeadlineExceeded):
		said = fmt.Sprintf("no answer within %v", fetchTimeout)
	case errors.As(err, &failed):
		said = failed.Err.Error()
	}
	return errors.New("token server: " + excerpt.Cut(g.hidden(said), maxSaid))
}

// hidden returns a text without the secret, in the forms in which it was sent.
func (g Grant) hidden(text string) string {
	for _, form := range []string{
		base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(g.ClientID) + ":" + url.QueryEscape(g.Secret))), url.QueryEscape(g.Secret), g.Secret,
	} {
		if form != "" {
			text = strings.ReplaceAll(text, form, "[redacted]")
		}
	}
	return text
}

// bounded is a transport whose answers have an end.
type bounded struct{ http.RoundTripper }

// RoundTrip sends a request.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = &limited{resp.Body, maxAnswer}
	}
	return resp, err
}

// limited is a body that fails behind its limit.
type limited struct {
	io.ReadCloser
	left int
}

// Read reads up to the limit.
func (l *limited) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p[:min(len(p), l.left+1)])
	if l.left -= n; l.left < 0 {
		return 0, errLarge
	}
	return n, err
}

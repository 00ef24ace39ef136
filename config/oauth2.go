package config

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/config/internal/token"
	"github.com/wsprobe/wsprobe/probe"
)

// maxScopes bounds the scopes of a token.
const maxScopes = 64

// newTokens returns a cache of tokens, whose requests go as the environment and the system prescribe: by their proxy, and
// to servers with a certificate that the system trusts.
func newTokens() tokenSource {
	return tokenSource{token.NewCache(&http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 1,
		IdleConnTimeout:     time.Minute,
	})}
}

// tokenURLProblem checks the URL of a token server. It does not repeat it, because a path can be a secret.
func tokenURLProblem(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "must be a URL"
	case !strings.EqualFold(u.Scheme, "https") && !strings.EqualFold(u.Scheme, "http"):
		return "must begin with https:// or http://"
	case u.Hostname() == "":
		return "must name a host"
	case u.User != nil:
		return "must have no user information: client_id and client_secret are for that"
	case u.Fragment != "":
		return "must have no fragment"
	}
	return ""
}

// authorizeByToken returns a function for a token that is fetched with client credentials.
func (a authSettings) authorizeByToken(file string, tokens tokenSource) authorizer {
	o := a.oauth2
	grant := token.Grant{URL: o.tokenURL, ClientID: o.clientID, Scopes: strings.Join(o.scopes, " "), Audience: o.audience, InBody: o.clientAuth == clientPost}
	return func(ctx context.Context) (string, error) {
		g, err := grant, error(nil)
		if g.Secret, err = secretOf(file, o.secretIn, o.secret, passwordProblem); err != nil {
			return "", err
		}
		value, err := tokens.Get(ctx, g)
		if err != nil {
			return "", err
		}
		return "Bearer " + value, nil
	}
}

// waitForTokens makes a Spec wait for tokens of oauth2, if the strategy is that.
func (a *authReader) waitForTokens(strategy string, spec *probe.Spec) {
	if strategy != authOAuth2 {
		return
	}
	spec.AuthorizeWaits, spec.Unauthorized = true, a.tokens.refused
}

// oauth2Findings checks the fields of oauth2.
func (a *authReader) oauth2Findings() []finding {
	var found []finding
	for _, key := range []string{"token_url", "client_id"} {
		if !a.has(key) && !a.faultyKey(key) {
			found = append(found, finding{key, "is required with strategy oauth2", true})
		}
	}
	return append(found, a.either(authOAuth2, "client_secret")...)
}

// doubtTokenURL warns of a token server to which secrets go in the clear.
func (a *authReader) doubtTokenURL(settings *authSettings) {
	u, err := url.Parse(settings.oauth2.tokenURL)
	if settings.strategy != authOAuth2 || err != nil || !strings.EqualFold(u.Scheme, "http") || isLoopback(u.Hostname()) {
		return
	}
	i := authSection.index["token_url"]
	p, where := a.set.pairs[i], a.setIn
	if !a.sets(i) {
		p, where = a.inherited.pairs[i], a.inheritedIn
	}
	if p.Present() {
		a.Warn(p.Value, p.ValueAt, where.Field("token_url"), "is http://: the credentials of the client and the token go in the clear")
	}
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && address.IsLoopback()
}

// tokenSource is the tokens of a configuration and of those that follow it.
type tokenSource struct{ *token.Cache }

// refused notes the value of an Authorization field that an endpoint answered 401 to.
func (t tokenSource) refused(value string) {
	if scheme, bearer, ok := strings.Cut(value, " "); ok && scheme == "Bearer" {
		t.Drop(bearer)
	}
}

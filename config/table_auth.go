package config

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The strategies of auth.
const (
	authNone   = "none"
	authBasic  = "basic"
	authBearer = "bearer"
	authOAuth2 = "oauth2"
)

// authSettings are what a configuration says about the credentials of a probe.
type authSettings struct {
	strategy            string
	user                string
	password, token     string
	passwordIn, tokenIn string // files
	oauth2              oauth2Settings
}

// oauth2Settings are what a configuration says about the client credentials of OAuth2.
type oauth2Settings struct {
	tokenURL, clientID string
	secret, secretIn   string // itself, or its file
	scopes             []string
	audience           string
	clientAuth         string
}

// The ways in which a client names itself to a token server.
const (
	clientBasic = "basic"
	clientPost  = "post"
)

// authSection is the mapping auth of a probe.
var authSection = newSection("auth", "probes[].auth.", false, []field[authSettings]{
	{Field: Field{Path: "strategy", Kind: Choice, Default: authNone, Allowed: []string{authNone, authBasic, authBearer, authOAuth2},
		Doc: "basic: user and password (RFC 7617); bearer: a token (RFC 6750); oauth2: a token that is fetched " +
			"with client credentials (RFC 6749 4.4) and renewed in time; a probe with a strategy of its own " +
			"inherits none of auth"},
		value: wordAt(func(a *authSettings) *string { return &a.strategy })},
	{Field: Field{Path: "user", Kind: Text, Doc: "user of basic, without a colon"},
		value: textAt(func(a *authSettings) *string { return &a.user }, userProblem), secret: sent},
	{Field: Field{Path: "password", Kind: Text, Doc: "password of basic"},
		value: textAt(func(a *authSettings) *string { return &a.password }, passwordProblem), secret: sent},
	{Field: Field{Path: "password_file", Kind: Text, File: true,
		Doc: "in place of password: the file that holds it, read at every run, at most 64 KiB; line ends at its " +
			"end do not count"},
		value: textAt(func(a *authSettings) *string { return &a.passwordIn }, fileNameProblem), secret: withheld},
	{Field: Field{Path: "token", Kind: Text, Doc: "token of bearer"},
		value: textAt(func(a *authSettings) *string { return &a.token }, tokenProblem), secret: sent},
	{Field: Field{Path: "token_file", Kind: Text, File: true,
		Doc: "in place of token: the file that holds it, read at every run, at most 64 KiB; line ends at its end " +
			"do not count"},
		value: textAt(func(a *authSettings) *string { return &a.tokenIn }, fileNameProblem), secret: withheld},
	{Field: Field{Path: "token_url", Kind: Text, Pattern: "^[Hh][Tt][Tt][Pp][Ss]?://",
		Doc: "token endpoint of oauth2, https:// or http://, without user information and fragment"},
		value: textAt(func(a *authSettings) *string { return &a.oauth2.tokenURL }, tokenURLProblem), secret: withheld},
	{Field: Field{Path: "client_id", Kind: Text, Min: 1, Max: 1024, Doc: "client of oauth2"},
		value: textAt(func(a *authSettings) *string { return &a.oauth2.clientID }, passwordProblem), secret: withheld},
	{Field: Field{Path: "client_secret", Kind: Text, Doc: "secret of the client"},
		value: textAt(func(a *authSettings) *string { return &a.oauth2.secret }, passwordProblem), secret: withheld},
	{Field: Field{Path: "client_secret_file", Kind: Text, File: true,
		Doc: "in place of client_secret: the file that holds it, read at every run, at most 64 KiB; line ends at its end do not count"},
		value: textAt(func(a *authSettings) *string { return &a.oauth2.secretIn }, fileNameProblem), secret: withheld},
	{Field: Field{Path: "scopes", Kind: List, Max: maxScopes, Doc: "scopes to ask for; none asks for those that the client has"},
		value: listAt(func(a *authSettings) *[]string { return &a.oauth2.scopes }), secret: public},
	{Field: Field{Path: "audience", Kind: Text, Max: 1024, Doc: "audience to ask for, as some token servers want it"},
		value: textAt(func(a *authSettings) *string { return &a.oauth2.audience }, nil), secret: public},
	{Field: Field{Path: "client_auth", Kind: Choice, Default: clientBasic, Allowed: []string{clientBasic, clientPost},
		Doc: "basic: the client names itself in the header Authorization, as every token server must take it; post: in the body"},
		value: wordAt(func(a *authSettings) *string { return &a.oauth2.clientAuth })},
})

// userProblem checks a user of basic authentication (RFC 7617 2).
func userProblem(user string) string {
	if strings.Contains(user, ":") {
		return "must not contain a colon (RFC 7617 2)"
	}
	return passwordProblem(user)
}

// passwordProblem checks a password of basic authentication, and does not repeat it.
func passwordProblem(password string) string {
	switch {
	case len(password) > maxSecret:
		return fmt.Sprintf("must be at most %d bytes, got %d", maxSecret, len(password))
	case !utf8.ValidString(password):
		return "must be UTF-8"
	case strings.ContainsFunc(password, unicode.IsControl):
		return "must not contain line breaks or other control characters"
	}
	return ""
}

// tokenProblem checks a bearer token, and does not repeat it. More is allowed than RFC 6750 2.1 has: tokens in use
// have other characters, too, but none that a header could not carry.
func tokenProblem(token string) string {
	switch {
	case token == "":
		return "must not be empty"
	case len(token) > maxSecret:
		return fmt.Sprintf("must be at most %d bytes, got %d", maxSecret, len(token))
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "must consist of visible ASCII characters"
	}
	return ""
}

func fileNameProblem(name string) string {
	if name == "" {
		return "must not be empty"
	}
	return ""
}

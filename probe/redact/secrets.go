package redact

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/wsprobe/wsprobe/probe/visible"
)

// Secrets collects what is to be hidden. The zero value is empty.
type Secrets struct{ texts []string }

// Add takes a text. One of less than three bytes is not hidden.
func (s *Secrets) Add(text string) {
	if len(text) >= shortest {
		s.texts = append(s.texts, text)
	}
}

// shortestPart is the length in bytes from which a part of a text is hidden of which nobody said that it is a secret.
const shortestPart = 4

// words are values that are in many places where they are no secret.
var words = []string{"false", "json", "none", "null", "polling", "socket", "true", "text", "undefined", "websocket"}

// addPart takes a part of a text.
func (s *Secrets) addPart(text string) {
	if len(text) >= shortestPart && !slices.Contains(words, strings.ToLower(text)) {
		s.Add(text)
	}
}

// shortestToken is the length in bytes from which a part of a token is taken for base64 of another secret.
const shortestToken = 16

// AddToken takes a text, and what its parts are base64 of, if that is text: an endpoint can decode it. The JSON in a JWT
// is left out, its words are no secrets.
func (s *Secrets) AddToken(text string) {
	s.Add(text)
	for _, part := range split(text, ". ,:") {
		plain, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(urlAlphabet.Replace(part), "="))
		if len(part) >= shortestToken && err == nil && visible.Text(string(plain)) == string(plain) && plain[0] != '{' {
			s.Add(string(plain))
		}
	}
}

// urlAlphabet turns base64 into that of RFC 4648 5.
var urlAlphabet = strings.NewReplacer("+", "-", "/", "_")

// AddLines takes a text, and each of its lines.
func (s *Secrets) AddLines(text string) {
	s.AddToken(text)
	if strings.Contains(text, "\n") {
		for line := range strings.Lines(text) {
			s.addPart(strings.TrimSpace(line))
		}
	}
}

// publicHeaders name a client, a place or a format, and errors need them.
var publicHeaders = []string{"accept", "accept-charset", "accept-encoding", "accept-language", "cache-control", "connection", "content-type",
	"dnt", "forwarded", "host", "origin", "pragma", "priority", "user-agent", "via", "x-forwarded-for", "x-forwarded-host",
	"x-forwarded-port", "x-forwarded-proto", "x-requested-with"}

// PublicHeader reports whether the value of a header, by its name in any case, is no secret.
func PublicHeader(name string) bool {
	name = strings.ToLower(name)
	return slices.Contains(publicHeaders, name) || strings.HasPrefix(name, "sec-fetch-") || strings.HasPrefix(name, "sec-ch-")
}

// schemes are those of credentials (RFC 9110 11.1), and others in use. They are no secrets.
var schemes = []string{"apikey", "api-key", "aws4-hmac-sha256", "basic", "bearer", "digest", "dpop", "hawk", "hmac", "key", "jwt",
	"negotiate", "ntlm", "oauth", "splunk", "token"}

// AddHeader takes the value of a header: credentials without their scheme, the values of cookies and parameters without
// their names, and any other value as it is.
func (s *Secrets) AddHeader(name, value string) {
	if PublicHeader(name) {
		return
	}
	value = strings.TrimSpace(value)
	scheme, rest, found := strings.Cut(value, " ")
	if found && slices.Contains(schemes, strings.ToLower(scheme)) {
		value = strings.TrimSpace(rest)
		if strings.EqualFold(scheme, "Basic") {
			s.addBasic(value)
		}
	}
	if isParameters(value) {
		for _, pair := range split(value, ";,") {
			_, after, _ := strings.Cut(pair, "=")
			s.Add(strings.Trim(strings.TrimSpace(after), `"`))
		}
		return
	}
	s.Add(value)
	for _, part := range split(value, ";, \t") {
		if len(part) >= piece || len(part) >= shortestPart && strings.ContainsAny(part, "0123456789") {
			s.addPart(part)
		}
	}
}

// isParameters reports whether a value is a list of names with values, such as cookies.
func isParameters(value string) bool {
	parts := split(value, ";,")
	for _, part := range parts {
		name, after, found := strings.Cut(strings.TrimSpace(part), "=")
		if !found || name == "" || strings.Trim(after, "=") == "" || strings.ContainsFunc(name, notInName) {
			return false
		}
	}
	return len(parts) > 0
}

func notInName(r rune) bool {
	return !strings.ContainsRune("-_.$%!~*'", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

func split(value, at string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(at, r) })
}

// addBasic takes the credentials of Basic (RFC 7617 2).
func (s *Secrets) addBasic(credentials string) {
	plain, _ := base64.StdEncoding.DecodeString(credentials)
	if user, password, found := strings.Cut(string(plain), ":"); found {
		s.AddUser(user, password)
	}
}

// AddUser takes what a client names itself with.
func (s *Secrets) AddUser(user, password string) {
	s.addPart(user)
	s.Add(password)
	s.Add(base64.StdEncoding.EncodeToString([]byte(user + ":" + password)))
}

// AddQuery takes the values of a query string, and what has no name in it. The names are no secrets.
func (s *Secrets) AddQuery(query string) {
	for _, pair := range split(query, "&;") {
		name, value, found := strings.Cut(pair, "=")
		if !found {
			value = name
		}
		s.addPart(value)
		if plain, err := url.QueryUnescape(value); err == nil && plain != value {
			s.addPart(plain)
		}
	}
}

// AddBody takes the body of a request: as a whole, the values of a form, and the texts in a JSON document.
func (s *Secrets) AddBody(body string) {
	if body == "" {
		return
	}
	s.AddLines(body)
	var document any
	if err := json.Unmarshal([]byte(body), &document); err != nil {
		s.AddQuery(body)
		return
	}
	s.addJSON(document)
}

func (s *Secrets) addJSON(document any) {
	switch v := document.(type) {
	case string:
		s.addPart(v)
	case []any:
		for _, inner := range v {
			s.addJSON(inner)
		}
	case map[string]any:
		for _, inner := range v {
			s.addJSON(inner)
		}
	}
}

// Redactor returns what hides the secrets. If the context ends before it has looked at all of them, it hides everything.
func (s *Secrets) Redactor(ctx context.Context) *Redactor {
	r := &Redactor{index: newIndex()}
	slices.Sort(s.texts)
	for _, text := range slices.Compact(s.texts) {
		l := plainLayer(text)
		for range maxUnescape { // a text is decoded as far as it can be, so a secret must be, too
			if ctx.Err() != nil {
				r.blind = true
				return r
			}
			r.index.add(l.fold().text)
			next, changed := l.unescape()
			if !changed {
				break
			}
			l = next
		}
	}
	return r
}

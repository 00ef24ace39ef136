package opening

import (
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/reasons"
)

// phrases stand in the refusals of servers, in lower case, the surest first.
var phrases = []struct {
	text string
	says reasons.Says
}{
	{"plain http request was sent to https port", reasons.SaysTLS},         // nginx
	{"client sent an http request to an https server", reasons.SaysTLS},    // Go
	{"speaking plain http to an ssl-enabled server port", reasons.SaysTLS}, // Apache
	{"combination of host and port requires tls", reasons.SaysTLS},         // Tomcat
	{"no required ssl certificate was sent", reasons.SaysCertificate},      // nginx
	{"the ssl certificate error", reasons.SaysCertificate},                 // nginx
	{"request header or cookie too large", reasons.SaysLongHead},           // nginx
	{"size of a request header field exceeds", reasons.SaysLongHead},       // Apache
	{"origin", reasons.SaysOrigin},
	{"subprotocol", reasons.SaysSubprotocol}, {"sub-protocol", reasons.SaysSubprotocol}, {"sec-websocket-protocol", reasons.SaysSubprotocol},
	{"invalid host", reasons.SaysHost}, {"host not allowed", reasons.SaysHost}, {"allowed_hosts", reasons.SaysHost}, {"bad host", reasons.SaysHost},
	{"host is not allowed", reasons.SaysHost}, {"unknown host", reasons.SaysHost},
	{"transport unknown", reasons.SaysEngineIO}, {"session id unknown", reasons.SaysEngineIO}, {"unsupported protocol version", reasons.SaysEngineIO},
	{"missing upgrade", reasons.SaysNoUpgrade}, {"upgrade header", reasons.SaysNoUpgrade}, {`"upgrade" only to "websocket"`, reasons.SaysNoUpgrade},
	{"upgrade required", reasons.SaysNoUpgrade}, {"'upgrade' token not found", reasons.SaysNoUpgrade},
}

// notOrigin removes other uses of the word "origin", which are common in texts of gateways.
var notOrigin = strings.NewReplacer("origin server", "", "origin web server", "", "origin dns", "", "origin is unreachable", "", "original", "", "originat", "")

// saysOf is the advice that a refusal gives beyond its status. Only a 3xx or 4xx has any: other pages are about other
// things.
func saysOf(resp *http.Response, body string, secure bool) reasons.Says {
	switch status := resp.StatusCode; {
	case status >= 300 && status < 400:
		return redirects(resp.Header.Get("Location"), secure)
	case status < 400 || status >= 500:
		return reasons.SaysNothing
	case status == http.StatusUnauthorized:
		return challenges(resp)
	}
	text := notOrigin.Replace(strings.ToLower(body))
	for _, p := range phrases {
		if strings.Contains(text, p.text) && fits(p.says, resp.StatusCode, secure) {
			return p.says
		}
	}
	return reasons.SaysNothing
}

// fits reports whether a phrase can mean what it means elsewhere.
func fits(says reasons.Says, status int, secure bool) bool {
	switch says {
	case reasons.SaysTLS:
		return !secure
	case reasons.SaysNoUpgrade, reasons.SaysEngineIO:
		return status == http.StatusBadRequest || status == http.StatusUpgradeRequired
	case reasons.SaysOrigin, reasons.SaysSubprotocol, reasons.SaysHost:
		return status == http.StatusBadRequest || status == http.StatusForbidden || status == http.StatusMisdirectedRequest
	default:
		return true
	}
}

// redirects classifies the target of a redirection.
func redirects(to string, secure bool) reasons.Says {
	u, err := url.Parse(to)
	switch {
	case to == "":
		return reasons.SaysNothing
	case err == nil && !secure && (strings.EqualFold(u.Scheme, "https") || strings.EqualFold(u.Scheme, "wss")):
		return reasons.SaysToTLS
	default:
		return reasons.SaysElsewhere
	}
}

// challenges says whether a 401 wants credentials for which the probe has a field.
func challenges(resp *http.Response) reasons.Says {
	schemes := schemesOf(resp)
	for _, s := range schemes {
		if strings.EqualFold(s, "Basic") || strings.EqualFold(s, "Bearer") {
			return reasons.SaysNothing
		}
	}
	if len(schemes) > 0 {
		return reasons.SaysOtherScheme
	}
	return reasons.SaysNothing
}

// challenge names the schemes of the credentials that a refusal wants (RFC 9110 11.6.1).
func challenge(resp *http.Response) string {
	if schemes := schemesOf(resp); len(schemes) > 0 {
		return say.Sentence(", and wants %s", strings.Join(schemes, " or "))
	}
	return say.Own("")
}

// maxSchemes bounds the schemes in a sentence.
const maxSchemes = 8

// schemesOf returns the schemes in WWW-Authenticate, whose values are lists of challenges, which have lists of
// parameters.
func schemesOf(resp *http.Response) []string {
	var schemes []string
	for _, value := range resp.Header.Values("Www-Authenticate") {
		for _, part := range outsideQuotes(value) {
			scheme, rest, _ := strings.Cut(strings.TrimSpace(part), " ")
			if !httpguts.ValidHeaderFieldName(scheme) || strings.HasPrefix(strings.TrimSpace(rest), "=") || len(schemes) == maxSchemes {
				continue // a parameter of the challenge before
			}
			schemes = append(schemes, scheme)
		}
	}
	return schemes
}

// outsideQuotes splits a list at the commas outside quoted texts.
func outsideQuotes(list string) []string {
	quoted, escaped := false, false
	return strings.FieldsFunc(list, func(c rune) bool {
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		}
		return c == ',' && !quoted
	})
}

package probe

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Limits of a [Prepare].
const (
	MaxCaptures     = 16
	MaxCaptureBytes = 16 << 10 // of a captured text
	MaxPrepareBytes = 1 << 20  // of the body of the answer
)

// Prepare is a request of HTTP that each run, and each open of a session, sends before its first connection: a login
// whose cookie the upgrade needs, a ticket for the query, the negotiation of SignalR or of Socket.IO.
//
// It goes the way of the socket: resolver, proxy, IP version and TLS are those of the Opening. A server name
// holds for it if its host is that of the Opening's URL, a ConnectTo if the port is the same, too, and Authorize if also
// both are secured or neither: they are about that endpoint. The request has a connection of its own, HTTP/1.1. No
// redirect is followed.
//
// Cookies of the answer go into the upgrade requests as a browser would send them, by domain, path and Secure. A cookie
// in Headers of the same name has precedence.
//
// The texts that Captures find fill {{NAME}} in the Headers, Protocols, path and query of every connection, in Send and
// what is expected, in the steps of an Exchange and of a heartbeat. In a path or query they are percent-encoded, and
// elsewhere verbatim. They are secrets of their run. Without Captures, braces outside an Exchange are ordinary text.
type Prepare struct {
	// Method is GET, HEAD, POST, PUT, PATCH or DELETE. Default: POST with a Body, else GET.
	Method string
	// URL is http:// or https://, without user information or fragment. A path, such as /login?from=probe, is one at the
	// host and port of the Opening's URL. Required.
	URL string
	// Headers are added to the request. A body has a Content-Type unless they say one: application/json for an object
	// or a list of JSON, else application/x-www-form-urlencoded.
	Headers map[string]string
	// Body is at most MaxSendBytes.
	Body string
	// ExpectStatus is the status that the answer must have, from 200 to 599. Default: 200.
	ExpectStatus int
	// Captures are the texts to find in the answer by their names, at most MaxCaptures: letters, digits and underscores,
	// no digit first.
	Captures map[string]Capture
}

// Capture says where in an answer a text is. Exactly one of its fields is set. An answer without the text, or with an
// empty one or one of more than MaxCaptureBytes, fails the run.
type Capture struct {
	// JSON is a path into the body, as in [Step]; it leads to a text or a number.
	JSON string
	// Pattern is a regular expression (RE2) with a group, which finds the text in the body.
	Pattern string
	// Header is the name of a field of the answer.
	Header string
	// Cookie is the name of a cookie that the answer sets.
	Cookie string
}

// withDefaults returns the request with its defaults filled in, nil for nil.
func (p *Prepare) withDefaults() *Prepare {
	if p == nil {
		return nil
	}
	filled := *p
	if filled.Method == "" {
		filled.Method = http.MethodGet
		if filled.Body != "" {
			filled.Method = http.MethodPost
		}
	}
	if filled.ExpectStatus == 0 {
		filled.ExpectStatus = http.StatusOK
	}
	return &filled
}

// captures reports whether the texts of an Opening can have placeholders.
func (o Opening) captures() bool { return o.Prepare != nil && len(o.Prepare.Captures) > 0 }

// Names returns a Prepare with nothing but the names of the captures, or nil if there are none.
func (p *Prepare) Names() *Prepare {
	if p == nil || len(p.Captures) == 0 {
		return nil
	}
	names := make(map[string]Capture, len(p.Captures))
	for name := range p.Captures {
		names[name] = Capture{}
	}
	return &Prepare{Captures: names}
}

// CaptureNames returns the names of the captures of Prepare.
func (o Opening) CaptureNames() []string {
	if o.Prepare == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(o.Prepare.Captures))
}

// prepareURL is the URL of the request: a path is one at the endpoint.
func (o Opening) prepareURL() string {
	if !strings.HasPrefix(o.Prepare.URL, "/") {
		return o.Prepare.URL
	}
	scheme, rest, _ := strings.Cut(o.URL, "://")
	host := rest
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		host = rest[:i]
	}
	if strings.EqualFold(scheme, "wss") {
		return "https://" + host + o.Prepare.URL
	}
	return "http://" + host + o.Prepare.URL
}

package probe

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/wsprobe/wsprobe/probe/internal/match"
	"github.com/wsprobe/wsprobe/probe/internal/opening"
)

// preparation is the request of a Prepare, made ready.
type preparation struct {
	spec     *Prepare
	url      *url.URL
	opener   *opening.Opener
	header   http.Header
	host     string // for the Host field
	at       bool   // whether it goes to the endpoint itself
	captures []capture
	fills    bool // whether a text of a connection has a placeholder
}

// capture is a Capture, made ready.
type capture struct {
	Capture
	name    string
	json    match.Value
	pattern *regexp.Regexp
}

// newPreparation makes the request of a valid Spec ready. It is nil if there is none.
func newPreparation(s Spec) (*preparation, error) {
	if s.Prepare == nil {
		return nil, nil
	}
	u, err := url.Parse(s.prepareURL())
	endpoint, bad := url.Parse(s.URL)
	if err != nil || bad != nil {
		return nil, errors.New("parsing URL: not a URL") // Validate has seen both; their texts may hold secrets
	}
	p := &preparation{spec: s.Prepare, url: u, header: s.Prepare.header(s.UserAgent), host: u.Host}
	if host := p.header.Get("Host"); host != "" {
		p.host = host
		p.header.Del("Host")
	}
	sameName := strings.EqualFold(u.Hostname(), endpoint.Hostname())
	near := sameName && portOf(u) == portOf(endpoint)
	p.at = near && strings.EqualFold(u.Scheme, "https") == strings.EqualFold(endpoint.Scheme, "wss")
	if p.opener, err = opening.New(s.prepareOptions(u, near, sameName)); err != nil {
		return nil, fmt.Errorf("preparing the request: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Prepare.Captures)) {
		c := capture{Capture: s.Prepare.Captures[name], name: name}
		c.json = match.NewValue(c.JSON)
		if c.pattern, err = regexp.Compile(c.Pattern); err != nil {
			return nil, fmt.Errorf("capture %s: %w", name, err)
		}
		p.captures = append(p.captures, c)
	}
	for _, name := range s.ConnectionNames() {
		p.fills = p.fills || len(p.captures) > 0 && s.openingOf(name).hasPlaceholder()
	}
	return p, nil
}

// prepareOptions are the options of the request to a URL at the host and port of the endpoint, or at its host.
func (s Spec) prepareOptions(u *url.URL, near, sameName bool) opening.Options {
	options := opening.Options{URL: u, Network: s.IPVersion.network(), Proxy: s.Proxy, TLS: s.TLS, Resolve: s.Resolve, Dial: s.Dial, Permit: s.Permit}
	if near {
		options.ConnectTo = s.ConnectTo
	}
	if options.AnyServerName = sameName && s.AnyServerName; !sameName && s.TLS != nil {
		options.TLS = s.TLS.Clone()
		options.TLS.ServerName = ""
	}
	return options
}

// portOf returns the port of a URL.
func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	if scheme := strings.ToLower(u.Scheme); scheme == "https" || scheme == "wss" {
		return "443"
	}
	return "80"
}

// header returns the fields of the request.
func (p *Prepare) header(userAgent string) http.Header {
	header := http.Header{"User-Agent": {userAgent}, "Accept": {"*/*"}}
	if p.Body != "" {
		header.Set("Content-Type", contentType(p.Body))
	}
	for name, value := range p.Headers {
		header.Set(name, value)
	}
	return header
}

// contentType is that of a body of which nobody says it.
func contentType(body string) string {
	if begin := strings.TrimLeft(body, " \t\r\n"); begin != "" && (begin[0] == '{' || begin[0] == '[') && json.Valid([]byte(body)) {
		return "application/json"
	}
	return "application/x-www-form-urlencoded"
}

// request is the request of one run, with the credentials of the endpoint.
func (p *preparation) request(authorization string) *http.Request {
	header := p.header
	if p.at && authorization != "" && header.Get("Authorization") == "" {
		header = header.Clone()
		header.Set("Authorization", authorization)
	}
	return &http.Request{Method: p.spec.Method, URL: p.url, Host: p.host, Header: header, ProtoMajor: 1, ProtoMinor: 1, Close: true,
		Body: io.NopCloser(strings.NewReader(p.spec.Body)), ContentLength: int64(len(p.spec.Body))}
}

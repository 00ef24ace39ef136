package probe

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/wsprobe/wsprobe/probe/redact"
)

// shownRequest is the head of the request, without the query and without the values of headers that are not public.
func (w *watcher) shownRequest() []string {
	if len(w.request) == 0 {
		return nil
	}
	spec := w.run.main.spec
	named := newRedactorWithin(context.Background(), Spec{Opening: Opening{Secrets: spec.Secrets}, MessageFormat: w.run.probe.spec.MessageFormat}, w.run.fetched...)
	set := make(map[string]bool)
	for name := range spec.Headers {
		set[strings.ToLower(name)] = !redact.PublicHeader(name)
	}
	set["authorization"] = true
	var lines []string
	for i, line := range strings.Split(strings.TrimSuffix(string(w.request), "\r\n\r\n"), "\r\n") {
		name, value, _ := strings.Cut(line, ": ")
		switch low := strings.ToLower(name); {
		case i == 0:
			uri, version, _ := strings.Cut(strings.TrimPrefix(line, "GET "), " ")
			line = "GET " + redact.URL(uri) + " " + version
		case set[low]:
			line = name + ": " + hiddenCredentials(low, value)
		case low == "sec-websocket-protocol":
			line = name + ": " + strings.Join(shownProtocols(spec.Protocols), ", ")
		}
		lines = append(lines, named.text(line, MaxBodyDetail))
	}
	return lines
}

// hiddenCredentials hides the value of a header, but for the scheme of credentials.
func hiddenCredentials(name, value string) string {
	if scheme, _, ok := strings.Cut(value, " "); ok && name == "authorization" && httpguts.ValidHeaderFieldName(scheme) {
		return scheme + " " + redact.Mark
	}
	return redact.Mark
}

func shownProtocols(protocols []string) []string {
	shown := slices.Clone(protocols)
	for i, p := range shown {
		if len(p) > longProtocol {
			shown[i] = redact.Mark
		}
	}
	return shown
}

// shownResponse is the head of the response without secrets, with the interim ones before it. A response that is not
// HTTP has its first line.
func (w *watcher) shownResponse() []string {
	head := w.head
	var lines []string
	hide := w.run.redact()
	for len(head) > 0 && len(lines) < MaxWatchedLines {
		line, rest, whole := bytes.Cut(head, []byte("\n"))
		text := strings.TrimSuffix(string(line), "\r")
		head = rest
		if text == "" && whole {
			if !interim(lines) {
				break
			}
			continue
		}
		lines = append(lines, hide.text(shownField(text), MaxBodyDetail))
		if !strings.HasPrefix(lines[0], "HTTP/") {
			break
		}
	}
	return lines
}

// interim reports whether these lines end with the head of an interim response (RFC 9110 15.2).
func interim(lines []string) bool {
	for _, line := range slices.Backward(lines) {
		if proto, rest, ok := strings.Cut(line, " "); ok && strings.HasPrefix(proto, "HTTP/") {
			return strings.HasPrefix(rest, "1") && !strings.HasPrefix(rest, "101")
		}
	}
	return false
}

// shownField hides the parts of a field of a response that are as good as a password: the value of a cookie, and the
// query of a URL.
func shownField(line string) string {
	name, value, ok := strings.Cut(line, ":")
	if !ok {
		return line
	}
	switch strings.ToLower(name) {
	case "set-cookie":
		cookie, rest, _ := strings.Cut(value, ";")
		key, _, _ := strings.Cut(cookie, "=")
		if rest != "" {
			rest = ";" + rest
		}
		return name + ":" + key + "=" + redact.Mark + rest
	case "sec-websocket-protocol":
		return name + ": " + strings.Join(shownProtocols(strings.Split(strings.TrimSpace(value), ", ")), ", ")
	case "location":
		value, _, _ = strings.Cut(value, "#")
		return name + ": " + redact.URL(strings.TrimSpace(value))
	default:
		return line
	}
}

package probe

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Limits of Spec.Headers. Servers commonly accept 100 header fields and a head of 8 to 64 KiB.
const (
	MaxHeaders     = 100
	MaxHeaderBytes = 64 << 10
)

// headerFaults checks the headers by name, in the order of their names.
func headerFaults(headers map[string]string) []Fault {
	if len(headers) == 0 {
		return nil
	}
	var faults []Fault
	add := func(name, problem string, notAllowed bool) {
		faults = append(faults, Fault{Field: "Headers", Key: name, Problem: problem, NotAllowed: notAllowed})
	}
	if n := len(headers); n > MaxHeaders {
		add("", fmt.Sprintf("must be at most %d, got %d", MaxHeaders, n), false)
	}
	size := 0
	spelled := make(map[string]string, len(headers))
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		value, lower := headers[name], strings.ToLower(name)
		size += len(name) + len(value)
		if first, twice := spelled[lower]; twice {
			add(name, fmt.Sprintf("is there twice: %s is the same header", first), true)
			continue
		}
		spelled[lower] = name
		if problem := headerNameProblem(name); problem != "" {
			add(name, problem, true)
			continue
		}
		if problem := headerValueProblem(value); problem != "" {
			add(name, problem, false)
		} else if lower == "host" {
			for _, problem := range hostPortProblems(value) {
				add(name, problem, false)
			}
		}
	}
	if size > MaxHeaderBytes {
		add("", fmt.Sprintf("must be at most %d bytes together, got %d", MaxHeaderBytes, size), false)
	}
	return faults
}

// authorizationFault checks that there is no second Authorization.
func (o Opening) authorizationFault() []Fault {
	if o.Authorize == nil {
		return nil
	}
	for name := range o.Headers {
		if strings.EqualFold(name, "Authorization") {
			return []Fault{{Field: "Headers", Key: name, NotAllowed: true, Problem: "is not allowed beside auth, which sets it"}}
		}
	}
	return nil
}

// headerNameProblem says why a header may not be set. It is empty for a good name.
func headerNameProblem(name string) string {
	switch lower := strings.ToLower(name); {
	case name == "":
		return "must have a name"
	case !httpguts.ValidHeaderFieldName(name):
		return "must be named by a token: letters, digits and !#$%&'*+-.^_`|~ (RFC 7230 3.2.6)"
	case lower == "sec-websocket-protocol":
		return "is not allowed: the handshake sets it from protocols"
	case lower == "sec-websocket-extensions":
		return "is not allowed: the handshake sets it from compression"
	case strings.HasPrefix(lower, "sec-websocket-"), lower == "connection", lower == "upgrade":
		return "is not allowed: the handshake sets it itself (RFC 6455 4.1)"
	case strings.HasPrefix(lower, "proxy-"):
		return "is not allowed: it is for the proxy, whose credentials belong in the proxy's URL"
	case slices.Contains(framingHeaders, lower):
		return "is not allowed: it is about the body or the connection of another kind of request"
	}
	return ""
}

// framingHeaders promise a body, an interim response or a connection that an upgrade request does not have (RFC 7230
// 3.3 and 6.1).
var framingHeaders = []string{
	"content-length", "transfer-encoding", "te", "trailer", "keep-alive", "expect", "http2-settings",
}

// headerValueProblem names the fault of a header's value, without repeating it. The grammar is that of RFC 7230 3.2:
// visible characters, bytes above ASCII, blanks and tabs inside.
func headerValueProblem(value string) string {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return "must not contain line breaks or other control characters"
		}
	}
	if strings.Trim(value, " \t") != value {
		return "must not begin or end with a blank"
	}
	return ""
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

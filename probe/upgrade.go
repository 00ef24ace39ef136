package probe

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/reasons"
)

// requestHead writes the upgrade request of a Spec up to and without the value of Sec-WebSocket-Key, which
// is the only thing that differs between runs (RFC 6455 4.1).
func requestHead(s Spec, target target) []byte {
	var b strings.Builder
	host, agent := target.hostHeader, s.UserAgent
	names := make([]string, 0, len(s.Headers))
	for name, value := range s.Headers {
		switch textproto.CanonicalMIMEHeaderKey(name) {
		case "Host":
			host = value
		case "User-Agent":
			agent = value
		default:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", target.requestURI, host)
	if agent != "" {
		fmt.Fprintf(&b, "User-Agent: %s\r\n", agent)
	}
	for _, name := range names {
		fmt.Fprintf(&b, "%s: %s\r\n", name, s.Headers[name])
	}
	if len(s.Protocols) > 0 {
		fmt.Fprintf(&b, "Sec-WebSocket-Protocol: %s\r\n", strings.Join(s.Protocols, ", "))
	}
	if s.Compression == CompressionOn {
		fmt.Fprintf(&b, "Sec-WebSocket-Extensions: %s\r\n", frame.PermessageDeflate)
	}
	b.WriteString("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ")
	return []byte(b.String())
}

// verifyUpgrade checks a 101 against RFC 6455 4.1, in the order of its list, and returns the breach, or the
// compression that was agreed upon, if any. The library checks less, and answers a breach by reading on for up
// to 3 s.
func verifyUpgrade(resp *http.Response, key string, spec *Spec) (*frame.Deflate, *frame.Breach) {
	h := resp.Header
	bad := func(what reasons.ErrorType, format string, args ...any) (*frame.Deflate, *frame.Breach) {
		return nil, &frame.Breach{Type: what, About: say.Sentence(format, args...), Switch: switchClue(h, what, spec)}
	}
	agreed, problem := frame.AcceptDeflate(h.Values("Sec-Websocket-Extensions"), spec.Compression == CompressionOn)
	accept := h.Values("Sec-Websocket-Accept")
	protocols := h.Values("Sec-Websocket-Protocol")
	switch {
	case resp.ProtoMajor != 1 || resp.ProtoMinor < 1:
		return bad(reasons.MalformedResponse, "101 in %s, which has no upgrade", resp.Proto)
	case !onlyToken(h.Values("Upgrade"), "websocket"):
		return bad(reasons.BadUpgradeHeader, "101 with Upgrade \"%s\" instead of websocket", strings.Join(h.Values("Upgrade"), ", "))
	case !hasToken(h.Values("Connection"), "upgrade"):
		return bad(reasons.BadUpgradeHeader, "101 with Connection \"%s\", which lacks Upgrade", strings.Join(h.Values("Connection"), ", "))
	case len(accept) != 1 || accept[0] != acceptKey(key):
		return bad(reasons.BadAcceptKey, "101 with Sec-WebSocket-Accept \"%s\" instead of \"%s\"", strings.Join(accept, ", "), say.Own(acceptKey(key)))
	case problem != "":
		return bad(reasons.BadExtension, "101 with the extension \"%s\", %s", strings.Join(h.Values("Sec-Websocket-Extensions"), ", "), say.Own(problem))
	case len(protocols) > 1:
		return bad(reasons.BadSubprotocol, "101 with more than one subprotocol: \"%s\"", strings.Join(protocols, ", "))
	case len(protocols) == 1 && !slices.Contains(spec.Protocols, protocols[0]):
		return bad(reasons.BadSubprotocol, "101 with the subprotocol \"%s\", which was not offered", protocols[0])
	case spec.ExpectProtocol != "" && h.Get("Sec-Websocket-Protocol") != spec.ExpectProtocol:
		return bad(reasons.BadSubprotocol, "101 with the subprotocol \"%s\" instead of \"%s\"",
			h.Get("Sec-Websocket-Protocol"), spec.ExpectProtocol)
	}
	return agreed, nil
}

// switchClue says what is wrong with the subprotocol or the extension of a 101.
func switchClue(h http.Header, what reasons.ErrorType, spec *Spec) reasons.Switch {
	protocols := h.Values("Sec-Websocket-Protocol")
	switch {
	case what == reasons.BadExtension && !strings.Contains(strings.ToLower(strings.Join(h.Values("Sec-Websocket-Extensions"), ",")), frame.PermessageDeflate):
		return reasons.SwitchOther
	case what == reasons.BadExtension && spec.Compression == CompressionOn:
		return reasons.SwitchParameters
	case what != reasons.BadSubprotocol:
		return reasons.SwitchFine
	case len(protocols) > 1:
		return reasons.SwitchTwice
	case len(protocols) == 0 || slices.Contains(spec.Protocols, protocols[0]):
		return reasons.SwitchUnpicked
	default:
		return reasons.SwitchOther
	}
}

// acceptKey is the Sec-WebSocket-Accept that answers a key (RFC 6455 4.2.2, step 5.4).
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// hasToken reports whether a comma-separated header contains a token, in any case.
func hasToken(values []string, token string) bool {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if sameToken(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// onlyToken reports whether a header is exactly one token, in any case.
func onlyToken(values []string, token string) bool {
	return len(values) == 1 && sameToken(strings.TrimSpace(values[0]), token)
}

// sameToken compares tokens in ASCII. In Unicode the Kelvin sign is a k.
func sameToken(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }

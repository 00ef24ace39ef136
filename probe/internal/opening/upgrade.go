package opening

import (
	"crypto/rand"
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

// traceParent is the field by which a request says what trace it is part of (W3C Trace Context 3.2).
const traceParent = "traceparent"

// traceable reports whether a request has room for a traceparent: one that the headers set has precedence.
func traceable(headers map[string]string) bool {
	for name := range headers {
		if strings.EqualFold(name, traceParent) {
			return false
		}
	}
	return true
}

// requestFields are the value of the Host field, empty for that of the URL, and the fields behind it up to the value of
// Sec-WebSocket-Key (RFC 6455 4.1). The rest of a request differs between attempts.
func requestFields(o Options) (host, fields string) {
	var b strings.Builder
	agent := o.UserAgent
	names := make([]string, 0, len(o.Headers))
	for name, value := range o.Headers {
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
	b.WriteString("Upgrade: websocket\r\nConnection: Upgrade\r\n")
	if agent != "" {
		fmt.Fprintf(&b, "User-Agent: %s\r\n", agent)
	}
	for _, name := range names {
		fmt.Fprintf(&b, "%s: %s\r\n", name, o.Headers[name])
	}
	if len(o.Protocols) > 0 {
		fmt.Fprintf(&b, "Sec-WebSocket-Protocol: %s\r\n", strings.Join(o.Protocols, ", "))
	}
	if o.Compression {
		fmt.Fprintf(&b, "Sec-WebSocket-Extensions: %s\r\n", frame.PermessageDeflate)
	}
	b.WriteString("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ")
	return host, strings.Clone(b.String()) // it lives as long as the Way, without the spare bytes of the builder
}

// newKey returns a fresh Sec-WebSocket-Key (RFC 6455 4.1, item 7).
func newKey() string {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // it never fails
	var key [24]byte
	base64.StdEncoding.Encode(key[:], nonce[:])
	return string(key[:])
}

// acceptGUID is the text that every endpoint appends to a key (RFC 6455 1.3).
const acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// AcceptKey is the Sec-WebSocket-Accept that answers a key (RFC 6455 4.2.2, step 5.4).
func AcceptKey(key string) string {
	sum := sha1.Sum(append(append(make([]byte, 0, 64), key...), acceptGUID...))
	var accept [28]byte
	base64.StdEncoding.Encode(accept[:], sum[:])
	return string(accept[:])
}

// verify checks a 101 against RFC 6455 4.1, in the order of its list. It returns the breach, or else the compression
// that was agreed upon, nil for none.
func (o *Opener) verify(resp *http.Response, key string) (*frame.Deflate, *frame.Breach) {
	h := resp.Header
	bad := func(what reasons.ErrorType, format string, args ...any) (*frame.Deflate, *frame.Breach) {
		return nil, &frame.Breach{Type: what, About: say.Sentence(format, args...), Switch: o.clue(h, what)}
	}
	agreed, problem := frame.AcceptDeflate(h.Values("Sec-Websocket-Extensions"), o.compression)
	accept := h.Values("Sec-Websocket-Accept")
	protocols := h.Values("Sec-Websocket-Protocol")
	switch {
	case resp.ProtoMajor != 1 || resp.ProtoMinor < 1:
		return bad(reasons.MalformedResponse, "101 in %s, which has no upgrade", resp.Proto)
	case !onlyToken(h.Values("Upgrade"), "websocket"):
		return bad(reasons.BadUpgradeHeader, "101 with Upgrade \"%s\" instead of websocket", strings.Join(h.Values("Upgrade"), ", "))
	case !hasToken(h.Values("Connection"), "upgrade"):
		return bad(reasons.BadUpgradeHeader, "101 with Connection \"%s\", which lacks Upgrade", strings.Join(h.Values("Connection"), ", "))
	case len(accept) != 1 || accept[0] != AcceptKey(key):
		return bad(reasons.BadAcceptKey, "101 with Sec-WebSocket-Accept \"%s\" instead of \"%s\"", strings.Join(accept, ", "), say.Own(AcceptKey(key)))
	case problem != "":
		return bad(reasons.BadExtension, "101 with the extension \"%s\", %s", strings.Join(h.Values("Sec-Websocket-Extensions"), ", "), say.Own(problem))
	case len(protocols) > 1:
		return bad(reasons.BadSubprotocol, "101 with more than one subprotocol: \"%s\"", strings.Join(protocols, ", "))
	case len(protocols) == 1 && !slices.Contains(o.offered, protocols[0]):
		return bad(reasons.BadSubprotocol, "101 with the subprotocol \"%s\", which was not offered", protocols[0])
	case o.expectProtocol != "" && h.Get("Sec-Websocket-Protocol") != o.expectProtocol:
		return bad(reasons.BadSubprotocol, "101 with the subprotocol \"%s\" instead of \"%s\"",
			h.Get("Sec-Websocket-Protocol"), o.expectProtocol)
	}
	return agreed, nil
}

// clue names the fault of the subprotocol or of the extension of a 101.
func (o *Opener) clue(h http.Header, what reasons.ErrorType) reasons.Switch {
	protocols := h.Values("Sec-Websocket-Protocol")
	switch {
	case what == reasons.BadExtension && !strings.Contains(strings.ToLower(strings.Join(h.Values("Sec-Websocket-Extensions"), ",")), frame.PermessageDeflate):
		return reasons.SwitchOther
	case what == reasons.BadExtension && o.compression:
		return reasons.SwitchParameters
	case what != reasons.BadSubprotocol:
		return reasons.SwitchFine
	case len(protocols) > 1:
		return reasons.SwitchTwice
	case len(protocols) == 0 || slices.Contains(o.offered, protocols[0]):
		return reasons.SwitchUnpicked
	default:
		return reasons.SwitchOther
	}
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

// sameToken compares tokens without case, in ASCII: in Unicode the Kelvin sign, of three bytes, is a k.
func sameToken(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }

package probe

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/wsprobe/wsprobe/reasons"
)

const (
	// maxHead bounds the response head. Servers send a few hundred bytes, gateways with cookies a few
	// thousand; net/http's own limit of 1 MiB would let a hostile one fill the agent's memory.
	maxHead = 64 << 10
	// maxInterim is how many 1xx responses may come before the final one (RFC 9110 15.2).
	maxInterim = 5
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
		fmt.Fprintf(&b, "Sec-WebSocket-Extensions: %s\r\n", permessageDeflate)
	}
	b.WriteString("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ")
	return []byte(b.String())
}

// headError is a response head that is not one.
type headError struct{ problem string }

func (e *headError) Error() string { return e.problem }

// headReader bounds a response head, and remembers how the connection ended: the parser of net/http takes the
// half line before a timeout or a reset for the last one.
type headReader struct {
	conn io.Reader
	left int
	err  error
}

var errHeadTooLong = &headError{fmt.Sprintf("malformed HTTP response: the head is longer than %d bytes", maxHead)}

func (h *headReader) Read(p []byte) (int, error) {
	if h.err == nil && h.left <= 0 {
		h.err = errHeadTooLong
	}
	if h.err != nil {
		return 0, h.err
	}
	n, err := h.conn.Read(p[:min(len(p), h.left)])
	h.left -= n
	h.err = err // the first one tells the truth: after a reset, the next read finds a plain end
	return n, err
}

// readHead reads one response head within bounds, passing over interim ones. The reader is made to read from the
// connection, and left at the first byte after the head. Errors of the connection come back as they are, everything
// else as a *headError.
func readHead(conn io.Reader, br *bufio.Reader, method string) (*http.Response, error) {
	bounded := &headReader{conn: conn, left: maxHead}
	br.Reset(bounded)
	if err := expectHTTP(br); err != nil {
		return nil, err
	}
	for range maxInterim + 1 {
		resp, err := http.ReadResponse(br, &http.Request{Method: method})
		switch {
		case err != nil && errors.Is(bounded.err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case err != nil && bounded.err != nil:
			return nil, bounded.err
		case err != nil:
			return nil, malformed(err)
		case resp.StatusCode < 100:
			return nil, &headError{fmt.Sprintf("malformed HTTP response: status code %03d", resp.StatusCode)}
		case resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols:
			bounded.left = math.MaxInt
			return resp, nil
		}
	}
	return nil, &headError{"malformed HTTP response: too many interim responses"}
}

// expectHTTP looks at the first bytes of a response as they come. What speaks another protocol shall be
// recognised by them: it may never write the line end for which a parser waits. The error is a plain io.EOF if
// the peer closed without a byte.
func expectHTTP(br *bufio.Reader) error {
	const begin = "HTTP/"
	for n := 1; n <= len(begin); n++ {
		got, err := br.Peek(n)
		if errors.Is(err, io.EOF) && n > 1 {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		if got[n-1] != begin[n-1] {
			all, _ := br.Peek(br.Buffered())
			line, _, _ := strings.Cut(string(all), "\n")
			return &headError{fmt.Sprintf("malformed HTTP response %q", strings.TrimSuffix(line, "\r"))}
		}
	}
	return nil
}

// malformed names an error of net/http's parser, which has no type for most of them.
func malformed(err error) error {
	text := err.Error()
	if !strings.HasPrefix(text, "malformed HTTP response") {
		text = "malformed HTTP response: " + text
	}
	return &headError{text}
}

// verifyUpgrade checks a 101 against RFC 6455 4.1, in the order of its list, and returns the breach, or the
// compression that was agreed upon, if any. The library checks less, and answers a breach by reading on for up
// to 3 s.
func verifyUpgrade(resp *http.Response, key string, spec *Spec) (*deflate, *breach) {
	bad := func(what reasons.ErrorType, format string, args ...any) (*deflate, *breach) {
		return nil, &breach{what: what, about: fmt.Sprintf(format, args...)}
	}
	h := resp.Header
	agreed, problem := acceptDeflate(h.Values("Sec-Websocket-Extensions"), spec.Compression == CompressionOn)
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
		return bad(reasons.BadAcceptKey, "101 with Sec-WebSocket-Accept \"%s\" instead of \"%s\"", strings.Join(accept, ", "), acceptKey(key))
	case problem != "":
		return bad(reasons.BadExtension, "101 with the extension \"%s\", %s", strings.Join(h.Values("Sec-Websocket-Extensions"), ", "), problem)
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

// acceptKey is the Sec-WebSocket-Accept that answers a key (RFC 6455 4.2.2, step 5.4).
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// hasToken reports whether a comma-separated header contains a token, in any case.
func hasToken(values []string, token string) bool {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// onlyToken reports whether a header is exactly one token, in any case.
func onlyToken(values []string, token string) bool {
	return len(values) == 1 && strings.EqualFold(strings.TrimSpace(values[0]), token)
}

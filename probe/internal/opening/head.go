package opening

import (
	"bufio"
	"errors"
	"io"
	"math"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/wsprobe/wsprobe/probe/internal/say"
)

const (
	// maxHead bounds the response head, in bytes. Servers send a few hundred, gateways with cookies a few thousand.
	// With net/http's own limit of 1 MiB a hostile server could fill the agent's memory.
	maxHead = 64 << 10
	// maxInterim is how many 1xx responses may come before the final one (RFC 9110 15.2).
	maxInterim = 5
)

// headError is what is wrong with a response head.
type headError struct{ problem string }

func (e *headError) Error() string { return e.problem }

// headReader bounds a response head. It also remembers how the connection ended, because the parser of net/http takes
// half a line before a timeout or a reset for the last one.
type headReader struct {
	conn io.Reader
	left int
	err  error
}

var errHeadTooLong = &headError{say.Sentence("malformed HTTP response: the head is longer than %d bytes", maxHead)}

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

// readHead reads one response head within bounds, and passes over interim ones. It resets the reader to the connection,
// and leaves it at the first byte after the head. Errors of the connection come back as they are, all others as a
// *headError.
func readHead(conn io.Reader, br *bufio.Reader, method string) (*http.Response, error) {
	bounded := &headReader{conn: conn, left: maxHead}
	br.Reset(bounded)
	if err := expectHTTP(br); err != nil {
		return nil, err
	}
	for range maxInterim + 1 {
		resp, err := readResponse(br, method)
		var malformed *headError
		switch {
		case err != nil && errors.Is(bounded.err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case err != nil && bounded.err != nil:
			return nil, bounded.err
		case errors.As(err, &malformed):
			return nil, malformed
		case err != nil:
			return nil, malformedBy(err)
		case resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols:
			bounded.left = math.MaxInt
			return resp, nil
		}
	}
	return nil, &headError{say.Own("malformed HTTP response: too many interim responses")}
}

// readResponse reads one response head. Package net/http reads responses with a body. It cannot read the others: it
// removes a Connection that holds "close" beside "Upgrade", and is strict about lengths that mean nothing here.
func readResponse(br *bufio.Reader, method string) (*http.Response, error) {
	lines := textproto.NewReader(br)
	line, err := lines.ReadLine()
	if err != nil {
		return nil, err
	}
	resp, err := readStatusLine(line)
	if err != nil {
		return nil, err
	}
	if tunnel := method == http.MethodConnect && resp.StatusCode/100 == 2; resp.StatusCode >= 200 && !tunnel {
		whole := io.MultiReader(strings.NewReader(line+"\r\n"), br)
		return http.ReadResponse(bufio.NewReader(whole), &http.Request{Method: method})
	}
	header, err := lines.ReadMIMEHeader()
	resp.Header, resp.Body = http.Header(header), http.NoBody
	return resp, err
}

// readStatusLine reads the first line of a response, as strictly as net/http does (RFC 9112 4).
func readStatusLine(line string) (*http.Response, error) {
	proto, status, _ := strings.Cut(line, " ")
	status = strings.TrimLeft(status, " ")
	digits, _, _ := strings.Cut(status, " ")
	code, err := strconv.ParseUint(digits, 10, 0)
	major, minor, ok := http.ParseHTTPVersion(proto)
	if len(digits) != len("101") || err != nil || code < 100 || !ok {
		return nil, &headError{say.Sentence("malformed HTTP response \"%s\"", line)}
	}
	return &http.Response{Proto: proto, ProtoMajor: major, ProtoMinor: minor, Status: status, StatusCode: int(code)}, nil
}

// expectHTTP looks at the first bytes of a response as they come, because a server of another protocol may never write
// the line end for which a parser waits. The error is a plain io.EOF if the peer closed without a byte.
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
			return &headError{say.Sentence("malformed HTTP response \"%s\"", strings.TrimSuffix(line, "\r"))}
		}
	}
	return nil
}

// malformedBy is the headError of an error of net/http's parser, which has no type for most of them.
func malformedBy(err error) error {
	return &headError{say.Sentence("malformed HTTP response: %s", strings.TrimPrefix(err.Error(), "malformed HTTP response: "))}
}

package opening

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/probe/internal/tcp"
	"github.com/wsprobe/wsprobe/probe/redact"
	"github.com/wsprobe/wsprobe/reasons"
)

// refusalWait bounds the wait for what only explains a failure: the body of a refusal, an alert.
const refusalWait = 200 * time.Millisecond

// ask sends the request and reads the head of the response.
func (a *Attempt) ask(conn net.Conn, key string) (*http.Response, error) {
	request := a.request(key)
	a.AskedAt = time.Now()
	// A failed write is no end yet: the server may have said why it hung up, in a refusal or in an alert of TLS.
	_, sent := conn.Write(request)
	switch {
	case tcp.IsTimeout(sent):
		return nil, sent
	case sent != nil:
		a.hurry()
	}
	a.first.conn = conn
	from := io.Reader(&a.first)
	if a.Trace != nil {
		a.Trace.Request(request)
		from = tracedReader{from, a.Trace.Response}
	}
	resp, err := readHead(from, a.Head, http.MethodGet)
	if head, ok := errors.AsType[*headError](err); ok {
		return nil, &frame.Breach{Type: reasons.MalformedResponse, About: head.problem}
	}
	switch {
	case err != nil && sent != nil && !IsAlert(err):
		return nil, sent
	case err == nil && a.Conn.ArrivedAt.After(a.Deadline):
		return nil, frame.ErrLate{}
	}
	return resp, err
}

// request is the whole request.
func (a *Attempt) request(key string) []byte {
	const authorization, trace, end = "\r\nAuthorization: ", "\r\n" + traceParent + ": ", "\r\n\r\n"
	const get, version, host = "GET ", " HTTP/1.1\r\nHost: ", "\r\n"
	o := a.opener
	request := make([]byte, 0, len(get)+len(o.uri)+len(version)+len(o.named)+len(host)+len(o.fields)+len(key)+
		len(authorization)+len(a.Authorization)+len(trace)+len(a.TraceParent)+len(end))
	for _, part := range [...]string{get, o.uri, version, o.named, host, o.fields, key} {
		request = append(request, part...)
	}
	if a.Authorization != "" {
		request = append(append(request, authorization...), a.Authorization...)
	}
	if o.traces && a.TraceParent != "" {
		request = append(append(request, trace...), a.TraceParent...)
	}
	return append(request, end...)
}

// tracedReader tells what is read through it.
type tracedReader struct {
	from io.Reader
	told func(piece []byte)
}

func (r tracedReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.told(p[:n])
	return n, err
}

// notSwitched is the error of an answer that is not 101.
func (a *Attempt) notSwitched(resp *http.Response) error {
	if resp.StatusCode == a.opener.expectStatus {
		a.leave(a.Conn.ArrivedAt)
		return ErrExpectedRefusal
	}
	a.RetryAfter = RetryAfter(resp.Header.Get("Retry-After"), a.Conn.ArrivedAt)
	a.refused(resp)
	return &Refused{Status: resp.StatusCode, About: say.Sentence("the server answered %s instead of 101%s%s",
		strings.TrimSpace(resp.Status), Redirection(resp.Header), challenge(resp))}
}

// RetryAfter reads the wait of a refusal: seconds or a date (RFC 9110 10.2.3).
func RetryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return max(0, date.Sub(now))
}

// Redirection says where a response points to, without query and fragment, which may hold a token.
func Redirection(header http.Header) string {
	to, _, _ := strings.Cut(header.Get("Location"), "#")
	if to == "" {
		return say.Own("")
	}
	return say.Sentence(", and points to %s", redact.URL(to))
}

// hurry leaves the server little time for what it may still have to say.
func (a *Attempt) hurry() {
	wait := time.Now().Add(refusalWait)
	if wait.After(a.Deadline) {
		wait = a.Deadline
	}
	a.Conn.SetEnd(wait)
}

// refused keeps what a refusal says, as far as it comes soon.
func (a *Attempt) refused(resp *http.Response) {
	a.Status = resp.StatusCode
	a.hurry()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, int64(a.MaxBody)))
	a.Body = string(body)
	a.Says = saysOf(resp, a.Body, a.opener.Secure())
}

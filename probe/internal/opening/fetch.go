package opening

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/probe/internal/tcp"
	"github.com/wsprobe/wsprobe/reasons"
)

// Answer is a response to a request of HTTP, read to its end.
type Answer struct {
	Status int
	Line   string // the status with its words
	Header http.Header
	Body   []byte
}

// Fetch sends one request to an endpoint of HTTP, over a connection of its own, and reads the answer until the deadline
// of the Attempt. The Stage of the Attempt says how far that came. A body of more than limit bytes is an error. Errors
// are those of [Opener.Open].
func (o *Opener) Fetch(ctx context.Context, a *Attempt, request *http.Request, limit int) (*Answer, error) {
	a.opener = o
	defer a.Close()
	if err := a.connect(ctx); err != nil {
		return nil, err
	}
	conn := net.Conn(a.Conn)
	if o.proxy != nil {
		var err error
		if conn, err = a.tunnel(); err != nil {
			return nil, err
		}
	}
	if o.tls != nil {
		secured, err := a.secure(conn)
		if err != nil {
			return nil, err
		}
		conn = secured
	}
	a.enter(reasons.StageUpgrade, Upgrade)
	return a.fetch(conn, request, limit)
}

// fetch sends the request over a connection and reads the answer.
func (a *Attempt) fetch(conn net.Conn, request *http.Request, limit int) (*Answer, error) {
	var head bytes.Buffer
	if err := request.Write(&head); err != nil {
		return nil, fmt.Errorf("writing the request: %w", err)
	}
	// As with the upgrade, a failed write is no end: the answer may say why.
	_, sent := conn.Write(head.Bytes())
	switch {
	case tcp.IsTimeout(sent):
		return nil, sent
	case sent != nil:
		a.hurry()
	}
	response, err := readHead(conn, a.Head, request.Method)
	if err != nil && sent != nil && !IsAlert(err) {
		return nil, sent
	}
	if problem, ok := errors.AsType[*headError](err); ok {
		return nil, &frame.Breach{Type: reasons.MalformedResponse, About: problem.problem}
	}
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, int64(limit)+1))
	switch {
	case err != nil:
		return nil, say.Error(say.Sentence("the body of the answer broke off: %s", err))
	case len(body) > limit:
		return nil, say.Error(say.Sentence("the body of the answer is longer than %d bytes", limit))
	case a.Conn.ArrivedAt.After(a.Deadline):
		return nil, frame.ErrLate{}
	}
	return &Answer{response.StatusCode, response.Status, response.Header, body}, nil
}

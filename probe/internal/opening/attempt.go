package opening

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/tcp"
	"github.com/wsprobe/wsprobe/reasons"
)

// Attempt is one opening. The caller fills in the first part and keeps it until [Attempt.Close]; [Opener.Open] fills in
// the others as it goes, so that a failed Attempt tells how far it came. An Attempt is for one opening.
type Attempt struct {
	Started, Deadline time.Time
	Authorization     string        // the value of that field of the request, or empty
	TraceParent       string        // the value of that field of the request, or empty
	MaxBody           int           // how much of a refusal's body to keep, in bytes
	Stay              bool          // whether Stream.Leave will be called
	Head              *bufio.Reader // to read the head of the response with, lent until Open returns
	Chunk             []byte        // for the Stream to receive into, lent for as long as that lives
	Trace             *Trace        // nil for most attempts

	Record

	Conn    *tcp.Conn     // nil before there is a connection
	Stream  *frame.Stream // nil unless the socket opened
	Secured Secured
	AskedAt time.Time // when the request was sent, zero before
	Status  int       // of the response to the request, or to the CONNECT that a proxy refused, 0 for none
	Body    string    // the beginning of a refusal's body
	// RetryAfter is the wait that a refusal asks for (RFC 9110 10.2.3), or 0.
	RetryAfter time.Duration
	Says       reasons.Says
	Agreement  Agreement

	opener  *Opener
	first   firstBytes // of the response
	unwatch func()     // ends the watch over the context
}

// Secured is a TLS handshake with the endpoint. Version and Cipher are numbers of package crypto/tls.
type Secured struct {
	Version, Cipher uint16
	ALPN            string
	Expiry          time.Time // when the certificate ceases to be good, whether it was accepted or not; zero for none
}

// Agreement is the 101 of an open socket. Its texts are the endpoint's.
type Agreement struct {
	Subprotocol string
	Extensions  string // permessage-deflate with the parameters that the endpoint gave, or empty
}

// Trace is told what goes over the connection until the socket is open. Its functions delay the opening, and must not
// be nil.
type Trace struct {
	Request  func(head []byte)                          // as it was sent, to be kept
	Response func(piece []byte)                         // of the head or of what is no head, to be cloned
	Secured  func(state tls.ConnectionState, err error) // at the end of the TLS handshake with the endpoint
	Frames   *frame.Trace                               // for the Stream
}

// ErrExpectedRefusal is the end of an Attempt that was refused with the status that Options.ExpectStatus wants.
var ErrExpectedRefusal = errors.New("refused as expected")

// Refused is a response to the request other than 101. Its text is a sentence, see package say.
type Refused struct {
	Status int
	About  string
}

func (r *Refused) Error() string { return r.About }

// First says what the first bytes of the response look like.
func (a *Attempt) First() reasons.First { return firstOf(a.first.seen[:a.first.n]) }

// Close frees the connection of an Attempt, if there is one, without a word to the endpoint.
func (a *Attempt) Close() {
	if a.Conn == nil {
		return
	}
	_ = a.Conn.Close()
	a.unwatch()
}

// Release leaves the connection to the caller: the context of Open has no power over it any more.
func (a *Attempt) Release() { a.unwatch() }

// Open opens a socket until the deadline of the Attempt. The end of the context ends every wait on the connection, then
// and until the Attempt is closed. Open does not close the connection that it fails on.
//
// The error is ErrExpectedRefusal, a *Refused, a *frame.Breach, or what resolver, dialer, TLS or the connection said.
func (o *Opener) Open(ctx context.Context, a *Attempt) error {
	a.opener = o
	if err := a.connect(ctx); err != nil {
		return err
	}
	conn := net.Conn(a.Conn)
	if o.proxy != nil {
		var err error
		if conn, err = a.tunnel(); err != nil {
			return err
		}
	}
	a.leave(time.Now())
	if o.tls != nil {
		secured, err := a.secure(conn)
		if err != nil {
			return err
		}
		conn = secured
	}
	return a.upgrade(conn)
}

// upgrade asks for the WebSocket, verifies the answer and puts frames on the connection (RFC 6455 4.1).
func (a *Attempt) upgrade(conn net.Conn) error {
	a.enter(reasons.StageUpgrade, Upgrade)
	key := newKey()
	resp, err := a.ask(conn, key)
	if err != nil {
		return err
	}
	if a.Status = resp.StatusCode; resp.StatusCode != http.StatusSwitchingProtocols {
		return a.notSwitched(resp)
	}
	compression, b := a.opener.verify(resp, key)
	if b != nil {
		return b
	}
	a.leave(a.Conn.ArrivedAt)
	a.Agreement.Subprotocol = resp.Header.Get("Sec-Websocket-Protocol")
	if compression != nil {
		a.Agreement.Extensions = compression.String()
	}
	options := frame.Options{Limit: a.opener.maxMessage, Compression: compression, Chunk: a.Chunk, Stay: a.Stay}
	if a.Trace != nil {
		options.Trace = a.Trace.Frames
	}
	a.Stream = frame.NewStream(conn, a.Conn, options)
	a.Stream.Accept(a.Head)
	return nil
}

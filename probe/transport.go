package probe

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/probe/internal/tcp"
	"github.com/wsprobe/wsprobe/reasons"
)

// refusalWait bounds the wait for what only explains a failure: the body of a refusal, an alert.
const refusalWait = 200 * time.Millisecond

// open performs the opening handshake. The library asks for it, the run itself is the transport.
func (r *run) open(ctx context.Context) error {
	socket, err := dial(ctx, &r.probe.spec, r)
	if r.fault != nil {
		return r.fault // as it is, not as net/http and the library wrap it, URL and all
	}
	if err != nil {
		return &frame.Breach{Type: reasons.NotWebSocket, About: err.Error()}
	}
	r.socket = socket
	socket.inflate = r.wire.Inflater()
	if want := r.probe.spec.ExpectStatus; want != 0 {
		return &frame.Breach{Type: reasons.UnexpectedlyOpen, Code: frame.CloseNormal, About: say.Sentence("the socket opened, where %d was expected", want)}
	}
	return nil
}

// errExpectedRefusal ends the handshake of a run that has got the refusal it is for.
var errExpectedRefusal = errors.New("refused as expected")

// RoundTrip is the one-shot transport of the opening handshake: it connects, writes the request, reads the
// response and hands the connection over as its body. No pool and no goroutine stand between the run and its
// connection, and every phase is seen where it happens.
func (r *run) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.handshake(req.Context(), req.Header.Get("Sec-WebSocket-Key"))
	r.fault = err
	return resp, err
}

func (r *run) handshake(ctx context.Context, key string) (*http.Response, error) {
	if err := r.connect(ctx); err != nil {
		return nil, err
	}
	conn := net.Conn(r.raw)
	if r.probe.proxy != nil {
		var err error
		if conn, err = r.tunnel(); err != nil {
			return nil, err
		}
	}
	r.leave(time.Now())
	if r.probe.target.secure {
		secured, err := r.secure(conn)
		if err != nil {
			return nil, err
		}
		conn = secured
	}
	return r.upgrade(conn, key)
}

// connect looks the host up and opens the TCP connection, to the proxy if there is one.
func (r *run) connect(ctx context.Context) error {
	dialing, cancel := context.WithDeadline(ctx, r.deadline)
	defer cancel()
	spec, to := &r.probe.spec, r.probe.dialed
	if r.probe.proxy != nil {
		to = &r.probe.proxy.target
	}
	addrs := []netip.Addr{to.addr}
	if !to.addr.IsValid() {
		r.enter(reasons.StageDNS, PhaseDNS)
		var err error
		if addrs, err = spec.Resolve(dialing, to.host); err != nil {
			return r.viaProxy(err)
		}
		addrs = slices.DeleteFunc(slices.Clone(addrs), func(a netip.Addr) bool { return !spec.IPVersion.allows(a) })
		if len(addrs) == 0 {
			return r.viaProxy(&net.DNSError{Err: "no address of IP version " + string(spec.IPVersion), Name: to.host})
		}
		r.leave(time.Now())
	}
	r.enter(reasons.StageConnect, PhaseConnect)
	won := dialFirst(dialing, interleave(addrs, to.port), spec.Dial)
	if won.err != nil {
		return r.viaProxy(won.err)
	}
	r.res.Phases[PhaseConnect].Start = won.started.Sub(r.res.Started)
	r.raw = tcp.New(won.conn)
	r.raw.SetEnd(r.deadline)
	r.watch(ctx)
	if peer := won.conn.RemoteAddr(); peer != nil {
		r.res.Peer = peer.String()
	}
	return nil
}

// viaProxy marks a failure to reach the proxy, unless time ran out: it is not the endpoint's.
func (r *run) viaProxy(err error) error {
	if r.probe.proxy != nil && time.Now().Before(r.deadline) {
		return &frame.Breach{Type: reasons.Proxy, About: say.Sentence("proxy: %s", err)}
	}
	return err
}

// watch aborts the connection when the context ends, until release calls unwatch, which leaves nothing behind.
func (r *run) watch(ctx context.Context) {
	raw, done := r.raw, make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		raw.Abort()
		close(done)
	})
	r.unwatch = func() {
		if !stop() {
			<-done
		}
	}
}

// upgrade asks for the WebSocket and verifies the answer (RFC 6455 4.1). The response that it returns has
// just what the library needs to agree.
func (r *run) upgrade(conn net.Conn, key string) (*http.Response, error) {
	r.enter(reasons.StageUpgrade, PhaseUpgrade)
	resp, err := r.ask(conn, key)
	if err != nil {
		return nil, err
	}
	if r.res.HTTPStatus = resp.StatusCode; resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, r.notSwitched(resp)
	}
	compression, b := verifyUpgrade(resp, key, &r.probe.spec)
	if b != nil {
		return nil, b
	}
	r.leave(r.raw.ArrivedAt)
	r.lastAt, r.settled = r.raw.ArrivedAt, r.raw.ArrivedAt
	r.res.Opened, r.res.Handshake = true, r.res.Phases[PhaseUpgrade].End
	r.noteTimestamp()
	r.noteSubprotocol(resp.Header.Get("Sec-Websocket-Protocol"))

	r.wire = frame.NewStream(conn, r.raw, frame.Options{
		Limit: r.probe.spec.MaxReply, Compression: compression, Chunk: r.scratch.chunk[:], Trace: r.watcher.trace(),
	})
	r.wire.Accept(r.scratch.head)
	agreed := http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Accept": resp.Header["Sec-Websocket-Accept"]}
	if compression != nil {
		r.res.Extensions = compression.String()
		agreed.Set("Sec-Websocket-Extensions", frame.PermessageDeflate) // how it is done is up to each side
	}
	return &http.Response{StatusCode: http.StatusSwitchingProtocols, Header: agreed, Body: r.wire}, nil
}

// ask sends the request and reads the head of the response.
func (r *run) ask(conn net.Conn, key string) (*http.Response, error) {
	request := append(r.probe.head[:len(r.probe.head):len(r.probe.head)], key...)
	if r.authorization != "" {
		request = append(request, "\r\nAuthorization: "+r.authorization...)
	}
	if r.probe.traces && !r.res.Trace.IsZero() {
		request = append(request, "\r\n"+traceParent+": "+r.res.Trace.Parent()...)
	}
	request = append(request, "\r\n\r\n"...)
	r.lastAt = time.Now()
	// A failed write is no end yet: the server may have said why it hung up, in a refusal or in an alert of TLS.
	_, sent := conn.Write(request)
	switch {
	case tcp.IsTimeout(sent):
		return nil, sent
	case sent != nil:
		r.hurry()
	}
	r.first.conn = conn
	from := io.Reader(&r.first)
	if !r.watcher.blind() {
		r.watcher.request = request
		from = watchedReader{r.watcher, &r.first}
	}
	resp, err := readHead(from, r.scratch.head, http.MethodGet)
	if head, ok := errors.AsType[*headError](err); ok {
		return nil, &frame.Breach{Type: reasons.MalformedResponse, About: head.problem}
	}
	switch {
	case err != nil && sent != nil && !isAlert(err):
		return nil, sent
	case err == nil && r.raw.ArrivedAt.After(r.deadline):
		return nil, frame.ErrLate{}
	}
	return resp, err
}

// notSwitched is the error of an answer that is not 101.
func (r *run) notSwitched(resp *http.Response) error {
	if resp.StatusCode == r.probe.spec.ExpectStatus {
		r.leave(r.raw.ArrivedAt)
		return errExpectedRefusal
	}
	r.seen.Status = resp.StatusCode
	r.refused(resp)
	return say.Error(say.Sentence("the server answered %s instead of 101%s%s", strings.TrimSpace(resp.Status), redirection(resp), challenge(resp)))
}

// noteSubprotocol keeps the subprotocol that the server picked. It is one that was offered, so only what is named as a secret
// is hidden in it, and what is too long for a name.
func (r *run) noteSubprotocol(picked string) {
	if picked == "" {
		return
	}
	spec := &r.probe.spec
	named := newRedactor(Spec{Secrets: spec.Secrets, Protocols: spec.Protocols, MessageFormat: FormatText})
	r.res.Subprotocol = named.text(picked, MaxProtocolLen)
}

// redirection says where a response points to, without query and fragment, which may hold a token.
func redirection(resp *http.Response) string {
	to, _, _ := strings.Cut(resp.Header.Get("Location"), "#")
	if to == "" {
		return say.Own("")
	}
	return say.Sentence(", and points to %s", RedactURL(to))
}

// hurry leaves the server little time for what it may still have to say.
func (r *run) hurry() {
	wait := time.Now().Add(refusalWait)
	if wait.After(r.deadline) {
		wait = r.deadline
	}
	r.raw.SetEnd(wait)
}

// refused keeps what a refusal says, as far as it comes soon.
func (r *run) refused(resp *http.Response) {
	r.res.HTTPStatus = resp.StatusCode
	r.hurry()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, int64(MaxBodyDetail+r.slack())))
	r.res.Body = r.redact().text(string(body), MaxBodyDetail)
	r.says = saysOf(resp, string(body), r.probe.target.secure)
}

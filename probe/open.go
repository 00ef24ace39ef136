package probe

import (
	"context"
	"errors"
	"net/url"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/opening"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/probe/redact"
	"github.com/wsprobe/wsprobe/reasons"
)

// newOpener prepares the opening of a valid Spec with its defaults.
func newOpener(s Spec) (*opening.Opener, error) {
	way, err := newWay(s)
	if err != nil {
		return nil, err
	}
	opener, err := openerTo(way, s.URL)
	return &opener, err
}

// newWay prepares the opening but for the URL.
func newWay(s Spec) (*opening.Way, error) {
	options := s.Opening.options()
	options.ExpectStatus, options.MaxMessage = s.ExpectStatus, s.MaxReply
	return opening.NewWay(options)
}

// openerTo prepares the opening to a URL.
func openerTo(way *opening.Way, text string) (opening.Opener, error) {
	u, err := url.Parse(text)
	if err != nil {
		return opening.Opener{}, errors.New("parsing URL: not a URL") // Validate has seen it; its text may hold secrets
	}
	return way.To(u)
}

// open opens the socket.
func (r *run) open(ctx context.Context) error {
	*r.attempt = opening.Attempt{
		Started: r.res.Started, Deadline: r.deadline, Authorization: r.authorization, TraceParent: r.res.Trace.Parent(),
		MaxBody: MaxBodyDetail + redact.Slack, Head: r.scratch.head, Chunk: r.scratch.chunk[:], Trace: r.watcher.trace(), Stay: r.stays,
	}
	err := r.opener.Open(ctx, r.attempt)
	r.noteAttempt()
	if refused, ok := errors.AsType[*opening.Refused](err); ok {
		r.seen.Status = refused.Status
	}
	if err != nil {
		return err
	}
	r.noteOpen()
	if r.stays && len(r.probe.turns) == 0 {
		return nil // there is no exchange
	}
	r.socket = &socket{r.wire}
	if want := r.probe.spec.ExpectStatus; want != 0 {
		return &frame.Breach{Type: reasons.UnexpectedlyOpen, Code: frame.CloseNormal, About: say.Sentence("the socket opened, where %d was expected", want)}
	}
	return nil
}

// noteAttempt notes how far the opening came. Its phases follow that of its preparation.
func (r *run) noteAttempt() {
	a := r.attempt
	r.stage, r.phase = a.Stage, PhaseDNS+Phase(a.Phase)
	for phase, span := range a.Spans {
		r.res.Phases[int(PhaseDNS)+phase] = Span{Start: span.Start, End: span.End, State: SpanState(span.State)}
	}
	r.raw, r.wire, r.lastAt = a.Conn, a.Stream, a.AskedAt
	if r.raw != nil {
		if peer := r.raw.RemoteAddr(); peer != nil {
			r.res.Peer = peer.String()
		}
	}
	r.res.TLSVersion, r.res.TLSCipher, r.res.ALPN = a.Secured.Version, a.Secured.Cipher, a.Secured.ALPN
	r.res.CertificateExpiry, r.res.HTTPStatus = a.Secured.Expiry, a.Status
	r.tellRefused(a.Status, a.Authorization)
}

// noteOpen notes the facts of an open socket.
func (r *run) noteOpen() {
	r.res.Opened, r.res.Handshake = true, r.res.Phases[PhaseUpgrade].End-r.res.Phases[PhasePrepare].End
	r.lastAt, r.settled = r.raw.ArrivedAt, r.raw.ArrivedAt
	r.noteTimestamp()
	r.res.Subprotocol = r.shownProtocol(r.attempt.Agreement.Subprotocol)
	r.res.Extensions = r.attempt.Agreement.Extensions
}

// shownProtocol is the subprotocol that the server picked, without secrets. It is one that the probe offered, so it can
// hold only Secrets of the Spec, or be too long for a name.
func (r *run) shownProtocol(picked string) string {
	if picked == "" {
		return ""
	}
	named := newRedactorWithin(context.Background(), Spec{Opening: Opening{Secrets: r.probe.spec.Secrets, Protocols: r.main.spec.Protocols}, MessageFormat: FormatText}, r.fetched...)
	return named.text(picked, MaxProtocolLen)
}

package probe

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/textproto"
	"reflect"
	"strings"
	"syscall"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/tcp"
	"github.com/wsprobe/wsprobe/reasons"
)

// sentLast notes what was sent last on the open socket.
func (r *run) sentLast(what reasons.Sent, at time.Time) { r.last, r.lastAt = what, at }

// clues are what a hint about the run follows from. The end is when it ended.
func (r *run) clues(err error, end time.Time) reasons.Clues {
	spec := &r.probe.spec
	c := reasons.Clues{
		Stage: r.stage, Secure: r.probe.target.secure, Proxied: r.probe.proxy != nil,
		ClientCertificate: r.probe.tls != nil && (len(r.probe.tls.Certificates) > 0 || r.probe.tls.GetClientCertificate != nil),
		Subprotocols:      len(spec.Protocols) > 0, Credentials: r.authorization != "", Compression: spec.Compression == CompressionOn,
		Steps: spec.Exchange != nil, Binary: spec.MessageFormat != FormatText,
		Last: r.last, First: r.first.kind(), Says: r.says, ExpectStatus: spec.ExpectStatus != 0,
		Expected: r.expected(), Near: r.nearKind(),
	}
	if !r.lastAt.IsZero() {
		c.SinceLast = max(end.Sub(r.lastAt), 0)
	}
	for name := range spec.Headers {
		switch textproto.CanonicalMIMEHeaderKey(name) {
		case "Origin":
			c.Origin = true
		case "Authorization", "Cookie":
			c.Credentials = true
		}
	}
	if b, ok := errors.AsType[*frame.Breach](err); ok {
		c.Switch, c.Own = b.Switch, b.Own
	}
	tlsClues(&c, err)
	return c
}

// expected is what the run was waiting for.
func (r *run) expected() reasons.Expected {
	if r.turn >= len(r.probe.turns) || !r.res.Opened || r.stage == reasons.StageStay {
		return reasons.ExpectedNothing
	}
	switch step := &r.probe.turns[r.turn].step; {
	case step.ExpectPattern != "":
		return reasons.ExpectedPattern
	case step.ExpectJSON != nil:
		return reasons.ExpectedJSON
	case step.Expect == nil:
		return reasons.ExpectedNothing
	case *step.Expect == "":
		return reasons.ExpectedAny
	default:
		return reasons.ExpectedText
	}
}

// tlsClues adds what an error of TLS tells.
func tlsClues(c *reasons.Clues, err error) {
	if c.Certificate = certificateClue(err); c.Certificate != reasons.CertificateFine {
		return
	}
	var (
		op     *net.OpError
		record tls.RecordHeaderError
		errno  syscall.Errno
	)
	alerts := errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error")
	switch {
	case alerts && op.Op == "remote error":
		c.AlertBy, c.Alert = reasons.ByServer, alertNumber(op.Err)
	case alerts:
		c.AlertBy, c.Alert = reasons.ByProbe, alertNumber(op.Err)
	case c.Stage != reasons.StageTLS || err == nil || tcp.IsTimeout(err):
	case errors.As(err, &record):
		c.First = firstOf(record.RecordHeader[:])
	case errors.As(err, &errno), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
	case strings.Contains(err.Error(), "protocol version"):
		c.AlertBy, c.Alert = reasons.ByProbe, 70 // crypto/tls has no type for it
	default:
		c.AlertBy = reasons.ByProbe
	}
}

// alertNumber is the number of an alert, which crypto/tls keeps in a type of its own that is a uint8.
func alertNumber(err error) uint8 {
	if v := reflect.ValueOf(err); v.Kind() == reflect.Uint8 {
		return uint8(v.Uint())
	}
	if err != nil && strings.Contains(err.Error(), "no renegotiation") {
		return 100
	}
	return 255 // none that is known
}

// certificateClue says what is wrong with a certificate that was refused.
func certificateClue(err error) reasons.Certificate {
	var (
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		unknown  x509.UnknownAuthorityError
		roots    x509.SystemRootsError
		verify   *tls.CertificateVerificationError
	)
	switch refused := errors.As(err, &verify); {
	case errors.As(err, &hostname):
		return nameClue(hostname)
	case errors.As(err, &invalid):
		return invalidClue(invalid)
	case errors.As(err, &roots):
		return reasons.CertificateNoRoots
	case errors.As(err, &unknown) && refused && len(verify.UnverifiedCertificates) > 0 && selfIssued(verify.UnverifiedCertificates[0]):
		return reasons.CertificateSelfSigned
	case errors.As(err, &unknown):
		return reasons.CertificateUnknown
	case refused:
		return reasons.CertificateOther
	default:
		return reasons.CertificateFine
	}
}

func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, c.RawSubject) }

func invalidClue(invalid x509.CertificateInvalidError) reasons.Certificate {
	switch {
	case invalid.Reason == x509.Expired && invalid.Cert != nil && time.Now().Before(invalid.Cert.NotBefore):
		return reasons.CertificateFuture
	case invalid.Reason == x509.Expired:
		return reasons.CertificateExpired
	case invalid.Reason == x509.IncompatibleUsage:
		return reasons.CertificateUsage
	default:
		return reasons.CertificateOther
	}
}

func nameClue(wrong x509.HostnameError) reasons.Certificate {
	c := wrong.Certificate
	switch named := len(c.DNSNames)+len(c.IPAddresses)+len(c.EmailAddresses)+len(c.URIs) > 0; {
	case !named && c.Subject.CommonName != "":
		return reasons.CertificateNoName
	case net.ParseIP(strings.Trim(wrong.Host, "[]")) != nil && len(c.IPAddresses) == 0:
		return reasons.CertificateNoAddress
	default:
		return reasons.CertificateFine
	}
}

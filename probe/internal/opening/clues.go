package opening

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"syscall"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/tcp"
	"github.com/wsprobe/wsprobe/reasons"
)

// TLSClues adds the clues in an error of TLS. The Stage of the clues must be set.
func TLSClues(c *reasons.Clues, err error) {
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

// alertNumber is the number of an alert. Its type in crypto/tls is not exported, and is a uint8.
func alertNumber(err error) uint8 {
	if v := reflect.ValueOf(err); v.Kind() == reflect.Uint8 {
		return uint8(v.Uint())
	}
	if err != nil && strings.Contains(err.Error(), "no renegotiation") {
		return 100
	}
	return 255 // none that is known
}

// certificateClue names the fault of a certificate that was refused.
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

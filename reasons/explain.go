package reasons

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"syscall"
)

// Stage is how far a run got: the thing it was doing when it ended.
type Stage int

// The stages, in order. Everything before StageSend is before the open.
const (
	StagePrepare Stage = iota // getting what the opening needs: credentials, or the answer to a request
	StageDNS
	StageConnect
	StageTunnel // asking a proxy to connect; people see it as part of connect
	StageTLS
	StageUpgrade
	StageSend
	StagePong
	StageReply
	StageStay // waiting whether the socket stays open
	StageHold // waiting for the next wanted message of a held session
	StageDone // measured what the interpretation asks for
)

// Evidence is what a run saw. Any value of it has an explanation.
type Evidence struct {
	// Stage is what the run was doing when it ended.
	Stage Stage
	// DeadlinePassed is set by the run's own clock, never by the type of an error:
	// a resolver or a proxy can report a timeout long before the deadline.
	DeadlinePassed bool
	// Breach is what the run itself recognised as broken, or empty.
	Breach ErrorType
	// Status is that of an HTTP response that answered the upgrade with something else than 101, or 0.
	Status int
	// CloseReceived says that a close frame arrived.
	CloseReceived bool
	// Unmatched counts the whole data messages that came and were not the reply.
	Unmatched int
	// Starved says that time was up before the message was sent, because the agent came round to it too late.
	Starved bool
	// Ponged says that a Pong answered the Ping that went with the message.
	Ponged bool
	// Err is the error that ended the run, or nil.
	Err error
}

// Explain names the reason of the evidence. It is total: any evidence has exactly one explanation,
// and the error type is empty if and only if the code is [OK].
//
// A definite answer outranks the clock. A refusal that arrived is a refusal, even if the deadline
// passes while its body is read; a message that does not match stays a mismatch, whatever ends the run.
func Explain(e Evidence) (Code, ErrorType) {
	switch {
	case e.Stage >= StageDone:
		return OK, ""
	case e.Stage < StageSend:
		return explainOpen(e)
	case e.Unmatched > 0 && e.Stage < StageStay:
		return ReplyMismatch, ReplyMismatched
	case e.Breach != "":
		return ClosedEarly, e.Breach
	case e.CloseReceived:
		return ClosedEarly, CloseFrame
	case e.DeadlinePassed:
		return ReplyTimeout, replyTimeout(e)
	default:
		return ClosedEarly, lostConnection(e.Err)
	}
}

// explainOpen explains a run that ended before the socket was open.
func explainOpen(e Evidence) (Code, ErrorType) {
	switch {
	case e.Breach != "":
		return OpenFailed, e.Breach
	case e.Status != 0:
		return OpenFailed, HTTPStatus(e.Status)
	case e.DeadlinePassed:
		return HandshakeTimeout, handshakeTimeout(e.Stage)
	case e.Stage == StagePrepare && local(e.Err):
		return OpenFailed, LocalResources
	case e.Stage == StagePrepare:
		return OpenFailed, PrepareFailed
	case e.Stage == StageDNS:
		return OpenFailed, dnsFailure(e.Err)
	case e.Stage == StageTunnel:
		return OpenFailed, Proxy
	case e.Stage == StageTLS:
		return OpenFailed, tlsFailure(e.Err)
	default:
		return OpenFailed, transportFailure(e.Err)
	}
}

func handshakeTimeout(s Stage) ErrorType {
	switch s {
	case StagePrepare:
		return PrepareTimeout
	case StageConnect, StageTunnel:
		return ConnectTimeout
	case StageTLS:
		return TLSTimeout
	case StageUpgrade:
		return UpgradeTimeout
	default:
		return DNSTimeout
	}
}

func replyTimeout(e Evidence) ErrorType {
	switch {
	case e.Starved:
		return LocalResources
	case e.Stage == StageSend:
		return WriteTimeout
	case e.Stage == StagePong:
		return PongTimeout
	case e.Stage == StageStay:
		return StayTimeout
	case e.Stage == StageHold:
		return Stale
	case e.Ponged:
		return ReplyTimedOutPong
	default:
		return ReplyTimedOut
	}
}

func dnsFailure(err error) ErrorType {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return DNSNotFound
	}
	if local(err) {
		return LocalResources
	}
	return DNSFailure
}

// tlsFailure explains an error of the TLS handshake. Certificates come first: they are what a person
// can mend. An end of the stream counts as a failed handshake, a reset as what it is.
func tlsFailure(err error) ErrorType {
	var (
		invalid  x509.CertificateInvalidError
		unknown  x509.UnknownAuthorityError
		roots    x509.SystemRootsError
		hostname x509.HostnameError
		verify   *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return TLSCertificateExpired
	case errors.As(err, &hostname):
		return TLSHostnameMismatch
	case errors.As(err, &invalid), errors.As(err, &unknown), errors.As(err, &roots), errors.As(err, &verify):
		return TLSCertificateUntrust
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return ConnectionReset
	default:
		return TLSHandshake
	}
}

// transportFailure explains an error of connecting, or of waiting for the response to the upgrade.
func transportFailure(err error) ErrorType {
	var op *net.OpError
	switch {
	case errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error"):
		// crypto/tls reports an alert this way, the server's or its own. With TLS 1.3 a server refuses the client's
		// certificate only after the client thinks the handshake done; one with TLS 1.2 may ask for renegotiation.
		return TLSHandshake
	case errors.Is(err, syscall.ECONNREFUSED):
		return ConnectionRefused
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH),
		errors.Is(err, syscall.ENETDOWN), errors.Is(err, syscall.EHOSTDOWN):
		return NetworkUnreachable
	case local(err):
		return LocalResources
	default:
		return lostConnection(err)
	}
}

// lostConnection explains the end of a connection that was established.
func lostConnection(err error) ErrorType {
	switch {
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED):
		return ConnectionReset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return UnexpectedEOF
	default:
		return ConnectionFailed
	}
}

// local reports whether the error is about this machine and not about the endpoint.
func local(err error) bool {
	for _, errno := range []syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.EADDRINUSE,
		syscall.ENOBUFS, syscall.ENOMEM, syscall.EACCES, syscall.EPERM,
	} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

package reasons

import "fmt"

// certificateHint is for a certificate of the endpoint that was refused.
func certificateHint(c Clues) string {
	switch c.Certificate {
	case CertificateFuture:
		return "the certificate is not valid yet: check the clock of the agent's machine, or wait"
	case CertificateExpired:
		return "the certificate has expired: renew it and have the server load it, or check the clock of the agent's machine"
	case CertificateSelfSigned:
		return "the certificate is its own authority: trust it with {tls.ca_file}, or replace it; a proxy that ships with such a one may have answered"
	case CertificateUsage:
		return "the certificate is not meant for servers: issue one with the extended key usage serverAuth"
	case CertificateNoRoots:
		return "this machine has no trusted authorities: install its certificates (ca-certificates), or name a file in {tls.ca_file}"
	case CertificateOther:
		return "the certificate, or one of its chain, breaks a rule that the detail names: issue another"
	case CertificateNoName:
		return "the certificate names its host in the common name only, which no longer counts: issue one with a subject alternative name"
	case CertificateNoAddress:
		return "the certificate names no IP address, and the url has one: use the name that it is for, or set {tls.server_name} to it"
	case CertificateUnknown:
		return "the server must send its intermediate certificates, and the agent must trust the authority ({tls.ca_file})"
	default:
		return "the certificate must name the host of the url, or {tls.server_name}; the wrong virtual host may have answered"
	}
}

// handshakeHint is for a TLS handshake that failed for something else than the certificate.
func handshakeHint(c Clues) string {
	switch {
	case c.AlertBy == ByProbe && c.Alert == alertNoRenegotiation:
		return "the server asks for renegotiation after the request, as IIS does for a client certificate of one path: " +
			"the probe does not take part; let the server ask in the first handshake"
	case c.AlertBy == ByProbe && c.Alert == alertProtocolVersion:
		return "the server speaks only versions of TLS below 1.2: renew its software, or allow an older one with {tls.min_version}"
	case c.AlertBy == ByProbe:
		return "what the server sent in the handshake breaks TLS, as the detail says: look at the server, or at a device between"
	case c.AlertBy == ByServer:
		return alertHint(c)
	}
	switch c.First {
	case FirstNothing:
		return "the connection ended in the TLS handshake: the port may speak no TLS (then ws://), have nothing behind it, " +
			"or refuse the name or the version without saying so"
	case FirstHTTP:
		return "the port speaks HTTP without TLS: use ws://, or the port for wss://"
	case FirstTLS:
		return "the handshake failed as the detail says: look at the server's TLS, or at a device between"
	case FirstText, FirstBinary, FirstFrame, FirstHTTP2:
		return "the port does not speak TLS: check host and port"
	default:
		return fmt.Sprintf("the port speaks %s and not TLS: check host and port", firstNames[c.First])
	}
}

// Numbers of TLS alerts (RFC 8446 6, and the IANA registry).
const (
	alertCloseNotify          = 0
	alertUnexpectedMessage    = 10
	alertHandshakeFailure     = 40
	alertBadCertificate       = 42
	alertAccessDenied         = 49
	alertProtocolVersion      = 70
	alertInsufficientSecurity = 71
	alertInternalError        = 80
	alertNoRenegotiation      = 100
	alertUnrecognizedName     = 112
	alertCertificateRequired  = 116
	alertNoProtocol           = 120
)

// alertHint is for an alert of the server, which speaks TLS then.
func alertHint(c Clues) string {
	switch c.Alert {
	case alertCloseNotify, 90:
		return "the server ended the handshake on purpose: it may be stopping, or not want this client"
	case alertHandshakeFailure:
		return handshakeFailureHint(c)
	case alertProtocolVersion:
		return "the server does not speak a version of TLS that the probe offers, 1.2 and newer unless {tls.min_version} says otherwise: " +
			"lower that for an old server"
	case alertInsufficientSecurity:
		return "the server wants stronger cipher suites than the probe offers, or a newer version of TLS"
	case alertInternalError:
		return "the server failed in the handshake: it may have no certificate for this name ({tls.server_name}); its log says more"
	case alertUnrecognizedName:
		return "the server has no certificate for this name: check the host of the url, or set {tls.server_name}"
	case alertNoProtocol:
		return "the server takes no HTTP/1.1 on this port, HTTP/2 only for instance, and this upgrade needs HTTP/1.1: allow it there"
	case alertNoRenegotiation:
		return "the server refuses a renegotiation that the probe never asks for: look for a device between"
	case 121:
		return "the server insists on Encrypted Client Hello, which the probe does not offer"
	case 86:
		return "the server takes the version offered for a forced downgrade: look for a device between that rewrites the handshake"
	case alertBadCertificate, 41, 43, 44, 45, 46, 48, alertAccessDenied, 111, 113, 114, alertCertificateRequired:
		return clientCertificateHint(c)
	case 51:
		if c.ClientCertificate {
			return "the server could not check a signature of the handshake: does {tls.key_file} belong to {tls.cert_file}? Or look for a device between"
		}
		return "the server could not check the handshake: look for a device between that rewrites it"
	default:
		return "the server takes what the probe sent in the handshake for broken or unsuitable, as the detail says: its TLS software is old, " +
			"or a device between rewrites the handshake"
	}
}

func handshakeFailureHint(c Clues) string {
	switch {
	case c.Stage >= StageUpgrade:
		return "the server refused the connection after the handshake: it may dislike the client certificate, or miss one ({tls.cert_file})"
	case c.ClientCertificate:
		return "the server and the probe have no cipher suite, curve or version in common, or the server rejects the client certificate ({tls.cert_file})"
	default:
		return "the server and the probe have no cipher suite, curve or version in common, or the server wants a client certificate ({tls.cert_file})"
	}
}

// clientCertificateHint is for alerts about the certificate of the client.
func clientCertificateHint(c Clues) string {
	if !c.ClientCertificate {
		return "the server wants a client certificate and got none: set {tls.cert_file} and {tls.key_file}"
	}
	switch c.Alert {
	case 44:
		return "the client certificate in {tls.cert_file} has been revoked: get another"
	case 45:
		return "the server takes the client certificate in {tls.cert_file} for expired or not yet valid: renew it, or check the server's clock"
	case 48:
		return "the server does not trust the authority of the client certificate in {tls.cert_file}, or misses an intermediate one in that file"
	case alertAccessDenied:
		return "the client certificate in {tls.cert_file} is good and has no access: look at the rules of the server"
	case alertCertificateRequired, 41:
		return "the server got no client certificate that it can use: check what {tls.cert_file} holds"
	default:
		return "the server refuses the client certificate in {tls.cert_file}: its authority, its dates, its usage or its kind of key"
	}
}

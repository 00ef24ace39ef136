package reasons

import "strconv"

// ErrorType says what broke, as the error.type attribute of OpenTelemetry does: a closed set of low
// cardinality, independent of the wording of any library. It is empty for a run that succeeded.
type ErrorType string

// What can break before the socket is open.
const (
	CredentialsUnreadable ErrorType = "credentials_unreadable"
	PrepareFailed         ErrorType = "prepare_failed"
	PrepareStatus         ErrorType = "prepare_status"
	PrepareCapture        ErrorType = "prepare_capture"
	DNSNotFound           ErrorType = "dns_not_found"
	DNSFailure            ErrorType = "dns_failure"
	AddressNotPermitted   ErrorType = "address_not_permitted"
	ConnectionRefused     ErrorType = "connection_refused"
	ConnectionReset       ErrorType = "connection_reset" // also after the open
	ConnectionFailed      ErrorType = "connection_failed"
	NetworkUnreachable    ErrorType = "network_unreachable"
	LocalResources        ErrorType = "local_resources"
	Proxy                 ErrorType = "proxy"
	TLSCertificateExpired ErrorType = "tls_certificate_expired"
	TLSCertificateUntrust ErrorType = "tls_certificate_untrusted"
	TLSHostnameMismatch   ErrorType = "tls_hostname_mismatch"
	TLSHandshake          ErrorType = "tls_handshake"
	UnexpectedEOF         ErrorType = "unexpected_eof" // also after the open
	MalformedResponse     ErrorType = "malformed_response"
	HTTPRedirect          ErrorType = "http_redirect"
	NotWebSocket          ErrorType = "not_websocket"
	BadUpgradeHeader      ErrorType = "bad_upgrade_header"
	BadAcceptKey          ErrorType = "bad_accept_key"
	BadSubprotocol        ErrorType = "bad_subprotocol"
	BadExtension          ErrorType = "bad_extension"
	UnexpectedlyOpen      ErrorType = "unexpectedly_open"
)

// Where the time can run out.
const (
	PrepareTimeout ErrorType = "prepare_timeout"
	DNSTimeout     ErrorType = "dns_timeout"
	ConnectTimeout ErrorType = "connect_timeout"
	TLSTimeout     ErrorType = "tls_timeout"
	UpgradeTimeout ErrorType = "upgrade_timeout"
	WriteTimeout   ErrorType = "write_timeout"
	ReplyTimedOut  ErrorType = "reply_timeout"
	PongTimeout    ErrorType = "pong_timeout"
	StayTimeout    ErrorType = "stay_open_timeout"
	// Stale is a held session whose wanted messages stayed away for too long.
	Stale ErrorType = "stale"
	// ReplyTimedOutPong is a reply_timeout of an endpoint that answered a Ping meanwhile.
	ReplyTimedOutPong ErrorType = "reply_timeout_pong_ok"
)

// What can break once the socket is open.
const (
	CloseFrame      ErrorType = "close_frame"
	ProtocolError   ErrorType = "protocol_error"
	MessageTooBig   ErrorType = "message_too_big"
	ReplyMismatched ErrorType = "reply_mismatch"
)

// Kind describes one error type for documentation and for people.
type Kind struct {
	Type  ErrorType
	Codes []Code // the codes it can stand beside
	Means string
}

// Kinds returns every error type except the numbered http_4xx and http_5xx, for which see [HTTPStatus],
// in the order in which a run can meet them.
func Kinds() []Kind {
	open, closed := []Code{OpenFailed}, []Code{ClosedEarly}
	both := []Code{OpenFailed, ClosedEarly}
	handshake, reply := []Code{HandshakeTimeout}, []Code{ReplyTimeout}
	return []Kind{
		{CredentialsUnreadable, open, "the credentials of auth could not be read or fetched: nothing was tried without them"},
		{PrepareFailed, open, "the request of prepare got no answer, or none that is HTTP"},
		{PrepareStatus, open, "the request of prepare was answered with another status than expect_status"},
		{PrepareCapture, open, "the answer to prepare does not have what capture looks for, or that does not fit where it is to go"},
		{DNSNotFound, open, "the resolver says that the name does not exist"},
		{DNSFailure, open, "the resolver failed or gave no usable address"},
		{AddressNotPermitted, open, "no address of the endpoint may be connected to: it was never contacted"},
		{ConnectionRefused, open, "nothing listens on the port"},
		{ConnectionReset, both, "the peer reset the TCP connection"},
		{ConnectionFailed, both, "the TCP connection failed in another way"},
		{NetworkUnreachable, open, "no route to the host"},
		{LocalResources, []Code{OpenFailed, ReplyTimeout},
			"this machine ran out of files, ports, permission or, before the message was sent, time: the agent's trouble, not the endpoint's"},
		{Proxy, open, "the proxy could not be reached or refused to connect"},
		{TLSCertificateExpired, open, "the certificate is expired or not yet valid"},
		{TLSCertificateUntrust, open, "the certificate does not lead to a trusted authority or may not be used for a server"},
		{TLSHostnameMismatch, open, "the certificate is for another name"},
		{TLSHandshake, open, "the TLS handshake failed in another way"},
		{UnexpectedEOF, both, "the peer closed the TCP connection without a word"},
		{MalformedResponse, open, "the answer is not an HTTP/1.1 response, or its head has no end"},
		{HTTPRedirect, open, "the server answered 3xx; redirects are not followed"},
		{NotWebSocket, open, "the server answered with another status that is not 101, 200 for instance"},
		{BadUpgradeHeader, open, "101 without 'Upgrade: websocket' and 'Connection: Upgrade' (RFC 6455 4.1)"},
		{BadAcceptKey, open, "101 with a wrong Sec-WebSocket-Accept (RFC 6455 4.2.2)"},
		{BadSubprotocol, open, "101 with a subprotocol that was not offered"},
		{BadExtension, open, "101 with an extension, or a parameter of one, that was not offered or is not allowed (RFC 7692 7.1)"},
		{UnexpectedlyOpen, open, "the socket opened, where a refusal was expected"},
		{PrepareTimeout, handshake, "the deadline passed while credentials were fetched, or in the request of prepare"},
		{DNSTimeout, handshake, "the deadline passed while the name was looked up"},
		{ConnectTimeout, handshake, "the deadline passed while TCP, or the proxy, was connecting"},
		{TLSTimeout, handshake, "the deadline passed in the TLS handshake"},
		{UpgradeTimeout, handshake, "the deadline passed while waiting for the 101"},
		{WriteTimeout, reply, "the deadline passed while the message was being sent"},
		{ReplyTimedOut, reply, "the deadline passed without a message"},
		{ReplyTimedOutPong, reply, "the deadline passed without a message, but the pong came: the endpoint lives, the application is silent"},
		{PongTimeout, reply, "the deadline passed without the pong"},
		{StayTimeout, reply, "the deadline passed before the socket had stayed open for stay_open_ms"},
		{Stale, reply, "a held session was open, but no wanted message came for max_silence"},
		{CloseFrame, closed, "the server sent a close frame; its code stands in the result"},
		{ProtocolError, closed, "the server broke RFC 6455 or sent text that is not UTF-8"},
		{MessageTooBig, closed, "the server sent a message over the limit"},
		{ReplyMismatched, []Code{ReplyMismatch}, "what came did not match, whatever ended the run"},
	}
}

// HTTPStatus returns the error type of a response that answered the upgrade with this status instead
// of 101: [HTTPRedirect] for 3xx, http_NNN for 400 to 599, [NotWebSocket] for every other number.
func HTTPStatus(status int) ErrorType {
	switch {
	case status >= 300 && status < 400:
		return HTTPRedirect
	case status >= 400 && status < 600:
		return ErrorType("http_" + strconv.Itoa(status))
	default:
		return NotWebSocket
	}
}

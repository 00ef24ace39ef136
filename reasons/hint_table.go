package reasons

// plainHints are advice that depends on nothing but the error type.
var plainHints = map[ErrorType]string{
	CredentialsUnreadable: "the agent needs the file of auth, readable and with one line in it, or a token server that grants; " +
		"the endpoint was never contacted",
	PrepareFailed: "the socket was never tried: look at the server of {prepare.url}, and at the way to it, as the detail says",
	PrepareStatus: "the socket was never tried: look at what {prepare} sends, at its credentials first, or set {prepare.expect_status}; " +
		"redirects are not followed",
	PrepareCapture:      "the socket was never tried: compare {prepare.capture} with what the server answers now",
	PrepareTimeout:      "the socket was never tried: the server of {prepare.url}, or of the token, is slow or silent; or raise {timeout_ms}",
	DNSNotFound:         "check the spelling of the host, and that the agent's resolver knows the zone",
	DNSFailure:          "ask the resolver that the detail names; the endpoint itself was never contacted",
	AddressNotPermitted: "agent.probe_endpoint.targets says which hosts and networks /probe may connect to; the endpoint was never contacted",
	DNSTimeout:          "the resolver does not answer: the endpoint itself was never contacted",
	ConnectionRefused:   "nothing listens on this port, or a firewall refuses for it: is the server running, is the port right?",
	NetworkUnreachable:  "no way leads to the address, or its host is down: check the address, routes and IPv6",
	LocalResources:      "look at the agent's own machine first: CPU, open files, ephemeral ports, local firewall",
	BadUpgradeHeader: "the detail says which field is wrong: a proxy in front drops or rewrites Upgrade and Connection, " +
		"or the server switches to another protocol",
	BadAcceptKey:      "something between answers for the server, a cache or a mock for instance, or the server computes the key wrongly",
	UnexpectedlyOpen:  "an endpoint that should refuse this request takes it: look at its access rules at once",
	WriteTimeout:      "the server does not read: its receive buffers are full",
	PongTimeout:       "the server does not answer Ping frames as RFC 6455 5.5.2 demands; a server that is busy or hangs looks the same",
	ReplyTimedOutPong: "the server's WebSocket layer answers pings: look at the application behind it, and at {send_message}, which it may not know",
	ProtocolError:     "the server, or something in between, breaks RFC 6455 as the detail says; clients will see the same",
	Stale:             "the socket lives and the subscription is silent: look at the feed behind the endpoint, and whether it still knows this subscriber",
	StayTimeout:       "the socket was still open when the time was up: raise {timeout_ms}, or lower {stay_open_ms}",
}

// clueHints are advice that depends on what else was seen.
var clueHints = map[ErrorType]func(Clues) string{
	ConnectionReset:       lostHint,
	UnexpectedEOF:         lostHint,
	ConnectionFailed:      failedHint,
	Proxy:                 proxyHint,
	TLSCertificateExpired: certificateHint,
	TLSCertificateUntrust: certificateHint,
	TLSHostnameMismatch:   certificateHint,
	TLSHandshake:          handshakeHint,
	MalformedResponse:     malformedHint,
	HTTPRedirect:          statusHint,
	NotWebSocket:          statusHint,
	BadSubprotocol:        subprotocolHint,
	BadExtension:          extensionHint,
	ConnectTimeout:        connectHint,
	TLSTimeout:            slowTLSHint,
	UpgradeTimeout:        slowUpgradeHint,
	ReplyTimedOut:         silenceHint,
	CloseFrame:            closeMeaning,
	MessageTooBig:         tooBigHint,
	ReplyMismatched:       mismatchHint,
}

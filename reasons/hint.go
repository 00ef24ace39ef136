package reasons

// Hint is advice for a person who meets this failure: that of the error type where it is known what helps,
// else that of the code. It is empty for [OK]. The numbered HTTP errors that mean something special to a
// WebSocket client have their own.
func Hint(c Code, t ErrorType) string {
	if c == OK {
		return ""
	}
	if hint, ok := hints[t]; ok {
		return hint
	}
	return c.Hint()
}

// hints is advice for what can be told apart further than the code does. It is never changed.
var hints = map[ErrorType]string{
	CredentialsUnreadable: "the agent needs the file of auth, readable and with one line in it; the endpoint was never contacted",
	DNSNotFound:           "check the spelling of the host, and that the agent's resolver knows the zone",
	DNSFailure:            "ask the resolver named in the detail; the endpoint itself was never contacted",
	ConnectionRefused:     "the host answers, but nothing listens on this port: is the server running, is the port right?",
	NetworkUnreachable:    "this machine has no route to the address: check interfaces, routes and IPv6",
	LocalResources:        "look at the agent's own machine first: CPU, open files, ephemeral ports, local firewall",
	Proxy:                 "check proxy_url, or else HTTP_PROXY, HTTPS_PROXY and NO_PROXY, the proxy's credentials and what it allows",
	TLSCertificateExpired: "renew the certificate, or check the clock of the agent's machine",
	TLSCertificateUntrust: "the server must send its intermediate certificates, and the agent must trust its authority",
	TLSHostnameMismatch:   "the certificate must name the host of the URL; the wrong virtual host may have answered",
	TLSHandshake:          "does the port speak TLS at all, and does the server want a client certificate?",
	UnexpectedEOF:         "the connection was closed without a word: look for a crash, or for an idle proxy in between",
	HTTPRedirect:          "put the address that it redirects to into the url: like browsers, the probe does not follow",
	NotWebSocket:          "this path answers plain HTTP: check the path, and that the proxy in front passes Upgrade on",
	BadUpgradeHeader:      "a proxy in front may have dropped the hop-by-hop headers Upgrade and Connection",
	BadAcceptKey:          "something between answers for the server, a cache or a mock for instance",
	UnexpectedlyOpen:      "an endpoint that should refuse this request takes it: look at its access rules at once",
	BadSubprotocol:        "set protocols to what the server speaks",
	"http_400":            "the server dislikes the request: a subprotocol, an Origin or a header may be missing",
	"http_401":            "the credentials are missing or no longer valid: check auth, or the header or cookie that carries them",
	"http_403":            "browsers send an Origin and often a subprotocol: set headers and protocols to match",
	"http_404":            "check the path of the url, and the Host that the gateway routes by",
	"http_426":            "the server wants another protocol version, or a proxy in front dropped the Upgrade header",
	"http_429":            "the endpoint limits connections: probe less often, or have the agent's address exempted",
	"http_502":            "the gateway is up and the server behind it is not",
	"http_503":            "the gateway is up, the server behind it is overloaded or away",
	"http_504":            "the gateway is up, the server behind it does not answer in time",
	DNSTimeout:            "the resolver does not answer: the endpoint itself was never contacted",
	ReplyTimedOutPong:     "the server's WebSocket layer answers pings: look at the application behind it",
	ConnectTimeout:        "nothing answers the TCP connection: a firewall drops packets, or the host is down; the detail tells if it is a proxy that does not get through",
	TLSTimeout:            "TCP connects but TLS does not get on: an overloaded server, or a device that drops large packets",
	UpgradeTimeout:        "the server took the request and did not answer it: look at the gateway's upstream",
	WriteTimeout:          "the server does not read: its receive buffers are full",
	PongTimeout:           "the server does not answer Ping frames, which RFC 6455 5.5.2 demands",
	ProtocolError:         "the server, or something in between, breaks RFC 6455; clients will see the same",
	MessageTooBig:         "the server sends messages over the probe's limit: raise max_message_bytes if they are meant to be that long",
}

package reasons

// statusHint is for an HTTP status that answered the upgrade in place of 101.
func statusHint(c Clues) string {
	hint := refusalHint(c)
	if c.ExpectStatus {
		return "it is another refusal than {expect_status} asks for; " + hint
	}
	return hint
}

// refusalHint is what the words of a refusal say, or else its status.
func refusalHint(c Clues) string {
	if hint, ok := wordHint(c); ok {
		return hint
	}
	switch c.Status {
	case 400:
		return "several servers answer 400 where nothing serves the path, npm's ws for instance: check the path and the query first, then " + wishes(c)
	case 401:
		return credentialsHint(c)
	case 403:
		return forbiddenHint(c)
	case 501:
		if c.Subprotocols {
			return "the server does not do this: no WebSocket on this path, or not with the subprotocols offered ({protocols})"
		}
		return "the server does not do this: no WebSocket on this path, or only with a subprotocol, and none was offered ({protocols})"
	case 495, 496: // nginx' own, which it mostly sends as a 400 with the same words
		c.Says = SaysCertificate
		return refusalHint(c)
	}
	if hint, ok := statusHints[c.Status]; ok {
		return hint
	}
	switch {
	case c.Status >= 300 && c.Status < 400:
		return "the status redirects nowhere that the probe could tell: look at the server or the cache that sends it"
	case c.Status >= 400 && c.Status < 500:
		return "the status is the server's own: its text, its headers and its documentation explain it"
	case c.Status >= 500 && c.Status < 600:
		return "the server, or a gateway in front, failed in its own way: its log and its documentation say how"
	case c.Status >= 600:
		return "HTTP has no such status: find out which program answers there"
	default:
		return "this path answers plain HTTP: check the path, and that the proxy in front passes Upgrade on"
	}
}

// wordHint is for what a refusal said beside its status.
func wordHint(c Clues) (string, bool) {
	switch c.Says {
	case SaysTLS:
		return "the port speaks TLS: use wss://", true
	case SaysToTLS:
		return "it redirects to TLS: use wss:// in the url", true
	case SaysElsewhere:
		return "put the address that it redirects to into the url: like browsers, the probe does not follow. A page to log in means that credentials are missing", true
	case SaysCertificate:
		if c.ClientCertificate {
			return "the server refuses the client certificate in {tls.cert_file}: its authority, its dates or its usage", true
		}
		return "the server wants a client certificate: set {tls.cert_file} and {tls.key_file}", true
	case SaysLongHead:
		return longHead, true
	case SaysOrigin:
		return originHint(c), true
	case SaysSubprotocol:
		if c.Subprotocols {
			return "the server does not take the subprotocols offered: compare {protocols} with its text", true
		}
		return "the server speaks of a subprotocol and none was offered: set {protocols}", true
	case SaysHost:
		return "the server does not accept the Host: check the host of the url, or a Host in {headers}, against the names that it serves", true
	case SaysNoUpgrade:
		return "the server misses the upgrade that the probe asked for: a proxy in front drops the fields Upgrade and Connection", true
	case SaysEngineIO:
		return "the server of Engine.IO or Socket.IO wants EIO=4&transport=websocket in the query of the url, and no sid", true
	}
	return "", false
}

const longHead = "the head of the request is too long for the server: fewer or shorter cookies, tokens and {headers}, or a higher limit there"

// originHint is for a refusal that speaks of the Origin.
func originHint(c Clues) string {
	if c.Origin {
		return "the Origin that {headers} sends is not allowed there: send one that is, or allow it"
	}
	return "the server wants an Origin and none was sent: set one in {headers} as browsers do"
}

// wishes are what else a server can miss in a request.
func wishes(c Clues) string {
	hint := "the Origin, as none was sent ({headers}), "
	if c.Origin {
		hint = "the Origin that is sent ({headers}), "
	}
	if c.Subprotocols {
		return hint + "and the subprotocols offered ({protocols})"
	}
	return hint + "and a subprotocol, as none was offered ({protocols})"
}

func credentialsHint(c Clues) string {
	switch {
	case c.Says == SaysOtherScheme:
		return "the server wants a scheme that {auth} does not have, as the detail says: allow Basic or Bearer there, or send what it takes in {headers}"
	case c.Credentials:
		return "credentials were sent and rejected: they are wrong, no longer valid, or of another kind than the server wants"
	default:
		return "neither Authorization nor Cookie was sent: set {auth}, or the header that carries the credentials; those in a url may have expired"
	}
}

func forbiddenHint(c Clues) string {
	switch {
	case c.Origin && c.Credentials:
		return "the Origin that {headers} sends, or the credentials, are not allowed there; a firewall may refuse the agent's address, too"
	case c.Origin:
		return "the Origin that {headers} sends is not allowed there, or credentials are missing; a firewall may refuse the agent's address, too"
	case c.Credentials:
		return "no Origin was sent, and many servers ask for theirs: set one in {headers}; else the credentials are not enough, " +
			"or a firewall refuses the agent's address"
	default:
		return "no Origin was sent, and many servers ask for theirs: set one in {headers}; else credentials are missing, " +
			"or a firewall refuses the agent's address"
	}
}

// proxyStatusHint is for what a proxy answers to CONNECT.
func proxyStatusHint(c Clues) string {
	switch c.Status {
	case 407:
		return "the proxy wants credentials, or rejects those in {proxy_url}; the probe knows only the scheme Basic"
	case 403, 401:
		return "the proxy does not allow this connection: have the host and the port of the endpoint allowed there"
	case 400, 404, 405, 501:
		return "this does not look like a proxy that connects to others: check {proxy_url}, or else HTTP_PROXY, HTTPS_PROXY and NO_PROXY"
	case 500, 502, 503, 504:
		return "the proxy took the request and does not get through to the endpoint: look at name resolution and firewalls from there"
	default:
		return "the proxy refuses to connect, as its status and text say: look at its rules, or at {proxy_url}"
	}
}

// statusHints are advice that depends on nothing but the status.
var statusHints = map[int]string{
	300: "there are several addresses for this: put the one that is meant into the url",
	301: noPlace, 302: noPlace, 303: noPlace, 307: noPlace, 308: noPlace,
	304: "a cache answers in place of the server: have it pass the upgrade on, and look for conditions in {headers}",
	305: "the server wants to be reached through a proxy: set {proxy_url}",

	402: "the account behind this has to be paid for, or has used its quota up",
	404: "check the path of the url, and the Host that the gateway routes by",
	405: "this path takes no GET, with which every upgrade begins: check the path, and a gateway that allows certain methods only",
	406: "the server has no answer in an acceptable form: check the path, and the Accept fields in {headers}",
	407: "a proxy that nobody configured stands in the way and wants credentials: look at the network, or set {proxy_url}",
	408: "the server did not get the whole request in its time: a device in between may hold it back",
	409: "the server says that this conflicts with something that exists: a session with the same name, for instance",
	410: "the path was removed for good: ask for its successor",
	411: "something in front wants a length, which a GET does not have: it does not know upgrades, or the path is that of something else",
	412: "a condition in {headers} does not hold",
	413: "the request is too long for the server: look at {headers}, cookies and tokens above all",
	414: "the url is too long for the server: send its token in {headers}, or raise the limit there",
	415: "this path wants a body of some type: nothing serves WebSocket there, check the path",
	416: "a Range in {headers} does not suit: drop it",
	417: "an Expect in {headers} does not suit: drop it",
	418: "a firewall for applications answers this way to clients that it blocks: have the agent's address or its User-Agent exempted",
	421: "the server that answers is not meant for this host: the TLS server name, the Host and the address must belong together ({connect_to}, {tls.server_name})",
	422: "the server understands the request and not its values: check the query of the url and {headers}",
	423: "the resource of the url is locked",
	424: "something on which this request depends failed: see the text and the server's log",
	425: "the server does not want to risk a replay: look for a proxy that sends TLS early data",
	426: "a proxy in front drops the field Upgrade, or the server wants another version of WebSocket than 13, or of TLS",
	428: "the server wants a condition in the request, which no upgrade has: check the path",
	429: "the endpoint limits requests: probe less often, or have the agent's address exempted",
	431: longHead,
	444: "nginx was told to drop such requests: look at its rules for the host and the address",
	450: "a filter for content refuses the host",
	451: "law keeps the server from answering in this place",
	460: "the load balancer says that the client went away too early: look at its idle limit",
	463: "the load balancer finds too many addresses in X-Forwarded-For: shorten it in {headers}, or look for a loop of proxies",
	464: "the load balancer speaks another version of HTTP to its targets than an upgrade needs: set its target group to HTTP/1.1",
	494: longHead,
	497: "the port speaks TLS: use wss://",
	498: "a token is missing, wrong or expired: check {auth}, {headers} and the query of the url",
	499: "a proxy says that its client went away before an answer: one further in front has a shorter time limit",

	500: "the server failed: look at its log; a few answer so to an upgrade that their handler does not expect on this path",
	502: "the gateway is up and got no good answer from the server behind it: that one is down, or speaks another protocol",
	503: "the server, or the one behind the gateway, is overloaded, stopping or away",
	504: "the gateway is up, the server behind it does not answer in time",
	505: "something there takes no HTTP/1.1, which every upgrade needs: let it",
	506: "the server is set up in a circle: its log says more",
	507: "the server has no room left to store something",
	508: "the server, or the gateways in front, found a loop",
	509: "the site has used its bandwidth up",
	510: "the server wants an extension of HTTP that it names",
	511: "a network wants a login first, as in hotels: the endpoint was not reached",

	520: cdn + "got an answer from the server behind it that it does not understand: look at that server's log, and at what the CDN lets through",
	521: cdn + "was refused by the server behind it: it is down, or its firewall shuts the CDN out",
	522: cdn + "does not get a TCP connection to the server behind it in time: it is down, overloaded, or its firewall drops the CDN's packets",
	523: cdn + "finds no way to the server behind it: check the address that the CDN has for it",
	524: cdn + "connected to the server behind it and got no answer in time: look at that server",
	525: cdn + "fails in the TLS handshake with the server behind it: look at that server's TLS",
	526: cdn + "does not accept the certificate of the server behind it: renew it",
	527: cdn + "lost its tunnel to the server behind it",
	529: "the site is overloaded",
	530: cdn + "cannot serve this host, mostly for its DNS or the tunnel to the server behind it: the number in its text says which",
	561: "the load balancer got an error from its identity provider",
	598: "a proxy waited in vain for data of the server behind it",
	599: "a proxy could not connect to the server behind it in time",
}

const (
	noPlace = "it redirects and says no place: look at the server that sends it"
	cdn     = "the CDN in front answers and not the server: it "
)

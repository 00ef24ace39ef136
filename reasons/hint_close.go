package reasons

// spoke reports whether a message was sent last, with a Ping or without.
func (c Clues) spoke() bool { return c.Last == SentMessage || c.Last == SentBoth }

// orMessage names the message among other causes, if there was one.
func (c Clues) orMessage() string {
	if c.spoke() {
		return " or the message"
	}
	return ""
}

// closeMeaning is advice on a close frame, by its code and by when it came.
func closeMeaning(c Clues) string {
	switch c.Close {
	case 1003, 1007, 1009:
		if !c.spoke() {
			return "the code is about a message, and the probe sent no message: look at the server, which may use it for something else, or at a proxy between"
		}
	}
	switch c.Close {
	case 1000:
		return normalCloseHint(c)
	case 1001:
		return "the server goes away: it stops or restarts, or gives up a client that it missed an answer from"
	case 1002:
		return "the server takes what the probe sent for a breach of WebSocket: a proxy between may have changed it"
	case 1003:
		return "the server does not take this kind of message: it wants " + otherKind(c)
	case 1005:
		return "the server hung up without a code: a stop, a missed heartbeat, or a login" + c.orMessage() + " that it does not like; its log says which"
	case 1006:
		return "the connection ended without a close frame: an idle limit, a restart, or a server that does not like this client"
	case 1007:
		return "the server cannot read the message that it got: check its text and {message_format}"
	case 1008:
		return "the server refuses by its rules: mostly credentials, sometimes the Origin" + c.orMessage() + " or a rate limit; the close reason may say which"
	case 1009:
		return "the message that was sent is too long for the server: shorten {send_message}, or raise the server's limit"
	case 1010:
		return "the server misses an extension that was not agreed upon: offer {compression}, or drop the demand there"
	case 1011:
		return "the server had an internal error: look at its log; some servers send this code after a missed Pong"
	case 1012:
		return "the server restarts: fine during a deployment, else look for the cause"
	case 1013:
		return "the server is overloaded or has no room for another client: try later, or look at its limits"
	case 1014:
		return "the gateway got no good answer from the server behind it: look there"
	}
	return ownCloseHint(c)
}

func normalCloseHint(c Clues) string {
	switch {
	case c.SinceLast >= idle:
		return "1000 is no fault to the server: it ends connections that are idle, or it stops; a Ping in time would keep an idle one open"
	case c.SinceLast < soon && c.spoke():
		return "the server took the message for the end of the session, or had nothing more to say: is it the message meant here?"
	case c.SinceLast < soon && c.Subprotocols:
		return "the server ends the session by itself at once: does it want a login or another subprotocol, or is it stopping?"
	case c.SinceLast < soon:
		return "the server ends the session by itself at once: does it want a login or a subprotocol, or is it stopping?"
	default:
		return "1000 is no fault to the server: it stops, or ends a session that did not go on as it expects, without a login or a heartbeat"
	}
}

// ownCloseHint is for the codes that applications, libraries and frameworks define.
func ownCloseHint(c Clues) string {
	switch {
	case c.Close == 3000:
		return "the server wants credentials, and got none or bad ones"
	case c.Close == 3003:
		return "the credentials do not allow this: look at their rights"
	case c.Close == 3008:
		return "the server gave up waiting for a message or a login: what does it expect first?"
	case c.Close == 4406:
		return subprotocolCloseHint(c)
	case c.Close >= 4400 && c.Close < 4600 && c.Close != 4406:
		return applicationCloseHint(c)
	case c.Close >= 3000 && c.Close < 4000:
		return "the code is one of the framework in use, whose documentation explains it; the close reason may say more"
	case c.Close >= 4000 && c.Close < 5000 && c.SinceLast < soon:
		return "the code is the application's own, mostly for credentials, a subprotocol" + c.orMessage() + " that it does not like: " +
			"its documentation and the close reason say which"
	case c.Close >= 4000 && c.Close < 5000:
		return "the code is the application's own, for a missed login or heartbeat for instance: its documentation and the close reason say which"
	default:
		return "the code has no standard meaning: look at the server that sends it"
	}
}

// subprotocolCloseHint is for 4406, by which servers of GraphQL refuse a subprotocol.
func subprotocolCloseHint(c Clues) string {
	if c.Subprotocols {
		return "the server does not take the subprotocols offered: set {protocols} to what it speaks, graphql-transport-ws or graphql-ws for instance"
	}
	return "the server wants a subprotocol and none was offered: set {protocols}, to graphql-transport-ws or graphql-ws for instance"
}

// applicationCloseHint is for codes that are an HTTP status behind a 4.
func applicationCloseHint(c Clues) string {
	const as = "many applications use it for HTTP's "
	switch c.Close {
	case 4400:
		if !c.spoke() {
			return as + "400: the server rejects something in the request, its query or its {headers}"
		}
		return as + "400: the message, or a field in it, is not what the server expects"
	case 4401:
		if !c.spoke() {
			return as + "401: credentials are missing or no longer valid"
		}
		return as + "401: credentials are missing or no longer valid, or a message came before the login"
	case 4403:
		return as + "403: the credentials are not enough, or the address or the Origin is not allowed"
	case 4404:
		return as + "404: what the url" + c.orMessage() + " names does not exist"
	case 4408:
		return as + "408: the server waited in vain for a first message, a login for instance"
	case 4409:
		return as + "409: such a session or subscription exists already"
	case 4429:
		return as + "429: too many connections, messages or logins: probe less often, or have the agent exempted"
	case 4500:
		return as + "500: the application had an internal error: look at its log"
	case 4503:
		return as + "503: the application is overloaded or away"
	default:
		return "the code is the application's own; read as the HTTP status behind its 4 it may make sense, and the close reason may say more"
	}
}

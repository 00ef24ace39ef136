package reasons

import (
	"fmt"
	"strings"
	"time"
)

// Hint is advice for a person who meets this failure. It follows from the evidence, and says nothing that the evidence
// excludes. It is empty for a run that was ok, unless its connection was closed by the server.
func Hint(f Failure, w Words) string {
	return w.fill(advice(f), f.Clues.Steps)
}

func advice(f Failure) string {
	c := f.Clues
	if f.Code == ClosedEarly && c.Stage < StageSend { // not known otherwise
		c.Stage = StageReply
	}
	if c.Certificate == CertificateFine {
		c.Certificate = usualCertificate[f.Type]
	}
	switch {
	case f.Code == OK && c.Close != 0:
		return "the run is ok, as what it measures had come by then; {stay_open_ms} makes such an end a failure. " + capital(closeMeaning(c))
	case f.Code == OK:
		return ""
	case c.Status != 0 && f.Type == Proxy:
		return proxyStatusHint(c)
	case c.Status != 0 && c.Status != 101:
		return statusHint(c)
	}
	if hint, ok := plainHints[f.Type]; ok {
		return hint
	}
	if hint, ok := clueHints[f.Type]; ok {
		return hint(c)
	}
	return f.Code.Hint()
}

// usualCertificate is what is wrong with a certificate if no more is known.
var usualCertificate = map[ErrorType]Certificate{TLSCertificateExpired: CertificateExpired, TLSCertificateUntrust: CertificateUnknown}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// stepNames are the names that fields of a probe have in a step.
var stepNames = map[string]string{"expect_message": "expect", "send_message": "send"}

// fill puts the names of fields, as the person knows them, where the braces are.
func (w Words) fill(hint string, steps bool) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(hint, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		inStep := stepNames[name]
		switch {
		case steps && inStep != "":
			name = inStep
		case w[name] != "":
			name = w[name]
		case w != nil:
			name += " (in a file)"
		}
		b.WriteString(name)
		hint = after
	}
}

// soon is how quickly an end follows what caused it, and idle how long one that nothing caused has been silent.
const (
	soon = time.Second
	idle = 5 * time.Second
)

func failedHint(c Clues) string {
	if c.Stage <= StageConnect {
		return "the TCP connection could not be made, as the detail says: the host is down, or something on the way drops packets"
	}
	return "the connection broke on the way, as the detail says: look at the network between"
}

// lostHint is for a connection that ended without a word.
func lostHint(c Clues) string {
	switch {
	case c.Stage <= StageConnect:
		return "a device in front, or the host itself, takes the connection and drops it at once: a firewall, or a port forwarder with nothing behind it"
	case c.Stage < StageUpgrade:
		return "the connection was reset in the TLS handshake: the port may speak no TLS (then ws://), have nothing behind it, " +
			"or something on the way refuses the name"
	case c.Stage == StageUpgrade && c.First != FirstNothing:
		return "the connection ended in the middle of the response's head: look for a crash of the server or the proxy in front"
	case c.Stage == StageUpgrade:
		return unansweredHint(c)
	default:
		return goneHint(c)
	}
}

// unansweredHint is for a request that was answered by the end of the connection.
func unansweredHint(c Clues) string {
	cause := "some servers end the connection for a path or a subprotocol that they do not serve: check the path, and "
	if c.Subprotocols {
		cause += "whether the server knows what {protocols} offers"
	} else {
		cause += "whether the server wants a subprotocol, as none was offered ({protocols})"
	}
	if c.Secure {
		return "TLS opened and the connection then ended: the terminator may have no server behind it; " + cause
	}
	return cause + "; a port that wants TLS does the same (then wss://), and so does a proxy with no server behind it"
}

// goneHint is for an open socket that ended without a close frame.
func goneHint(c Clues) string {
	quick := c.SinceLast < soon
	switch {
	case c.Last == SentPing && quick:
		return "the connection ended right after the Ping was sent: does the server take Ping frames?"
	case c.Last == SentBoth && quick:
		return "the connection ended right after the message and the Ping were sent: does the server understand this message, does it want " +
			otherKind(c) + ", does it take Ping frames?"
	case c.Last == SentMessage && quick:
		return "the connection ended right after the message was sent: the server may not understand it, or want " + otherKind(c)
	case c.Last == SentNothing && quick:
		return "the connection ended right after the open, with nothing sent: a server that drops this client, or a proxy with no server behind it"
	case c.SinceLast >= idle:
		return "nothing had been sent for a while: an idle limit of a proxy or of the server, a restart or a crash"
	default:
		return "a restart, a crash, or a server that gave up waiting: its log, and that of the proxy in front, say which"
	}
}

// otherKind is the kind of messages that the probe does not send.
func otherKind(c Clues) string {
	if c.Binary {
		return "text messages ({message_format})"
	}
	return "binary messages ({message_format})"
}

func proxyHint(c Clues) string {
	if c.Stage <= StageConnect {
		return "the proxy itself could not be reached: check {proxy_url}, or else HTTP_PROXY, HTTPS_PROXY and NO_PROXY"
	}
	return "the proxy was reached and does not connect to the endpoint, as the detail says: check what it allows, its credentials and " +
		"whether it is such a proxy ({proxy_url}, or else HTTP_PROXY and HTTPS_PROXY)"
}

func connectHint(c Clues) string {
	switch {
	case c.Stage == StageTunnel:
		return "the proxy took the connection and does not get through to the endpoint: a firewall behind it, or a host that is down"
	case c.Proxied:
		return "nothing answers at the address of the proxy: a firewall drops packets, or the proxy is down ({proxy_url})"
	default:
		return "nothing answers the TCP connection: a firewall drops packets, or the host is down"
	}
}

func slowTLSHint(Clues) string {
	return "TCP connects and TLS does not get on: the port may speak no TLS and wait for more (then ws://), the server may be overloaded, " +
		"or a device drops large packets"
}

func slowUpgradeHint(c Clues) string {
	if c.First != FirstNothing {
		return "the response began and did not come to the end of its head: look at the server or the proxy in front"
	}
	offered := "or wants a subprotocol, as none was offered ({protocols})"
	if c.Subprotocols {
		offered = "or knows none of the subprotocols in {protocols}"
	}
	return "the request got no answer: nothing there serves this path, " + offered + ", which servers on Node leave unanswered, " +
		"or a gateway waits for its upstream"
}

func silenceHint(c Clues) string {
	switch {
	case c.Near == NearTaken:
		return "an earlier step read a message that this step waits for: merge the two, or narrow what the earlier one expects"
	case c.Last == SentNothing:
		return "the server said nothing of its own accord: does it greet, or wait for a message first?"
	case c.Expected == ExpectedNothing:
		return "the application did not answer in time: look at its workers and queues"
	default:
		return "the gateway is up and the application behind it is silent: look at its workers and queues, " +
			"and whether it answers such a message, or wants " + otherKind(c)
	}
}

func tooBigHint(c Clues) string {
	if c.Own {
		return "a text that an earlier step caught is too long to fill in: narrow the group of its {expect_pattern}"
	}
	return "the server sends messages over the probe's limit: raise {max_message_bytes} if they are meant to be that long"
}

func subprotocolHint(c Clues) string {
	switch {
	case c.Switch == SwitchUnpicked:
		return "the server does not pick what {expect_protocol} asks for: it may not know it, or prefer another one of {protocols}"
	case c.Switch == SwitchTwice:
		return "the server must pick one subprotocol: look for a proxy that adds the header again"
	case !c.Subprotocols:
		return "the server picks a subprotocol although none was offered, and browsers refuse that: offer it with {protocols}, or mend the server"
	default:
		return "the server picks a subprotocol that was not offered, and browsers refuse that: set {protocols} to what it speaks"
	}
}

func extensionHint(c Clues) string {
	switch {
	case c.Switch == SwitchOther:
		return "the server switches on an extension that was not offered, and browsers refuse that: mend the server"
	case c.Compression:
		return "the server's answer to the offer of permessage-deflate breaks RFC 7692: mend the server, or do not offer it ({compression})"
	default:
		return "the server switches on compression that was not offered, and browsers would refuse that: mend the server, or offer it with {compression}"
	}
}

// malformedHint is for what answered and is no HTTP/1.1.
func malformedHint(c Clues) string {
	switch c.First {
	case FirstTLS:
		if c.Secure {
			return "the server speaks TLS inside TLS: the terminator passes the connection on to a port that wants TLS"
		}
		return "the port speaks TLS: use wss://"
	case FirstHTTP2:
		return "the port speaks HTTP/2 only, and this upgrade needs HTTP/1.1: let the server or the proxy in front accept HTTP/1.1"
	case FirstFrame:
		return "frames of WebSocket came without a 101 in front: look for a proxy that drops the response's head"
	case FirstHTTP, FirstNothing:
		return "the response breaks HTTP/1.1, as the detail says: look at the server, or at a proxy that rewrites its head"
	case FirstText, FirstBinary:
		return "the port speaks another protocol than HTTP: check host and port"
	default:
		return fmt.Sprintf("the port speaks %s and not HTTP: check host and port", firstNames[c.First])
	}
}

var firstNames = map[First]string{FirstSSH: "SSH", FirstMail: "SMTP or FTP", FirstPOP3: "POP3", FirstIMAP: "IMAP", FirstRedis: "Redis' protocol",
	FirstVNC: "VNC", FirstMySQL: "MySQL's protocol", FirstAMQP: "AMQP", FirstNATS: "NATS' own protocol"}

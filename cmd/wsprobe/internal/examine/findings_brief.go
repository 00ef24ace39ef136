package examine

import (
	"fmt"
	"strings"

	"github.com/wsprobe/wsprobe/probe/session"
)

// aboutMessages says what the endpoint does with messages.
func (j *judge) aboutMessages() []Finding {
	var all []Finding
	if j.atPing != nil {
		all = append(all, found(AboutMessages, "A Ping ends the connection: %s.", j.atPing.ending()).advise("set no ping_interval"))
	}
	if j.atSend != nil {
		all = append(all, found(AboutMessages, "The message of --send ends the connection: %s.", j.atSend.ending()).
			advise("give a message that the endpoint understands"))
	}
	if j.Longest != nil {
		all = append(all, j.Longest.finding())
	}
	return all
}

// finding says which messages are taken.
func (l *Longest) finding() Finding {
	f := found(AboutMessages, "%s.", capital(l.outcome()))
	switch {
	case l.nothing:
		return f.advise("give a message that the endpoint understands with --send, for the longest one to be found")
	case l.Refused != nil && !l.stalled && l.Way == session.ByClose && l.Code != 1009:
		return f.advise("expect another code than 1009, the one of RFC 6455 for a message that is too long")
	case l.Refused != nil && !l.stalled && l.Way != session.ByClose:
		return f.advise("do not look for 1009: a message that is too long looks like a failure of the network")
	case l.Answered > 0 && l.Answered < l.Taken:
		return f.advise("do not take a Pong for success: the longest message with an answer had %s", size(l.Answered))
	}
	return f
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// aboutClose says how close frames are answered.
func (j *judge) aboutClose() []Finding {
	var all []Finding
	for _, c := range []struct {
		said string
		got  *Farewell
	}{{"Close 1000", j.Close}, {"A close frame without a code", j.CloseEmpty}} {
		if c.got == nil {
			continue
		}
		f := found(AboutClose, "%s: %s.", c.said, c.got.outcome())
		if c.got.Answered == nil && c.got.TCPEnded == nil {
			f = f.advise("bound the wait for an answer in clients: many wait for one before they end the TCP connection")
		}
		all = append(all, f)
	}
	return all
}

// aboutOpening says what matters when the endpoint is opened.
func (j *judge) aboutOpening() []Finding {
	text := "It opens after " + millis(j.Handshake.Duration())
	if j.Reply != nil {
		text += ", and answers the message after " + millis(j.Reply.Duration())
	}
	all := []Finding{found(AboutOpening, "%s.", text)}
	for _, v := range j.Variants {
		f := found(AboutOpening, "%s: %s.", capital(v.Name), v.outcome())
		switch open := v.Opened && v.CloseCode == 0; {
		case v.Name == foreignOrigin && open:
			f = f.advise("check the Origin if cookies authenticate: any page that a browser shows can open the endpoint")
		case v.Name == wrongPath && open:
			f = f.advise("do not take an open socket for a right path")
		case v.Name == unknownProtocol && open && v.Subprotocol != "":
			f = f.advise("do not take a picked subprotocol for one that the server speaks")
		case (v.Name == foreignOrigin || v.Name == noOrigin) && !open:
			f = f.advise("clients that are no browsers must send the right Origin, with --header here")
		case (v.Name == unknownProtocol || v.Name == noProtocol) && !open:
			f = f.advise("clients must offer the right subprotocol, with --protocol here")
		}
		all = append(all, f)
	}
	if len(j.Servers) > 0 {
		all = append(all, found(AboutOpening, "The response names %s.", fmt.Sprintf("%q", strings.Join(j.Servers, ", "))))
	}
	return all
}

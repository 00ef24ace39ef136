package reasons

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// everyClue calls a function with clues about every request, and about what was sent when.
func everyClue(f func(Clues)) {
	everyRequest(func(c Clues) {
		for _, since := range []time.Duration{0, 2 * time.Second, time.Minute} {
			for sent := SentNothing; sent <= SentBoth; sent++ {
				c.SinceLast, c.Last = since, sent
				f(c)
			}
		}
	})
}

// everyRequest calls a function with clues about every request.
func everyRequest(f func(Clues)) {
	for flags := range 1 << 7 {
		c := Clues{Secure: flags&1 != 0, Origin: flags&2 != 0, Subprotocols: flags&4 != 0, Credentials: flags&8 != 0,
			ClientCertificate: flags&16 != 0, Compression: flags&32 != 0, Steps: flags&64 != 0}
		f(c)
	}
}

// sound complains about a hint that no person should read.
func sound(t *testing.T, what string, c Clues, hint string) {
	t.Helper()
	switch {
	case hint == "":
		t.Fatalf("%s: no hint (%+v)", what, c)
	case strings.ContainsAny(hint, "{}\n") || strings.Contains(hint, "  ") || strings.HasSuffix(hint, " "):
		t.Fatalf("%s: %q", what, hint)
	}
}

// excluded are words that a hint must not have, by what rules them out.
var excluded = []struct {
	by    string
	holds func(Failure) bool
	words []string
}{
	{"an Origin was sent", func(f Failure) bool { return f.Clues.Origin }, []string{"no Origin", "none was sent"}},
	{"subprotocols were offered", func(f Failure) bool { return f.Clues.Subprotocols },
		[]string{"no subprotocol", "none was offered"}},
	{"none was offered", func(f Failure) bool { return !f.Clues.Subprotocols }, []string{"subprotocols offered"}},
	{"credentials were sent", func(f Failure) bool { return f.Clues.Credentials && f.Clues.Says == SaysNothing },
		[]string{"credentials are missing,", "neither Authorization"}},
	{"a certificate was shown", func(f Failure) bool { return f.Clues.ClientCertificate },
		[]string{"wants a client certificate"}},
	{"the url is wss://", func(f Failure) bool {
		return f.Clues.Secure && f.Clues.Status != 497 && f.Clues.Says != SaysTLS && f.Clues.Says != SaysToTLS
	}, []string{"use wss://", "then wss://"}},
	{"a server error", func(f Failure) bool { return f.Clues.Status >= 500 && f.Clues.Says == SaysNothing },
		[]string{"Origin"}},
	{"nothing was sent", func(f Failure) bool { return f.Clues.Last == SentNothing },
		[]string{"after the message", "after the Ping"}},
	{"no message was sent", func(f Failure) bool { return f.Clues.Close != 0 && !f.Clues.spoke() },
		[]string{"the message", "message_format", "that was sent", "send_message", "a message came"}},
	{"it took long", func(f Failure) bool { return f.Clues.SinceLast >= idle },
		[]string{"right after", "at once: does"}},
	{"it came soon", func(f Failure) bool { return f.Clues.SinceLast < soon }, []string{"are idle", "for a while"}},
}

func judge(t *testing.T, what string, f Failure) {
	t.Helper()
	hint := Hint(f, nil)
	sound(t, what, f.Clues, hint)
	for _, e := range excluded {
		for _, word := range e.words {
			if e.holds(f) && strings.Contains(hint, word) {
				t.Fatalf("%s, although %s: %q (%+v)", what, e.by, hint, f.Clues)
			}
		}
	}
}

// TestHintIsTotal asks for a hint on every error type in every stage, with every first byte, alert, certificate and
// miss.
func TestHintIsTotal(t *testing.T) {
	for _, k := range Kinds() {
		for _, code := range k.Codes {
			everyClue(func(c Clues) {
				for stage := StageDNS; stage < StageDone; stage++ {
					c.Stage = stage
					judge(t, string(k.Type), Failure{code, k.Type, c})
				}
			})
			for kind := range 256 {
				c := Clues{Stage: StageUpgrade, First: First(kind % firsts),
					Certificate: Certificate(kind % certificateKinds), Switch: Switch(kind % switchKinds),
					Expected: Expected(kind % expectedKinds), Near: Near(kind % nearKinds), AlertBy: By(kind % 3),
					Alert: uint8(kind)}
				judge(t, fmt.Sprint(k.Type, kind), Failure{code, k.Type, c})
			}
		}
	}
}

// TestHintOfEveryStatus asks for a hint on every status that is no 101, with whatever its text says.
func TestHintOfEveryStatus(t *testing.T) {
	for status := 200; status < 1000; status++ {
		everyRequest(func(c Clues) {
			c.Stage, c.Status = StageUpgrade, status
			judge(t, fmt.Sprint(status), Failure{OpenFailed, HTTPStatus(status), c})
			judge(t, fmt.Sprint("proxy ", status), Failure{OpenFailed, Proxy, c})
		})
		for says := range Says(saysKinds) {
			c := Clues{Stage: StageUpgrade, Status: status, Says: says, ExpectStatus: true}
			if hint := Hint(Failure{OpenFailed, HTTPStatus(status), c}, nil); !strings.HasPrefix(hint,
				"it is another refusal than expect_status asks for; ") {
				t.Errorf("%d: %q", status, hint)
			}
		}
	}
}

// TestHintOfEveryCloseCode asks for a hint on every code that a result can have.
func TestHintOfEveryCloseCode(t *testing.T) {
	general := closeMeaning(Clues{Close: 2999})
	for code := 1000; code < 5000; code++ {
		if code > 1014 && code < 3000 {
			continue
		}
		every := everyRequest
		if code <= 1014 || code%100 == 0 { // the others differ by the request alone
			every = everyClue
		}
		every(func(c Clues) {
			c.Stage, c.Close = StageReply, code
			judge(t, fmt.Sprint(code), Failure{ClosedEarly, CloseFrame, c})
			judge(t, fmt.Sprint("ok ", code), Failure{OK, "", c})
		})
		if hint := closeMeaning(Clues{Close: code}); hint == general && code != 1004 {
			t.Errorf("%d has the hint of codes without a meaning", code)
		}
	}
}

// TestHintOfEveryAlert asks for a hint on every TLS alert, from both sides, in and after the handshake.
func TestHintOfEveryAlert(t *testing.T) {
	for alert := range 256 {
		everyRequest(func(c Clues) {
			for _, stage := range []Stage{StageTLS, StageUpgrade} {
				for _, by := range []By{ByServer, ByProbe} {
					c.Secure, c.Stage, c.AlertBy, c.Alert = true, stage, by, uint8(alert)
					f := Failure{OpenFailed, TLSHandshake, c}
					judge(t, fmt.Sprint("alert ", alert), f)
					if hint := Hint(f, nil); by == ByServer && strings.Contains(hint, "no TLS") {
						t.Fatalf("alert %d, which proves TLS: %q", alert, hint)
					}
				}
			}
		})
	}
}

// TestHint names what must be in the hint on evidence that people met.
func TestHint(t *testing.T) {
	upgrade := func(c Clues) Clues { c.Stage = StageUpgrade; return c }
	open := func(c Clues) Clues { c.Stage = StageReply; return c }
	ms := time.Millisecond
	for name, test := range map[string]struct {
		f    Failure
		want string
	}{
		"ws to nginx's TLS": {Failure{OpenFailed, "http_400", upgrade(Clues{Status: 400, Says: SaysTLS})},
			"use wss://"},
		"ws to TLS by an alert": {Failure{OpenFailed, MalformedResponse, upgrade(Clues{First: FirstTLS})},
			"use wss://"},
		"ws to TLS by an end": {Failure{OpenFailed, UnexpectedEOF, upgrade(Clues{})}, "then wss://"},
		"wss to HTTP": {Failure{OpenFailed, TLSHandshake,
			Clues{Stage: StageTLS, Secure: true, First: FirstHTTP}}, "use ws://"},
		"wss to silence": {Failure{HandshakeTimeout, TLSTimeout, Clues{Stage: StageTLS, Secure: true}},
			"no TLS"},
		"unknown subprotocol": {Failure{OpenFailed, UnexpectedEOF,
			upgrade(Clues{Secure: true, Subprotocols: true})}, "protocols"},
		"no answer at all": {Failure{HandshakeTimeout, UpgradeTimeout, upgrade(Clues{})},
			"nothing there serves this path"},
		"ws says 400":            {Failure{OpenFailed, "http_400", upgrade(Clues{Status: 400})}, "check the path"},
		"graphql-ws":             {Failure{ClosedEarly, CloseFrame, open(Clues{Close: 4406})}, "protocols"},
		"graphql-ws after an ok": {Failure{OK, "", Clues{Close: 4406}}, "none was offered"},
		"node --inspect": {Failure{ClosedEarly, UnexpectedEOF, open(Clues{Last: SentPing, SinceLast: ms})},
			"Ping frames"},
		"text to MQTT": {Failure{ClosedEarly, UnexpectedEOF, open(Clues{Last: SentMessage, SinceLast: ms})},
			"binary messages (message_format)"},
		"stunnel": {Failure{OpenFailed, ConnectionReset, upgrade(Clues{Secure: true})},
			"no server behind it"},
		"Origin refused": {Failure{OpenFailed, "http_403", upgrade(Clues{Status: 403, Origin: true})},
			"the Origin that headers sends"},
		"idle cut by 1000": {Failure{ClosedEarly, CloseFrame, open(Clues{Close: 1000, SinceLast: time.Minute})},
			"idle"},
		"text not taken": {Failure{ClosedEarly, CloseFrame, open(Clues{Close: 1003, Last: SentMessage})},
			"message_format"},
		"CDN": {Failure{OpenFailed, "http_522", upgrade(Clues{Status: 522})}, "CDN"},
		"Digest": {Failure{OpenFailed, "http_401", upgrade(Clues{Status: 401, Says: SaysOtherScheme})},
			"scheme"},
		"old TLS": {Failure{OpenFailed, TLSHandshake,
			Clues{Stage: StageTLS, AlertBy: ByServer, Alert: 70}}, "tls.min_version"},
		"h2 only": {Failure{OpenFailed, TLSHandshake,
			Clues{Stage: StageTLS, AlertBy: ByServer, Alert: 120}}, "HTTP/2"},
		"unknown name": {Failure{OpenFailed, TLSHandshake,
			Clues{Stage: StageTLS, AlertBy: ByServer, Alert: 112}}, "tls.server_name"},
		"certificate wanted": {Failure{OpenFailed, TLSHandshake, upgrade(Clues{AlertBy: ByServer, Alert: 116})},
			"tls.cert_file"},
		"renegotiation": {Failure{OpenFailed, TLSHandshake, upgrade(Clues{AlertBy: ByProbe, Alert: 100})},
			"renegotiation"},
		"HTTP/2 answers": {Failure{OpenFailed, MalformedResponse, upgrade(Clues{First: FirstHTTP2})},
			"HTTP/2"},
		"SSH answers":             {Failure{OpenFailed, MalformedResponse, upgrade(Clues{First: FirstSSH})}, "SSH"},
		"compression not offered": {Failure{OpenFailed, BadExtension, upgrade(Clues{})}, "compression"},
	} {
		if got := Hint(test.f, nil); !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q in it", name, got, test.want)
		}
	}
	for _, f := range []Failure{{OpenFailed, "http_500", upgrade(Clues{Status: 500})},
		{OpenFailed, "http_414", upgrade(Clues{Status: 414})},
		{OpenFailed, BadExtension, upgrade(Clues{})}, {OpenFailed, MalformedResponse, upgrade(Clues{First: FirstSSH})},
		{OpenFailed, ConnectionReset, upgrade(Clues{Secure: true})}} {
		if hint := Hint(f, nil); strings.Contains(hint, "Origin") {
			t.Errorf("%s: %q", f.Type, hint)
		}
	}
	if hint := Hint(Failure{}, nil); hint != "" {
		t.Errorf("ok: %q", hint)
	}
}

// TestWords proves that a hint has the names of who reads it: of a file, of a step in it, or of a command line.
func TestWords(t *testing.T) {
	f := Failure{ReplyMismatch, ReplyMismatched, Clues{Stage: StageReply, Expected: ExpectedText, Near: NearBreak}}
	flags := Words{"expect_message": "--expect"}
	for want, got := range map[string]string{
		"expect_message ends": Hint(f, nil),
		"--expect ends":       Hint(f, flags),
		"expect ends": Hint(Failure{f.Code, f.Type,
			Clues{Expected: ExpectedText, Near: NearBreak, Steps: true}}, flags),
		"expect_json (in a file) needs": Hint(Failure{f.Code, f.Type, Clues{Near: NearNoJSON}},
			flags),
	} {
		if !strings.HasPrefix(got, want) {
			t.Errorf("%q, want it to begin with %q", got, want)
		}
	}
}

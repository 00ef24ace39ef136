package reasons

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestCodes pins the strings: they are in alert rules and dashboards of others.
func TestCodes(t *testing.T) {
	want := []Code{"ws_open_failed", "ws_handshake_timeout", "ws_reply_timeout", "ws_closed_early", "ws_reply_mismatch"}
	if got := Codes(); !slices.Equal(got, want) {
		t.Errorf("codes %v, want %v", got, want)
	}
	if got := Names(); !slices.Equal(got, []string{"ok", "ws_open_failed", "ws_handshake_timeout", "ws_reply_timeout", "ws_closed_early", "ws_reply_mismatch"}) {
		t.Errorf("names %v", got)
	}
	if OK != "" || OK.String() != "ok" || OK.Hint() != "" || OK.When() == "" {
		t.Errorf("ok: %q, %q, %q, %q", string(OK), OK, OK.Hint(), OK.When())
	}
	for _, c := range Codes() {
		if c.String() != string(c) || c.Hint() == "" || c.When() == "" || c.When() == Code("x").When() {
			t.Errorf("%s: hint %q, when %q", c, c.Hint(), c.When())
		}
	}
	if unknown := Code("x"); unknown.Hint() != "" || unknown.When() != "unknown code" {
		t.Errorf("a code that is none: %q, %q", unknown.Hint(), unknown.When())
	}
}

func TestKinds(t *testing.T) {
	form := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	seen := make(map[ErrorType]bool)
	for _, k := range Kinds() {
		if !form.MatchString(string(k.Type)) || k.Means == "" || len(k.Codes) == 0 || seen[k.Type] {
			t.Errorf("kind %+v", k)
		}
		seen[k.Type] = true
		for _, c := range k.Codes {
			if !slices.Contains(Codes(), c) {
				t.Errorf("%s beside %q", k.Type, c)
			}
		}
	}
}

func TestHTTPStatus(t *testing.T) {
	for status, want := range map[int]ErrorType{0: "not_websocket", 100: "not_websocket", 101: "not_websocket",
		200: "not_websocket", 204: "not_websocket", 299: "not_websocket",
		300: "http_redirect", 302: "http_redirect", 399: "http_redirect", 400: "http_400", 404: "http_404",
		426: "http_426",
		499: "http_499", 500: "http_500", 599: "http_599", 600: "not_websocket", 999: "not_websocket",
		-1: "not_websocket"} {
		if got := HTTPStatus(status); got != want {
			t.Errorf("%d: %s, want %s", status, got, want)
		}
	}
}

// failures are errors as they come, by what they mean in the stages in which they can.
func failures() map[string]error {
	op := func(errno syscall.Errno) error {
		return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", errno)}
	}
	return map[string]error{
		"none":        nil,
		"odd":         errors.New("odd"),
		"eof":         io.EOF,
		"wrapped eof": fmt.Errorf("reading: %w", io.ErrUnexpectedEOF),
		"refused":     op(syscall.ECONNREFUSED),
		"reset":       op(syscall.ECONNRESET),
		"pipe":        op(syscall.EPIPE),
		"aborted":     op(syscall.ECONNABORTED),
		"no route":    op(syscall.EHOSTUNREACH),
		"no net":      op(syscall.ENETUNREACH),
		"net down":    op(syscall.ENETDOWN),
		"host down":   op(syscall.EHOSTDOWN),
		"no files":    op(syscall.EMFILE), "no ports": op(syscall.EADDRNOTAVAIL), "no permission": op(syscall.EACCES),
		"timeout": os.ErrDeadlineExceeded, "gave up": op(syscall.ETIMEDOUT),
		"no name":       &net.DNSError{Err: "no such host", IsNotFound: true},
		"bad resolver":  &net.DNSError{Err: "server misbehaving", IsTemporary: true},
		"slow resolver": &net.DNSError{Err: "i/o timeout", IsTimeout: true},
		"expired":       x509.CertificateInvalidError{Reason: x509.Expired},
		"usage":         x509.CertificateInvalidError{Reason: x509.IncompatibleUsage},
		"hostname": &tls.CertificateVerificationError{Err: x509.HostnameError{Host: "x",
			Certificate: &x509.Certificate{}}},
		"unknown":      &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}},
		"no roots":     x509.SystemRootsError{},
		"verification": &tls.CertificateVerificationError{Err: errors.New("pinned")},
		"alert":        &net.OpError{Op: "remote error", Err: errors.New("tls: certificate required")},
		"own alert":    &net.OpError{Op: "local error", Err: errors.New("tls: no renegotiation")},
		"not tls":      tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"},
	}
}

// TestExplainIsTotal enumerates the evidence: every combination has an explanation from the closed sets.
func TestExplainIsTotal(t *testing.T) {
	allowed := make(map[Code][]ErrorType)
	for _, k := range Kinds() {
		for _, c := range k.Codes {
			allowed[c] = append(allowed[c], k.Type)
		}
	}
	var breaches = map[bool][]ErrorType{
		true: {"", CredentialsUnreadable, PrepareFailed, PrepareStatus, PrepareCapture, MalformedResponse, NotWebSocket, BadUpgradeHeader, BadAcceptKey,
			BadSubprotocol, BadExtension, UnexpectedlyOpen, Proxy, AddressNotPermitted},
		false: {"", ProtocolError, MessageTooBig},
	}
	cases := 0
	for stage := StagePrepare - 1; stage <= StageDone+1; stage++ {
		for _, breach := range breaches[stage < StageSend] {
			for _, status := range []int{0, 101, 200, 302, 404, 503, 700} {
				for flags := range 16 {
					for unmatched := range 2 {
						for name, err := range failures() {
							e := Evidence{stage, flags&1 != 0, breach, status, flags&2 != 0, unmatched, flags&4 != 0,
								flags&8 != 0, err}
							code, what := Explain(e)
							cases++
							if (code == OK) != (what == "") || (code == OK) != (stage >= StageDone) {
								t.Fatalf("%+v: %v, %q", e, code, what)
							}
							numbered := code == OpenFailed && strings.HasPrefix(string(what), "http_")
							if code != OK && !numbered && !slices.Contains(allowed[code], what) {
								t.Fatalf("%s in %+v: %v, %q", name, e, code, what)
							}
							opened := code == ReplyTimeout || code == ClosedEarly || code == ReplyMismatch
							if code != OK && opened != (stage >= StageSend) {
								t.Fatalf("%+v: %v", e, code)
							}
						}
					}
				}
			}
		}
	}
	if cases < 10000 {
		t.Errorf("only %d cases", cases)
	}
}

// TestExplain names, for every error type, evidence that leads to it.
func TestExplain(t *testing.T) {
	failing := func(s Stage, name string) Evidence {
		err, ok := failures()[name]
		if !ok {
			t.Fatalf("no failure %q", name)
		}
		return Evidence{Stage: s, Err: err}
	}
	late := func(s Stage) Evidence {
		return Evidence{Stage: s, DeadlinePassed: true, Err: os.ErrDeadlineExceeded}
	}
	tests := []struct {
		code Code
		what ErrorType
		seen Evidence
	}{
		{OK, "", Evidence{Stage: StageDone}},
		{OpenFailed, CredentialsUnreadable, Evidence{Stage: StageDNS, Breach: CredentialsUnreadable}},
		{OpenFailed, AddressNotPermitted, Evidence{Stage: StageConnect, Breach: AddressNotPermitted}},
		{OpenFailed, CredentialsUnreadable, Evidence{Stage: StagePrepare, Breach: CredentialsUnreadable}},
		{OpenFailed, PrepareFailed, failing(StagePrepare, "no name")},
		{OpenFailed, PrepareFailed, failing(StagePrepare, "refused")},
		{OpenFailed, PrepareFailed, failing(StagePrepare, "expired")},
		{OpenFailed, LocalResources, failing(StagePrepare, "no files")},
		{OpenFailed, PrepareStatus, Evidence{Stage: StagePrepare, Breach: PrepareStatus, DeadlinePassed: true}},
		{OpenFailed, PrepareCapture, Evidence{Stage: StagePrepare, Breach: PrepareCapture}},
		{HandshakeTimeout, PrepareTimeout, late(StagePrepare)},
		{OpenFailed, DNSNotFound, failing(StageDNS, "no name")},
		{OpenFailed, DNSFailure, failing(StageDNS, "bad resolver")},
		{OpenFailed, DNSFailure, failing(StageDNS, "slow resolver")}, // long before the deadline
		{OpenFailed, DNSFailure, failing(StageDNS, "odd")},
		{OpenFailed, LocalResources, failing(StageDNS, "no files")},
		{OpenFailed, ConnectionRefused, failing(StageConnect, "refused")},
		{OpenFailed, ConnectionReset, failing(StageConnect, "reset")},
		{OpenFailed, NetworkUnreachable, failing(StageConnect, "no route")},
		{OpenFailed, NetworkUnreachable, failing(StageConnect, "no net")},
		{OpenFailed, NetworkUnreachable, failing(StageConnect, "net down")},
		{OpenFailed, NetworkUnreachable, failing(StageConnect, "host down")},
		{OpenFailed, LocalResources, failing(StageConnect, "no files")},
		{OpenFailed, LocalResources, failing(StageConnect, "no ports")},
		{OpenFailed, LocalResources, failing(StageConnect, "no permission")},
		{OpenFailed, ConnectionFailed, failing(StageConnect, "gave up")}, // the kernel's timeout, not the run's
		{OpenFailed, ConnectionFailed, failing(StageConnect, "none")},
		{OpenFailed, Proxy, failing(StageTunnel, "eof")},
		{OpenFailed, Proxy, Evidence{Stage: StageTunnel, Breach: Proxy}},
		{OpenFailed, TLSCertificateExpired, failing(StageTLS, "expired")},
		{OpenFailed, TLSCertificateUntrust, failing(StageTLS, "usage")},
		{OpenFailed, TLSCertificateUntrust, failing(StageTLS, "unknown")},
		{OpenFailed, TLSCertificateUntrust, failing(StageTLS, "no roots")},
		{OpenFailed, TLSCertificateUntrust, failing(StageTLS, "verification")},
		{OpenFailed, TLSHostnameMismatch, failing(StageTLS, "hostname")},
		{OpenFailed, TLSHandshake, failing(StageTLS, "alert")},
		{OpenFailed, TLSHandshake, failing(StageTLS, "not tls")},
		{OpenFailed, TLSHandshake, failing(StageTLS, "eof")},
		{OpenFailed, ConnectionReset, failing(StageTLS, "reset")},
		{OpenFailed, TLSHandshake, failing(StageUpgrade, "alert")}, // TLS 1.3 refuses a client that late
		{OpenFailed, UnexpectedEOF, failing(StageUpgrade, "eof")},
		{OpenFailed, ConnectionReset, failing(StageUpgrade, "pipe")},
		{OpenFailed, MalformedResponse, Evidence{Stage: StageUpgrade, Breach: MalformedResponse}},
		{OpenFailed, NotWebSocket, Evidence{Stage: StageUpgrade, Status: 200}},
		{OpenFailed, HTTPRedirect, Evidence{Stage: StageUpgrade, Status: 302}},
		{OpenFailed, "http_401", Evidence{Stage: StageUpgrade, Status: 401}},
		// The deadline passed while the body of the refusal was read.
		{OpenFailed, "http_503", Evidence{Stage: StageUpgrade, Status: 503, DeadlinePassed: true}},
		{OpenFailed, BadUpgradeHeader, Evidence{Stage: StageUpgrade, Breach: BadUpgradeHeader}},
		{OpenFailed, BadAcceptKey, Evidence{Stage: StageUpgrade, Breach: BadAcceptKey}},
		{OpenFailed, BadSubprotocol, Evidence{Stage: StageUpgrade, Breach: BadSubprotocol}},
		{OpenFailed, BadExtension, Evidence{Stage: StageUpgrade, Breach: BadExtension}},
		{OpenFailed, UnexpectedlyOpen, Evidence{Stage: StageUpgrade, Breach: UnexpectedlyOpen}},
		{HandshakeTimeout, DNSTimeout, late(StageDNS)},
		{HandshakeTimeout, ConnectTimeout, late(StageConnect)},
		{HandshakeTimeout, ConnectTimeout, late(StageTunnel)},
		{HandshakeTimeout, TLSTimeout, late(StageTLS)},
		{HandshakeTimeout, UpgradeTimeout, late(StageUpgrade)},
		{ReplyTimeout, LocalResources, Evidence{Stage: StageReply, Starved: true, DeadlinePassed: true}},
		{ReplyTimeout, WriteTimeout, late(StageSend)},
		{ReplyTimeout, PongTimeout, late(StagePong)},
		{ReplyTimeout, ReplyTimedOut, late(StageReply)},
		{ReplyTimeout, ReplyTimedOutPong, Evidence{Stage: StageReply, Ponged: true, DeadlinePassed: true}},
		{ReplyTimeout, StayTimeout, late(StageStay)},
		{ReplyTimeout, Stale, late(StageHold)},
		{ClosedEarly, CloseFrame, Evidence{Stage: StageHold, CloseReceived: true, Unmatched: 1}},
		{ClosedEarly, CloseFrame, Evidence{Stage: StageStay, CloseReceived: true, Unmatched: 1}},
		{ClosedEarly, UnexpectedEOF, failing(StageStay, "eof")},
		{OpenFailed, TLSHandshake, failing(StageUpgrade, "own alert")},
		{ClosedEarly, CloseFrame, Evidence{Stage: StageReply, CloseReceived: true}},
		{ClosedEarly, CloseFrame, Evidence{Stage: StageReply, CloseReceived: true, DeadlinePassed: true}},
		{ClosedEarly, ProtocolError, Evidence{Stage: StageReply, Breach: ProtocolError}},
		{ClosedEarly, MessageTooBig, Evidence{Stage: StageReply, Breach: MessageTooBig}},
		{ClosedEarly, UnexpectedEOF, failing(StageReply, "wrapped eof")},
		{ClosedEarly, ConnectionReset, failing(StageReply, "reset")},
		{ClosedEarly, ConnectionReset, failing(StagePong, "aborted")},
		{ClosedEarly, ConnectionFailed, failing(StageReply, "gave up")},
		{ReplyMismatch, ReplyMismatched, Evidence{Stage: StageReply, Unmatched: 1, DeadlinePassed: true}},
		{ReplyMismatch, ReplyMismatched, Evidence{Stage: StageReply, Unmatched: 1, CloseReceived: true}},
		{ReplyMismatch, ReplyMismatched, Evidence{Stage: StageReply, Unmatched: 1, Breach: ProtocolError}},
		{ReplyMismatch, ReplyMismatched, Evidence{Stage: StageReply, Unmatched: 1, Err: io.EOF}},
	}
	named := make(map[ErrorType]bool)
	for _, test := range tests {
		named[test.what] = true
		if code, what := Explain(test.seen); code != test.code || what != test.what {
			t.Errorf("%+v: %v, %q; want %v, %q", test.seen, code, what, test.code, test.what)
		}
	}
	for _, k := range Kinds() {
		if !named[k.Type] {
			t.Errorf("no evidence is named for %s", k.Type)
		}
	}
}

package probe_test

import (
	"context"
	"crypto/tls"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

var someTrace = probe.Trace{
	ID:      [16]byte{0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36},
	Run:     [8]byte{1, 2, 3, 4, 5, 6, 7, 8},
	Upgrade: [8]byte{0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7},
}

func sampled(t probe.Trace) probe.Trace { t.Sampled = true; return t }

// TestTraceparent: the server learns of the trace once, unless the probe's own headers speak of another one.
func TestTraceparent(t *testing.T) {
	const plain = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"
	for name, c := range map[string]struct {
		trace   probe.Trace
		headers map[string]string
		want    string // the line of the request, empty for none
	}{
		"none":        {},
		"not_sampled": {trace: someTrace, want: plain + "0"},
		"sampled":     {trace: sampled(someTrace), want: plain + "1"},
		"own_header": {trace: someTrace, headers: map[string]string{"TraceParent": "00-ab-cd-01"},
			want: "TraceParent: 00-ab-cd-01"},
	} {
		t.Run(name, func(t *testing.T) {
			s := wstest.Start(wstest.Reply(pong))
			defer s.Close()
			p, err := probe.New(probe.Spec{Opening: probe.Opening{URL: s.URL, Headers: c.headers,
				Authorize: func(context.Context) (string, error) { return "Bearer token", nil }}})
			if err != nil {
				t.Fatal(err)
			}
			r, err := p.RunWith(t.Context(), probe.RunOptions{Trace: c.trace})
			if err != nil || r.Reason != reasons.OK {
				t.Fatalf("got %v (%s), %v", r.Reason, r.Detail, err)
			}
			if r.Trace != c.trace {
				t.Errorf("the result is in the trace %v, want %v", r.Trace, c.trace)
			}
			s.Wait()
			var got []string
			for line := range strings.SplitSeq(s.Last().Head, "\r\n") {
				if field, _, _ := strings.Cut(line, ":"); strings.EqualFold(field, "traceparent") {
					got = append(got, line)
				}
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("the server read %q, want %q", got, c.want)
			}
		})
	}
}

// TestWhatTLSAgreedUpon: version, cipher and protocol of a handshake that was good, and of no other.
func TestWhatTLSAgreedUpon(t *testing.T) {
	s := wstest.StartTLS(wstest.Reply(pong), &tls.Config{MaxVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}})
	defer s.Close()
	good := runOnce(t, probe.Spec{Opening: probe.Opening{URL: s.URL, TLS: s.ClientTLS()}})
	if good.TLSVersion != tls.VersionTLS12 || !strings.HasSuffix(tls.CipherSuiteName(good.TLSCipher),
		"_WITH_AES_256_GCM_SHA384") || good.ALPN != "http/1.1" {
		t.Errorf("got version %x, cipher %x, protocol %q", good.TLSVersion, good.TLSCipher, good.ALPN)
	}
	bad := runOnce(t, probe.Spec{Opening: probe.Opening{URL: s.URL}})
	if bad.ErrorType != reasons.TLSCertificateUntrust || bad.TLSVersion != 0 || bad.TLSCipher != 0 || bad.ALPN != "" {
		t.Errorf("refused: got %v, version %x, cipher %x, protocol %q", bad.ErrorType, bad.TLSVersion, bad.TLSCipher,
			bad.ALPN)
	}
}

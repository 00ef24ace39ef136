package probe_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

const (
	ping = `{"op":"ping"}`
	pong = `{"op":"pong"}`
	want = `"op":"pong"`
)

// endpoint is one row of a table: what an endpoint does, and what the probe must make of it.
type endpoint struct {
	name   string
	script wstest.Script
	serve  func(wstest.Script) *wstest.Server // default: wstest.Start
	change func(*probe.Spec, *wstest.Server)

	reason reasons.Code
	err    reasons.ErrorType
	// opened is whether the socket opens although the round trip fails; for a handshake probe all is well then.
	opened bool

	timeout   time.Duration // default 2 s
	least     time.Duration // bounds of the round trip
	most      time.Duration
	ends      time.Duration // the whole run, close included; default: timeout + 700 ms
	closeCode int
	closeWhy  string
	status    int
	detail    string
	protocol  string
	busy      bool // the endpoint takes all the CPU it gets: the row runs alone (in a test that is not
	// parallel itself), so that no other one is late
	saw   []int // the close code that the endpoint got; default: 1000 if all is well
	conns int   // default 1; -1 for none
}

// spec is the probe of the table, in one interpretation.
func (e endpoint) spec(s *wstest.Server, i probe.Interpretation) probe.Spec {
	spec := probe.Spec{Opening: probe.Opening{URL: s.URL}, Interpretation: i, Timeout: e.timeout}
	if spec.Timeout == 0 {
		spec.Timeout = 2 * time.Second
	}
	if i == probe.RoundTripLatency {
		spec.Send, spec.Expect = ping, want
	}
	if strings.HasPrefix(s.URL, "wss://") {
		spec.TLS = s.ClientTLS()
	}
	if e.change != nil {
		e.change(&spec, s)
	}
	if i != probe.RoundTripLatency {
		spec.Send, spec.Expect, spec.PingMode = "", "", ""
		spec.ExpectPattern, spec.ExpectJSON, spec.Exchange, spec.MessageFormat = "", nil, nil, ""
	}
	return spec
}

// alone marks a row as busy.
func alone(e endpoint) endpoint {
	e.busy = true
	return e
}

// test runs the row in all interpretations.
func (e endpoint) test(t *testing.T) {
	family := string(e.reason)
	if family == "" {
		family = "ok"
	}
	t.Run(family+"/"+e.name, func(t *testing.T) {
		if !e.busy {
			t.Parallel()
		}
		for _, i := range probe.Interpretations() {
			t.Run(string(i), func(t *testing.T) {
				serve := e.serve
				if serve == nil {
					serve = wstest.Start
				}
				s := serve(e.script)
				defer s.Close()
				e.check(t, s, i)
			})
		}
	})
}

func (e endpoint) check(t *testing.T, s *wstest.Server, i probe.Interpretation) {
	t.Helper()
	spec := e.spec(s, i)
	p, err := probe.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	r, err := p.Run(t.Context())
	took := time.Since(begin)
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	if e.ends == 0 {
		e.ends = spec.Timeout + 700*time.Millisecond
	}
	if took > e.ends*slowdown {
		t.Errorf("took %v, want at most %v", took, e.ends)
	}
	well := e.reason == reasons.OK || e.opened && i != probe.RoundTripLatency
	e.checkOutcome(t, r, well)
	checkValues(t, r, i, well)
	if well && i == probe.RoundTripLatency && (r.RoundTrip < e.least || e.most > 0 && r.RoundTrip > e.most*slowdown) {
		t.Errorf("round trip %v, want %v to %v", r.RoundTrip, e.least, e.most)
	}
	e.checkServer(t, s, i, well)
	if t.Failed() {
		t.Logf("result: %+v", r)
	}
}

func (e endpoint) checkOutcome(t *testing.T, r probe.Result, well bool) {
	t.Helper()
	if well {
		if r.Reason != reasons.OK || r.ErrorType != "" || r.Detail != "" {
			t.Errorf("got %v, %q, %q; want ok", r.Reason, r.ErrorType, r.Detail)
		}
		if r.Subprotocol != e.protocol {
			t.Errorf("subprotocol %q, want %q", r.Subprotocol, e.protocol)
		}
		return
	}
	if r.Reason != e.reason || r.ErrorType != e.err {
		t.Errorf("got %v, %q (%s); want %v, %q", r.Reason, r.ErrorType, r.Detail, e.reason, e.err)
	}
	if r.Opened != e.opened {
		t.Errorf("opened %v, want %v", r.Opened, e.opened)
	}
	if !strings.Contains(r.Detail, e.detail) || r.Detail == "" {
		t.Errorf("detail %q, want %q in it", r.Detail, e.detail)
	}
	if byProbe := e.err == reasons.ProtocolError || e.err == reasons.MessageTooBig; byProbe && !r.CloseByProbe || e.err == reasons.CloseFrame && r.CloseByProbe {
		t.Errorf("close code %d: sent by the probe: %v", r.CloseCode, r.CloseByProbe)
	}
	if e.opened && r.CloseCode != e.closeCode || r.CloseReason != e.closeWhy {
		t.Errorf("close code %d %q, want %d %q", r.CloseCode, r.CloseReason, e.closeCode, e.closeWhy)
	}
	if !e.opened && r.HTTPStatus != e.status {
		t.Errorf("HTTP status %d, want %d", r.HTTPStatus, e.status)
	}
}

// checkValues holds for every result: each value is there if and only if it was measured.
func checkValues(t *testing.T, r probe.Result, i probe.Interpretation, well bool) {
	t.Helper()
	if r.Opened != (r.Handshake > 0) || r.Replied != (r.RoundTrip > 0) || r.Replied && !r.Opened {
		t.Errorf("opened %v in %v, replied %v in %v", r.Opened, r.Handshake, r.Replied, r.RoundTrip)
	}
	value, there := i.Value(r)
	switch i {
	case probe.ConnectionSuccess:
		if !there || (value == 1) != r.Opened {
			t.Errorf("value %v, %v, want %v", value, there, r.Opened)
		}
	case probe.HandshakeLatency:
		if there != r.Opened {
			t.Errorf("value %v, %v, want it %v", value, there, r.Opened)
		}
	default:
		if there != well {
			t.Errorf("value %v, %v, want it %v", value, there, well)
		}
	}
	if well && !there {
		t.Error("a run that was well has no value")
	}
}

func (e endpoint) checkServer(t *testing.T, s *wstest.Server, i probe.Interpretation, well bool) {
	t.Helper()
	wait(t, s)
	if conns := max(e.conns, 0); e.conns >= 0 && s.Connections() != max(conns, 1) || e.conns < 0 && s.Connections() != 0 {
		t.Errorf("%d connections, want %d", s.Connections(), conns)
	}
	saw := e.saw
	if saw == nil && e.reason == reasons.OK || i != probe.RoundTripLatency && well && len(saw) > 0 && saw[0] != 0 {
		saw = append(slices.Clone(saw), 1000)
	}
	if got := s.Last().CloseCode; len(saw) > 0 && !slices.Contains(saw, got) {
		t.Errorf("the endpoint saw close %d, want one of %v", got, saw)
	}
}

// wait waits until the scripts have seen the end of their connections.
func wait(t *testing.T, s *wstest.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	stop := context.AfterFunc(ctx, s.Close) // a script that hangs
	defer stop()
	s.Wait()
	if ctx.Err() != nil {
		t.Error("the endpoint's script did not end")
	}
}

package probe_test

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
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

const (
	// patient is the timeout of a run that the endpoint ends: only a hang outlasts it, however busy the machine is.
	patient = probe.MaxTimeout
	// brief is the timeout of a run that its deadline ends. The endpoint's part must be done by then.
	brief = 2 * time.Second
	// hangs is how much longer than its timeout a run over TCP may take. In a bubble it may take the close budget.
	hangs = 30 * time.Second
)

// transport is how a row reaches its endpoint.
type transport int

const (
	everyTransport transport = iota // over TCP, and in memory in a bubble
	onlyTCP                         // a flood never lets the time of a bubble pass; others need real addresses
	onlyBubble                      // the row depends on fractions of a second
)

// endpoint is a row of a table: an endpoint, and the result that a probe must get of it. The zero value of each field
// but the script is that of an ordinary endpoint that answers.
type endpoint struct {
	name   string
	script wstest.Script
	serve  func(wstest.Script) *wstest.Server // a special server over TCP; without a memory the row has no bubble
	memory func(wstest.Script) *wstest.Server // a special server in memory
	change func(*probe.Spec, *wstest.Server)  // the difference from an ordinary probe
	on     transport
	alone  bool // the endpoint takes all the CPU it gets, so no other row may run (the test must not be parallel)

	timeout     time.Duration // of the probe, if it is not patient
	least, most time.Duration // bounds of the round trip; most is for a bubble
	ends        time.Duration // the latest end of the run in a bubble, if not the deadline and the close budget

	reason   reasons.Code
	err      reasons.ErrorType
	opened   bool   // the socket opens although the round trip fails: a probe of the handshake is ok
	detail   string // a part of it
	status   int    // of a refusal
	protocol string // that was agreed upon

	closeCode int // in the result
	closeWhy  string
	saw       []int // close codes that the endpoint may have got, if not 1000 after a run that was ok
	unreached bool  // no connection gets to the endpoint
}

// spec is the probe of the row, with an interpretation.
func (e endpoint) spec(s *wstest.Server, i probe.Interpretation) probe.Spec {
	spec := probe.Spec{Opening: probe.Opening{URL: s.URL}, Interpretation: i, Timeout: cmp.Or(e.timeout, patient)}
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

// flooding marks a row whose endpoint takes all the CPU it gets.
func flooding(e endpoint) endpoint {
	e.alone, e.on = true, onlyTCP
	return e
}

// test runs the row with every interpretation, on every transport that it is for.
func (e endpoint) test(t *testing.T) {
	family := string(e.reason)
	if family == "" {
		family = "ok"
	}
	run := func(t *testing.T, name string, check func(*testing.T)) {
		t.Run(name, func(t *testing.T) {
			if !e.alone {
				t.Parallel()
			}
			check(t)
		})
	}
	run(t, family+"/"+e.name, func(t *testing.T) {
		for _, i := range probe.Interpretations() {
			if e.on != onlyBubble {
				run(t, string(i), func(t *testing.T) { e.overTCP(t, i) })
			}
			if e.on != onlyTCP && (e.serve == nil || e.memory != nil) {
				run(t, string(i)+"_in_a_bubble", func(t *testing.T) { e.inMemory(t, i) })
			}
		}
		if e.on != onlyTCP && e.serve == nil && e.change == nil {
			run(t, "second_connection", e.onSecondConnection)
		}
	})
}

// overTCP runs the row over the loopback interface, on a machine that may be busy. If the result says that the machine
// was late to serve the run, another error within a short timeout tells nothing of the endpoint: then there is another
// run.
func (e endpoint) overTCP(t *testing.T, i probe.Interpretation) {
	for range 20 {
		if e.tryOverTCP(t, i) {
			return
		}
	}
	t.Error("the machine was too busy for every run")
}

// tryOverTCP reports whether the machine served the run in time.
func (e endpoint) tryOverTCP(t *testing.T, i probe.Interpretation) bool {
	serve := wstest.Start
	if e.serve != nil {
		serve = e.serve
	}
	s := serve(e.script)
	defer s.Close()
	spec := e.spec(s, i)
	r, took := e.run(t, spec)
	if took > spec.Timeout+hangs {
		t.Errorf("took %v", took)
	}
	expected := e.err
	if e.well(i) {
		expected = ""
	}
	if e.timeout > 0 && r.Overloaded() && r.ErrorType != expected {
		return false
	}
	if r.Opened && r.Handshake == 0 {
		t.Error("opened in no time")
	}
	if r.Replied && r.RoundTrip == 0 && spec.Exchange == nil { // what a step waits for may be there before it waits
		t.Error("replied in no time")
	}
	e.check(t, s, i, r)
	return true
}

// inMemory runs the row in a bubble, where times are exact.
func (e endpoint) inMemory(t *testing.T, i probe.Interpretation) {
	synctest.Test(t, func(t *testing.T) {
		serve := wstest.Memory
		if e.memory != nil {
			serve = e.memory
		}
		s := serve(e.script)
		defer s.Close()
		spec := e.spec(s, i)
		if spec.Dial == nil {
			spec.Dial = s.Dial
		}
		r, took := e.run(t, spec)
		if ends := cmp.Or(e.ends, spec.Timeout+budget); took > ends {
			t.Errorf("took %v, want at most %v", took, ends)
		}
		if e.most > 0 && r.RoundTrip > e.most {
			t.Errorf("round trip %v, want at most %v", r.RoundTrip, e.most)
		}
		e.check(t, s, i, r)
	})
}

// run runs a probe once and returns how long that took.
func (e endpoint) run(t *testing.T, spec probe.Spec) (probe.Result, time.Duration) {
	t.Helper()
	p, err := probe.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	r, err := p.Run(t.Context())
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	return r, time.Since(begin)
}

// well reports whether a run of the row is ok with an interpretation.
func (e endpoint) well(i probe.Interpretation) bool {
	return e.reason == reasons.OK || e.opened && i != probe.RoundTripLatency
}

// check compares the result, and the part that the endpoint saw, with the row.
func (e endpoint) check(t *testing.T, s *wstest.Server, i probe.Interpretation, r probe.Result) {
	t.Helper()
	well := e.well(i)
	e.checkOutcome(t, r, well)
	checkValues(t, r, i, well)
	if well && i == probe.RoundTripLatency && r.RoundTrip < e.least {
		t.Errorf("round trip %v, want at least %v", r.RoundTrip, e.least)
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
	if byProbe := e.err == reasons.ProtocolError || e.err == reasons.MessageTooBig; byProbe && !r.CloseByProbe ||
		e.err == reasons.CloseFrame && r.CloseByProbe {
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
	if !r.Opened && (r.Handshake > 0 || r.Replied) || !r.Replied && r.RoundTrip > 0 {
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
	if got := s.Connections(); (got == 0) != e.unreached || got > 1 {
		t.Errorf("%d connections, unreached: %v", got, e.unreached)
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
	ctx, cancel := context.WithTimeout(t.Context(), hangs)
	defer cancel()
	stop := context.AfterFunc(ctx, s.Close) // a script that hangs
	defer stop()
	s.Wait()
	if ctx.Err() != nil {
		t.Error("the endpoint's script did not end")
	}
}

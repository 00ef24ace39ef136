package probe_test

import (
	"testing"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestExpectStatus: an endpoint that must stay shut is right if it refuses as it should, and wrong in every other
// way, an open socket included.
func TestExpectStatus(t *testing.T) {
	for _, test := range []struct {
		name   string
		script wstest.Script
		reason reasons.Code
		err    reasons.ErrorType
		opened bool
		status int
		closed int // the close code that the endpoint got
	}{
		{"refused_as_expected", wstest.Refuse(401, "who are you?"), reasons.OK, "", false, 401, 0},
		{"refused_otherwise", wstest.Refuse(403, "not you"), reasons.OpenFailed, "http_403", false, 403, 0},
		{"redirected", wstest.Redirect("/login"), reasons.OpenFailed, reasons.HTTPRedirect, false, 302, 0},
		{"open", wstest.Echo, reasons.OpenFailed, reasons.UnexpectedlyOpen, true, 101, 1000},
		{"silent", wstest.StallHandshake, reasons.HandshakeTimeout, reasons.UpgradeTimeout, false, 0, 0},
	} {
		for _, i := range []probe.Interpretation{probe.HandshakeLatency, probe.ConnectionSuccess} {
			t.Run(test.name+"/"+string(i), func(t *testing.T) {
				t.Parallel()
				s := wstest.Start(test.script)
				defer s.Close()
				timeout := patient
				if test.reason == reasons.HandshakeTimeout {
					timeout = brief
				}
				r := runOnce(t, probe.Spec{Opening: probe.Opening{URL: s.URL}, Interpretation: i, ExpectStatus: 401,
					Timeout: timeout})
				if r.Reason != test.reason || r.ErrorType != test.err {
					t.Errorf("got %v, %q (%s); want %v, %q", r.Reason, r.ErrorType, r.Detail, test.reason, test.err)
				}
				if r.Opened != test.opened || r.HTTPStatus != test.status || r.CloseCode != 0 {
					t.Errorf("opened %v, status %d, close code %d", r.Opened, r.HTTPStatus, r.CloseCode)
				}
				s.Wait()
				if got := s.Last().CloseCode; got != test.closed {
					t.Errorf("the endpoint saw close code %d, want %d", got, test.closed)
				}
			})
		}
	}
}

func TestExpectStatusValidation(t *testing.T) {
	for _, spec := range []probe.Spec{
		{Opening: probe.Opening{URL: "ws://example.com/"}, ExpectStatus: 101},
		{Opening: probe.Opening{URL: "ws://example.com/"}, ExpectStatus: 600},
		{Opening: probe.Opening{URL: "ws://example.com/"}, ExpectStatus: 401, Interpretation: probe.RoundTripLatency,
			Send: "x"},
	} {
		if faults := spec.Validate(); len(faults) != 1 || faults[0].Field != "ExpectStatus" {
			t.Errorf("%+v: got %v", spec, faults)
		}
	}
}

package probe_test

import (
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestRedirectionIsTold: a redirect is not followed, so the result says where it leads, less what may be secret.
func TestRedirectionIsTold(t *testing.T) {
	s := wstest.Start(wstest.Redirect("wss://other.example/socket?token=hunter2#swordfish"))
	defer s.Close()
	r := runOnce(t, probe.Spec{Opening: probe.Opening{URL: s.URL}})
	if r.ErrorType != reasons.HTTPRedirect ||
		!strings.HasSuffix(r.Detail, "instead of 101, and points to wss://other.example/socket?[redacted]") {
		t.Errorf("got %q, %q", r.ErrorType, r.Detail)
	}
}

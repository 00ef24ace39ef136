package probe_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// fetching is a function that gets a token after a while, until its context ends.
func fetching(after time.Duration, token string, err error) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		select {
		case <-time.After(after):
			return token, err
		case <-ctx.Done():
			return "", fmt.Errorf("asking the token server: %w", ctx.Err())
		}
	}
}

// TestFetchedCredentials: credentials that others give are a phase within the deadline, and in no latency.
func TestFetchedCredentials(t *testing.T) {
	t.Parallel()
	const timeout = time.Second
	for name, test := range map[string]struct {
		fetch  func(context.Context) (string, error)
		broke  reasons.ErrorType
		detail string
		span   probe.Span
	}{
		"fetched":  {fetching(300*ms, "Bearer token", nil), "", "", probe.Span{End: 300 * ms, State: probe.SpanEnded}},
		"at once":  {fetching(0, "Bearer token", nil), "", "", probe.Span{State: probe.SpanEnded}},
		"refused":  {fetching(ms, "", errors.New("401")), reasons.CredentialsUnreadable, "getting credentials: 401", probe.Span{End: ms, State: probe.SpanBroken}},
		"useless":  {fetching(ms, "a\r\nb", nil), reasons.CredentialsUnreadable, "getting credentials: they must not contain line breaks or other control characters", probe.Span{End: ms, State: probe.SpanBroken}},
		"too late": {fetching(time.Hour, "", nil), reasons.PrepareTimeout, "nothing within 1s: waiting for credentials", probe.Span{End: timeout, State: probe.SpanBroken}},
	} {
		t.Run(name, func(t *testing.T) {
			change := func(s *probe.Spec, srv *wstest.Server) {
				s.Timeout, s.Authorize, s.AuthorizeWaits, s.Dial = timeout, test.fetch, true, dialAfter(20*ms, srv.Dial)
			}
			inBubble(t, false, wstest.Reply(pong), change, func(r probe.Result, _ time.Duration) {
				if r.ErrorType != test.broke || r.Detail != test.detail || r.Phases[probe.PhasePrepare] != test.span {
					t.Errorf("got %v (%s), %+v", r.ErrorType, r.Detail, r.Phases[probe.PhasePrepare])
				}
				if opened := test.broke == ""; opened && r.Handshake != 20*ms || opened != r.Opened {
					t.Errorf("opened %v after %v", r.Opened, r.Handshake)
				}
			})
		})
	}
}

// TestRefusedBeforeTheSocket: the owner of the credentials is told when the request of prepare is answered with 401.
func TestRefusedBeforeTheSocket(t *testing.T) {
	t.Parallel()
	var told []string
	change := func(s *probe.Spec, _ *wstest.Server) {
		s.Authorize, s.Prepare = fetching(0, "Bearer token", nil), &probe.Prepare{URL: "/login"}
		s.Unauthorized = func(value string) { told = append(told, value) }
	}
	inBubble(t, false, wstest.Refuse(401, "no"), change, func(r probe.Result, _ time.Duration) {
		if r.ErrorType != reasons.PrepareStatus || len(told) != 1 || told[0] != "Bearer token" {
			t.Errorf("%v (%s), told %q", r.ErrorType, r.Detail, told)
		}
	})
}

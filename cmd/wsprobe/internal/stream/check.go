package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/bare"
)

// Check opens the endpoint once, and closes it with 1000 without an event. The error says why that failed, and what to do
// about it.
func (s *Stream) Check(ctx context.Context) error { return check(ctx, s.probe) }

// Check is [Stream.Check] without a stream.
func Check(ctx context.Context, o probe.Opening, timeout time.Duration) error {
	p, err := probe.New(probe.Spec{Opening: o, Timeout: timeout})
	if err != nil {
		return err
	}
	return check(ctx, p)
}

func check(ctx context.Context, p *probe.Probe) error {
	conn, res, _, err := bare.Open(ctx, p)
	if err != nil {
		return err
	}
	if conn == nil {
		return failure(&res)
	}
	defer conn.Close()
	conn.Until(time.Now().Add(closeBudget))
	closed := conn.SayClose(closeNormal) == nil
	for {
		e, err := conn.Next()
		switch {
		case err != nil && bare.BreachCode(err) != 0:
			return errors.New(conn.Shown(err))
		case err != nil:
			return nil // the server need not answer
		case e.Kind == bare.Closed && e.Code != closeNormal && closed:
			if hint := closeHint(e.Code); refuses(e.Code) {
				return fmt.Errorf("%s; %s", closedBy(e.Code, e.Reason).detail, hint)
			}
			return nil
		case e.Kind == bare.Closed:
			return nil
		}
	}
}

// refuses reports whether a close code means that the client is not welcome.
func refuses(code int) bool { return code == closePolicy || code == closeTryLater || code >= 3000 }

// failure is a result in words.
func failure(res *probe.Result) error {
	said := fmt.Sprintf("%s (%s): %s", res.Reason, res.ErrorType, res.Detail)
	if hint := res.Hint(nil); hint != "" {
		said += "; " + hint
	}
	return errors.New(said)
}

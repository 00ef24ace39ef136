package stream

import (
	"context"
	"fmt"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/bare"
)

// CheckError says why a check failed.
type CheckError struct {
	Reason, ErrorType string // in closed sets; empty if the endpoint ended the connection
	Detail            string // without secrets
	Hint              string // what to do about it; may be empty
}

// Error returns all of it in a line.
func (e *CheckError) Error() string {
	said := e.Detail
	if e.Reason != "" {
		said = fmt.Sprintf("%s (%s): %s", e.Reason, e.ErrorType, e.Detail)
	}
	if e.Hint != "" {
		said += "; " + e.Hint
	}
	return said
}

// Check opens an endpoint once, and closes it with 1000 without an event. The error is a [CheckError] unless the Opening
// is not valid.
func Check(ctx context.Context, o probe.Opening, timeout time.Duration) error {
	p, err := probe.New(probe.Spec{Opening: o, Timeout: timeout})
	if err != nil {
		return err
	}
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
			return &CheckError{Detail: conn.Shown(err)}
		case err != nil:
			return nil // the server need not answer
		case e.Kind == bare.Closed && e.Code != closeNormal && closed:
			if hint := closeHint(e.Code); refuses(e.Code) {
				return &CheckError{Detail: closedBy(e.Code, e.Reason).detail, Hint: hint}
			}
			return nil
		case e.Kind == bare.Closed:
			return nil
		}
	}
}

// refuses reports whether a close code means that the client is not welcome.
func refuses(code int) bool { return code == closePolicy || code == closeTryLater || code >= 3000 }

// failure is a result as the error of a check.
func failure(res *probe.Result) error {
	return &CheckError{Reason: string(res.Reason), ErrorType: string(res.ErrorType), Detail: res.Detail, Hint: res.Hint(nil)}
}

package probe

import (
	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/reasons"
)

// authorize returns the value of the Authorization field for one run, or nothing. A probe without its credentials does
// not connect, because a refusal would say nothing about the endpoint.
func (p *Probe) authorize() (string, error) {
	if p.spec.Authorize == nil {
		return "", nil
	}
	unreadable := func(problem string) error {
		return &frame.Breach{Type: reasons.CredentialsUnreadable, About: "reading credentials: " + problem}
	}
	value, err := p.spec.Authorize()
	if err != nil {
		return "", unreadable(err.Error())
	}
	if problem := headerValueProblem(value); problem != "" {
		return "", unreadable("they " + problem)
	}
	return value, nil
}

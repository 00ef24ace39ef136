package probe

import (
	"context"
	"net/http"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/reasons"
)

// authorize returns the values of the Authorization fields for one run, those of the main connection first: all, or
// none if the main one is alone and has none. A probe without its credentials does not connect, because a refusal would
// say nothing about the endpoint. The error is then that of the first connection without them.
func (p *Probe) authorize(ctx context.Context) ([]string, error) {
	value, err := p.authorization(ctx, p.spec.Authorize, "")
	if err != nil || value == "" && len(p.lines) == 0 {
		return nil, err
	}
	values := []string{value}
	for i := range p.lines {
		own := value
		if differs := p.spec.Connections[p.lines[i].name]; differs.Authorize != nil {
			if own, err = p.authorization(ctx, differs.Authorize, " of connection "+p.lines[i].name); err != nil {
				return values, err
			}
		}
		values = append(values, own)
	}
	return values, nil
}

// authorization returns one value. A nil function has none.
func (p *Probe) authorization(ctx context.Context, authorize func(context.Context) (string, error), of string) (string, error) {
	if authorize == nil {
		return "", nil
	}
	value, err := authorize(ctx)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err == nil {
		if problem := headerValueProblem(value); problem != "" {
			value, err = "", say.Error("they "+problem)
		}
	}
	if err != nil {
		return "", &frame.Breach{Type: reasons.CredentialsUnreadable, About: p.getting() + of + ": " + err.Error()}
	}
	return value, nil
}

// getting says how the credentials come to be.
func (p *Probe) getting() string {
	if p.spec.AuthorizeWaits {
		return "getting credentials"
	}
	return "reading credentials"
}

// authorizationOf is the value of the Authorization field of a connection, or empty.
func (r *run) authorizationOf(on int) string {
	if on < len(r.authorizations) {
		return r.authorizations[on]
	}
	return ""
}

// tellRefused tells the owner of the credentials that the endpoint does not take them.
func (r *run) tellRefused(status int, authorization string) {
	if tell := r.probe.spec.Unauthorized; tell != nil && status == http.StatusUnauthorized && authorization != "" {
		tell(authorization)
	}
}

package probe

import (
	"context"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/opening"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/probe/redact"
	"github.com/wsprobe/wsprobe/reasons"
)

// prepare gets what the opening needs and others have, if it needs something. Most runs have no such phase.
func (r *run) prepare(ctx context.Context) error {
	waits, request := r.probe.spec.AuthorizeWaits, r.probe.preparation
	if !waits && request == nil {
		return nil
	}
	r.enter(reasons.StagePrepare, PhasePrepare)
	if waits {
		if err := r.fetchCredentials(ctx); err != nil {
			return err
		}
	}
	if request != nil {
		if err := r.ask(ctx, request); err != nil {
			return err
		}
	}
	r.leave(time.Now())
	return nil
}

// fetchCredentials gets the values of the Authorization fields of a run.
func (r *run) fetchCredentials(ctx context.Context) (err error) {
	ctx, cancel := context.WithDeadline(ctx, r.deadline)
	defer cancel()
	r.authorizations, err = r.probe.authorize(ctx)
	r.main.authorization = r.authorizationOf(0)
	return err
}

// ask sends the request of a Prepare, and puts what it gets where it belongs.
func (r *run) ask(ctx context.Context, p *preparation) error {
	a := opening.Attempt{Started: r.res.Started, Deadline: r.deadline, Head: r.scratch.head}
	request := p.request(r.main.authorization)
	answer, err := p.opener.Fetch(ctx, &a, request, MaxPrepareBytes)
	r.asking = a.Stage
	if b, own := errors.AsType[*frame.Breach](err); own && b.Type == reasons.MalformedResponse {
		return say.Error(b.About)
	}
	if err != nil {
		return err
	}
	header := http.Response{Header: answer.Header}
	cookies := header.Cookies()
	for _, c := range cookies {
		r.fetched = append(r.fetched, c.Value)
	}
	if answer.Status != p.spec.ExpectStatus {
		r.tellRefused(answer.Status, request.Header.Get("Authorization"))
		r.attempt.RetryAfter = opening.RetryAfter(answer.Header.Get("Retry-After"), time.Now())
		return &frame.Breach{Type: reasons.PrepareStatus, About: say.Sentence("prepare: the server answered %s instead of %d%s",
			strings.TrimSpace(answer.Line), p.spec.ExpectStatus, opening.Redirection(answer.Header))}
	}
	for i := range p.captures {
		text, problem := p.captures[i].find(answer, cookies, r.late)
		if problem != "" {
			return &frame.Breach{Type: reasons.PrepareCapture, About: say.Sentence("prepare: capture %s: %s", say.Own(p.captures[i].name), say.Own(problem))}
		}
		if r.captured == nil {
			r.captured = make(map[string]string, len(p.captures))
		}
		r.captured[p.captures[i].name] = text
		r.fetched = append(r.fetched, text)
	}
	return r.fillOpenings(p, cookies)
}

// late reports whether the time of the run is up.
func (r *run) late() bool { return time.Now().After(r.deadline) }

// find returns the text of the capture in an answer, or what is wrong with it.
func (c *capture) find(answer *opening.Answer, cookies []*http.Cookie, late func() bool) (text, problem string) {
	switch {
	case c.JSON != "":
		text, _ = c.json.Text(answer.Body, late)
	case c.Pattern != "":
		if found := c.pattern.FindSubmatch(answer.Body); found != nil {
			text = string(found[1])
		}
	case c.Header != "":
		text = strings.TrimSpace(answer.Header.Get(c.Header))
	default:
		if i := slices.IndexFunc(cookies, func(cookie *http.Cookie) bool { return cookie.Name == c.Cookie }); i >= 0 {
			text = cookies[i].Value
		}
	}
	switch {
	case text == "":
		return "", "the answer has no such text"
	case len(text) > MaxCaptureBytes:
		return "", "the text in the answer is too long"
	}
	return text, ""
}

// fillOpenings puts captures and cookies into the requests of the run, if any of them has a place for one.
func (r *run) fillOpenings(p *preparation, cookies []*http.Cookie) error {
	if !p.fills && len(cookies) == 0 {
		return nil
	}
	jar, err := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
	if err != nil {
		return err
	}
	jar.SetCookies(p.url, cookies)
	r.lines = slices.Clone(r.lines)
	main, err := r.fillOpening(MainConnection, jar)
	if err != nil {
		return err
	}
	r.main.spec, r.main.opener = main.spec, main.opener
	for i := range r.lines {
		if r.lines[i], err = r.fillOpening(r.lines[i].name, jar); err != nil {
			return err
		}
	}
	return nil
}

// fillOpening returns a connection with captures and cookies in its request.
func (r *run) fillOpening(name string, jar http.CookieJar) (line, error) {
	s := r.probe.whole()
	template := s.openingOf(name)
	filled, problem := template.filled(r.captured, jar)
	if problem != "" {
		return line{}, &frame.Breach{Type: reasons.PrepareCapture,
			About: say.Sentence("prepare: with what was captured, %s on connection %s", say.Own(problem), say.Own(name))}
	}
	for header, value := range filled.Headers {
		if template.Headers[header] != value && !redact.PublicHeader(header) {
			r.fetched = append(r.fetched, value)
		}
	}
	s.Opening = filled
	opener, err := newOpener(s)
	return line{name, &filled, opener}, err
}

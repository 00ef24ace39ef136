package discovery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

// maxRetryAfter bounds the time that a server may ask for.
const maxRetryAfter = 10 * time.Minute

// jsonType are the content types that Prometheus takes.
var jsonType = regexp.MustCompile(`^(?i:application/json(\s*;\s*charset=("utf-8"|utf-8))?)$`)

// httpLooker asks a server. All that it answers is one group, because an answer replaces the one before as a whole.
type httpLooker struct {
	HTTP
	url        *url.URL
	maxTargets int
	maxBody    int64
	client     *http.Client
	about      string // the URL as a label
}

func newHTTPLooker(options HTTP, maxTargets int) (*httpLooker, error) {
	at, err := url.Parse(options.URL)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, errors.New("url must be http:// or https:// with a host")
	}
	if options.Refresh <= 0 || options.Timeout <= 0 {
		return nil, errors.New("http needs a refresh and a timeout")
	}
	l := &httpLooker{HTTP: options, url: at, maxTargets: maxTargets, maxBody: maxJSON}
	l.about = (&url.URL{Scheme: at.Scheme, Host: at.Host, Path: at.Path}).String()
	transport := &http.Transport{
		DialContext:            (&net.Dialer{Timeout: options.Timeout}).DialContext, // a dial outlives its request
		TLSHandshakeTimeout:    options.Timeout,
		TLSClientConfig:        options.TLS.Clone(),
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        2 * time.Minute,
		MaxResponseHeaderBytes: 64 << 10,
	}
	if options.Proxy != nil {
		transport.Proxy = http.ProxyURL(options.Proxy)
	}
	l.client = &http.Client{Transport: transport, CheckRedirect: l.redirect}
	return l, nil
}

func (l *httpLooker) close() { l.client.CloseIdleConnections() }

func (l *httpLooker) look(ctx context.Context) view {
	targets, after, err := l.get(ctx)
	if err != nil {
		return view{refused: true, problem: err.Error(), wait: max(l.Refresh, after), spread: true}
	}
	return view{groups: []group{{targets: targets}}, wait: l.Refresh}
}

// get returns the targets, or when to ask again at the earliest.
func (l *httpLooker) get(ctx context.Context) (targets []Target, after time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	request, err := l.request(ctx)
	if err != nil {
		return nil, 0, err
	}
	response, err := l.client.Do(request)
	if err != nil {
		return nil, 0, l.told(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		if response.StatusCode == http.StatusTooManyRequests || response.StatusCode == http.StatusServiceUnavailable {
			after = retryAfter(response.Header.Get("Retry-After"), time.Now())
		}
		_, _ = io.CopyN(io.Discard, response.Body, 64<<10) // a short body lets the connection be used again
		return nil, after, fmt.Errorf("the server answered %d %s, and not 200", response.StatusCode, http.StatusText(response.StatusCode))
	}
	if got := response.Header.Get("Content-Type"); !jsonType.MatchString(strings.TrimSpace(got)) {
		return nil, 0, fmt.Errorf("the answer is of type %q, and not application/json", excerpt.Of(got))
	}
	body := &io.LimitedReader{R: response.Body, N: l.maxBody + 1}
	targets, err = decodeJSON(body, l.maxTargets, map[string]string{"__meta_url": l.about})
	switch {
	case body.N == 0:
		return nil, 0, fmt.Errorf("the answer has more than %d MiB", l.maxBody>>20)
	case errors.Is(err, errTooMany):
		return nil, 0, errors.New(tooMany(l.maxTargets))
	case ctx.Err() != nil && err != nil:
		return nil, 0, l.told(ctx.Err())
	}
	return targets, 0, err
}

// request makes a request as Prometheus sends it.
func (l *httpLooker) request(ctx context.Context) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	header := request.Header
	header.Set("Accept", "application/json")
	header.Set("X-Prometheus-Refresh-Interval-Seconds", strconv.FormatFloat(l.Refresh.Seconds(), 'f', -1, 64))
	if l.UserAgent != "" {
		header.Set("User-Agent", l.UserAgent)
	}
	for name, value := range l.Headers {
		header.Set(name, value)
		if http.CanonicalHeaderKey(name) == "Host" {
			request.Host = value
		}
	}
	if l.Authorize != nil {
		authorization, err := l.Authorize(ctx)
		if err != nil {
			return nil, fmt.Errorf("no credentials: %w", err)
		}
		header.Set("Authorization", authorization)
	}
	return request, nil
}

// redirect follows ten redirects at most. What the user configured, which may be secret, goes to no other host, and
// not from https to http. net/http itself would hold back the Authorization alone.
func (l *httpLooker) redirect(next *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("more than 10 redirects")
	}
	if next.URL.Hostname() == l.url.Hostname() && (next.URL.Scheme == "https" || l.url.Scheme == "http") {
		return nil
	}
	for name := range l.Headers {
		next.Header.Del(name)
	}
	next.Header.Del("Authorization")
	next.Header.Del("Referer") // has the query of the URL before
	return nil
}

// told is an error of net/http without the URL, because that of net/http has its query.
func (l *httpLooker) told(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no whole answer within %v", l.Timeout)
	}
	var wrapped *url.Error
	for errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if strings.Contains(err.Error(), "Location header") {
		return errors.New("the server redirects to no valid URL")
	}
	return err
}

// retryAfter returns the time that a header asks for, in seconds or as a date.
func retryAfter(header string, now time.Time) time.Duration {
	var after time.Duration
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		after = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		after = at.Sub(now)
	}
	return min(max(after, 0), maxRetryAfter)
}

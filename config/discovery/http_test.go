package discovery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

// listServer answers with a list of targets, or as a test wants.
func listServer(t *testing.T, handle http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return server
}

// answer answers a request with a list.
func answer(w http.ResponseWriter, list string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, list)
}

// askOnce looks once.
func askOnce(t *testing.T, options HTTP) view {
	t.Helper()
	if options.Refresh == 0 {
		options.Refresh = time.Minute
	}
	if options.Timeout == 0 {
		options.Timeout = 30 * time.Second
	}
	looker, err := newHTTPLooker(options, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer looker.close()
	looker.maxBody = 1 << 20
	return looker.look(t.Context())
}

func TestHTTPRequestIsThatOfPrometheus(t *testing.T) {
	var got http.Header
	var asked string
	server := listServer(t, func(w http.ResponseWriter, r *http.Request) {
		got, asked = r.Header, r.Method+" "+r.Host+r.URL.String()
		answer(w, `[{"targets":["a:1"],"labels":{"x":"y"}}]`)
	})
	at, _ := url.Parse(server.URL)
	seen := askOnce(t, HTTP{
		URL: "http://user:secret@" + at.Host + "/list?token=secret", UserAgent: "wsprobe/1", Refresh: 90 * time.Second,
		Headers:   map[string]string{"X-Key": "k", "Host": "list.example"},
		Authorize: func(context.Context) (string, error) { return "Bearer t", nil },
	})
	if asked != "GET list.example/list?token=secret" {
		t.Errorf("asked %s", asked)
	}
	for name, want := range map[string]string{
		"Accept": "application/json", "User-Agent": "wsprobe/1", "X-Prometheus-Refresh-Interval-Seconds": "90",
		"X-Key": "k", "Authorization": "Bearer t", "Accept-Encoding": "gzip",
	} {
		if got.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Get(name), want)
		}
	}
	want := []Target{{Address: "a:1", Host: "a", Labels: map[string]string{"x": "y", "__meta_url": server.URL + "/list"}}}
	if seen.problem != "" || seen.refused || seen.wait != 90*time.Second || !reflect.DeepEqual(seen.groups[0].targets, want) {
		t.Errorf("view %+v", seen)
	}
}

func TestHTTPAnswersThatKeepTheTargets(t *testing.T) {
	typed := func(contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = io.WriteString(w, body)
		}
	}
	status := func(code int, after string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", after)
			w.WriteHeader(code)
		}
	}
	for name, test := range map[string]struct {
		handle http.HandlerFunc
		want   string
		wait   time.Duration
	}{
		"404":                 {status(404, "300"), "the server answered 404 Not Found, and not 200", time.Minute},
		"204":                 {status(204, ""), "the server answered 204 No Content, and not 200", time.Minute},
		"503":                 {status(503, ""), "the server answered 503 Service Unavailable, and not 200", time.Minute},
		"503 and seconds":     {status(503, "300"), "503", 5 * time.Minute},
		"429 and too long":    {status(429, "86400"), "429", 10 * time.Minute},
		"429 and shorter":     {status(429, "5"), "429", time.Minute},
		"429 and nonsense":    {status(429, "-5 soon"), "429", time.Minute},
		"503 and a far date":  {status(503, "Fri, 01 Jan 2100 00:00:00 GMT"), "503", 10 * time.Minute},
		"503 and an old date": {status(503, "Fri, 01 Jan 1999 00:00:00 GMT"), "503", time.Minute},
		"HTML":                {typed("text/html\u202e", "<html>"), `of type "text/html`, time.Minute},
		"another charset":     {typed("application/json; charset=latin1", "[]"), "and not application/json", time.Minute},
		"YAML":                {typed("application/json", "- targets: [a]"), "at byte 0: invalid character", time.Minute},
		"half an answer":      {typed("application/json", `[{"targets":["a"`), "the JSON ends too early", time.Minute},
		"too many":            {typed("application/json", many(11)), "more than max_targets (10) targets: the update is refused as a whole", time.Minute},
		"too large":           {typed("application/json", "["+strings.Repeat(" ", 1<<20)+"]"), "the answer has more than 1 MiB", time.Minute},
		"redirects in a ring": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/?q=secret", http.StatusFound) }, "more than 10 redirects", time.Minute},
		"a redirect to no URL": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://[secret")
			w.WriteHeader(http.StatusFound)
		}, "the server redirects to no valid URL", time.Minute},
		"closed": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF", time.Minute},
	} {
		seen := askOnce(t, HTTP{URL: listServer(t, test.handle).URL + "/?q=secret"})
		if !seen.refused || !strings.Contains(seen.problem, test.want) || seen.wait != test.wait || !seen.spread {
			t.Errorf("%s: %+v, want %q and %v", name, seen, test.want, test.wait)
		}
		if strings.Contains(seen.problem, "secret") || strings.Contains(seen.problem, "\u202e") {
			t.Errorf("%s: problem %q", name, seen.problem)
		}
	}
}

func TestHTTPContentTypes(t *testing.T) {
	for _, good := range []string{"application/json", "Application/JSON; charset=UTF-8", `application/json;charset="utf-8"`, "application/json ; charset=utf-8"} {
		seen := askOnce(t, HTTP{URL: listServer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", good)
			_, _ = io.WriteString(w, oneTwo)
		}).URL})
		if seen.problem != "" || addresses(seen.groups[0].targets) != "1 2" {
			t.Errorf("%s: %+v", good, seen)
		}
	}
}

func TestHTTPTimeoutCoversTheBody(t *testing.T) {
	end := make(chan struct{})
	for name, handle := range map[string]http.HandlerFunc{
		"no answer": func(http.ResponseWriter, *http.Request) { <-end },
		"a slow body": func(w http.ResponseWriter, _ *http.Request) {
			answer(w, `[{"targets":["a"`)
			_ = http.NewResponseController(w).Flush()
			<-end
		},
	} {
		seen := askOnce(t, HTTP{URL: listServer(t, handle).URL, Timeout: 100 * time.Millisecond})
		if !seen.refused || seen.problem != "no whole answer within 100ms" {
			t.Errorf("%s: %+v", name, seen)
		}
	}
	close(end)
}

func TestHTTPWithoutServerOrCredentials(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	if seen := askOnce(t, HTTP{URL: server.URL + "?q=secret"}); !strings.Contains(seen.problem, "refused") || strings.Contains(seen.problem, "secret") {
		t.Errorf("view %+v", seen)
	}
	seen := askOnce(t, HTTP{URL: server.URL, Authorize: func(context.Context) (string, error) { return "", errors.New("no token") }})
	if !seen.refused || seen.problem != "no credentials: no token" {
		t.Errorf("view %+v", seen)
	}
}

func TestHTTPRedirectKeepsSecretsAtHome(t *testing.T) {
	var got http.Header
	target := listServer(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		answer(w, oneTwo)
	})
	for host, kept := range map[string]bool{"127.0.0.1": true, "localhost": false} {
		to := strings.Replace(target.URL, "127.0.0.1", host, 1)
		from := listServer(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusTemporaryRedirect) })
		seen := askOnce(t, HTTP{
			URL: from.URL + "?q=secret", Headers: map[string]string{"x-api-key": "secret"},
			Authorize: func(context.Context) (string, error) { return "Bearer secret", nil },
		})
		if seen.problem != "" || addresses(seen.groups[0].targets) != "1 2" {
			t.Fatalf("%s: %+v", host, seen)
		}
		if has := got.Get("X-Api-Key") != "" && got.Get("Authorization") != ""; has != kept {
			t.Errorf("%s: headers %v", host, got)
		}
		if !kept && strings.Contains(fmt.Sprint(got), "secret") {
			t.Errorf("%s: headers %v", host, got)
		}
	}
}

func TestHTTPThroughTLSAndAProxy(t *testing.T) {
	secured := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, oneTwo) }))
	defer secured.Close()
	if seen := askOnce(t, HTTP{URL: secured.URL}); !strings.Contains(seen.problem, "certificate") {
		t.Errorf("without its authority: %+v", seen)
	}
	roots := secured.Client().Transport.(*http.Transport).TLSClientConfig
	if seen := askOnce(t, HTTP{URL: secured.URL, TLS: roots}); seen.problem != "" {
		t.Errorf("with its authority: %+v", seen)
	}
	asked := ""
	proxy := listServer(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		answer(w, oneTwo)
	})
	through, _ := url.Parse(proxy.URL)
	if seen := askOnce(t, HTTP{URL: "http://list.example/", Proxy: through}); seen.problem != "" || asked != "http://list.example/" {
		t.Errorf("through a proxy: asked %q, %+v", asked, seen)
	}
}

package token

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// issuer is a token server without a network.
type issuer struct {
	mu      sync.Mutex
	asked   []time.Duration // since the first request
	begun   time.Time
	slow    time.Duration
	answer  func(n int) (status int, body string)
	request *http.Request
	form    url.Values
}

func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	i.mu.Lock()
	if i.begun.IsZero() {
		i.begun = time.Now()
	}
	i.asked = append(i.asked, time.Since(i.begun).Round(time.Second))
	n := len(i.asked)
	i.request, i.form = r, form
	i.mu.Unlock()
	if i.slow > 0 {
		select {
		case <-time.After(i.slow):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	status, text := i.answer(n)
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status, " ", http.StatusText(status)), Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

func (i *issuer) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.asked)
}

var grant = Grant{URL: "https://id.example.com/token", ClientID: "probe", Secret: "s3cret/+", Scopes: "read  write", Audience: "chat"}

// granting answers with token 1, token 2 and so on, with what a field expires_in is.
func granting(expires string) func(int) (int, string) {
	return func(n int) (int, string) {
		return 200, fmt.Sprintf(`{"access_token": "token%d", "token_type": "Bearer"%s}`, n, expires)
	}
}

func TestRequest(t *testing.T) {
	i := &issuer{answer: granting("")}
	if value, err := NewCache(i).Get(t.Context(), grant); value != "token1" || err != nil {
		t.Fatal(value, err)
	}
	user, password, _ := i.request.BasicAuth()
	if user != "probe" || password != url.QueryEscape(grant.Secret) || i.form.Encode() != "audience=chat&grant_type=client_credentials&scope=read+write" {
		t.Errorf("%s %s %s", user, password, i.form.Encode())
	}
	body := grant
	body.InBody = true
	if _, err := NewCache(i).Get(t.Context(), body); err != nil || i.request.Header.Get("Authorization") != "" || i.form.Get("client_secret") != grant.Secret {
		t.Errorf("in the body: %v, %v", i.form, err)
	}
}

// TestLife: a token is renewed behind four fifths of its life at the latest, while it is given out, whatever its server
// says of that life.
func TestLife(t *testing.T) {
	for name, c := range map[string]struct {
		expires string
		min     int // requests in an hour, of somebody who asks each second
		max     int
	}{
		"an_hour":      {`, "expires_in": 3600`, 2, 2},
		"as_text":      {`, "expires_in": "3600"`, 2, 2},
		"five_minutes": {`, "expires_in": 300`, 15, 18},
		"not_told":     {``, 15, 18},
		"zero":         {`, "expires_in": 0`, 15, 18},
		"huge":         {`, "expires_in": 99999999999`, 1, 1},
		"short":        {`, "expires_in": 5`, 800, 1300},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := &issuer{answer: granting(c.expires), slow: 100 * time.Millisecond}
				cache := NewCache(i)
				for second := range 3600 {
					began := time.Now()
					value, err := cache.Get(t.Context(), grant)
					if err != nil || value == "" {
						t.Fatalf("second %d: %q, %v", second, value, err)
					}
					if waited := time.Since(began); waited > 0 && second > 0 && name != "short" {
						t.Errorf("second %d: waited %v", second, waited)
					}
					time.Sleep(time.Second)
				}
				if n := i.count(); n < c.min || n > c.max {
					t.Errorf("%d requests, want %d to %d", n, c.min, c.max)
				}
			})
		})
	}
}

// TestSlowAnswer: no token is given out behind its end, however long its server took to answer with it.
func TestSlowAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{answer: granting(`, "expires_in": 20`), slow: 12 * time.Second}
		cache := NewCache(i)
		if value, err := cache.Get(t.Context(), grant); value != "token1" || err != nil {
			t.Fatal(value, err)
		}
		time.Sleep(8 * time.Second) // it is 20 s old if the server made it at once
		if value, err := cache.Get(t.Context(), grant); value != "token2" || err != nil {
			t.Errorf("behind its end: %q, %v", value, err)
		}
	})
}

// TestOneFetch: many who ask at once wait for one request, and each no longer than it wants to. The request goes on.
func TestOneFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{answer: granting(""), slow: 3 * time.Second}
		cache := NewCache(i)
		var all sync.WaitGroup
		for n := range 100 {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+n%2*9)*time.Second)
				defer cancel()
				value, err := cache.Get(ctx, grant)
				if patient := n%2 == 1; patient && value != "token1" || !patient && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%d: %q, %v", n, value, err)
				}
			})
		}
		all.Wait()
		if i.count() != 1 {
			t.Errorf("%d requests", i.count())
		}
	})
}

// TestPauseBehindFailures: of a token server that fails nobody asks more than once a while, and its failure is the answer.
func TestPauseBehindFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := true
		i := &issuer{answer: func(n int) (int, string) {
			if broken {
				return 401, `{"error": "invalid_client", "error_description": "no client with s3cret/+"}`
			}
			return granting("")(n)
		}}
		cache := NewCache(i)
		for range 3600 {
			_, err := cache.Get(t.Context(), grant)
			if want := "token server: it answered 401 Unauthorized: invalid_client: no client with [redacted]"; fmt.Sprint(err) != want {
				t.Fatalf("got %v, want %s", err, want)
			}
			time.Sleep(time.Second)
		}
		if n := i.count(); n < 60 || n > 140 {
			t.Errorf("%d requests in an hour", n)
		}
		for k := 1; k < len(i.asked); k++ {
			if gap := i.asked[k] - i.asked[k-1]; gap > longestPause+time.Second {
				t.Errorf("a pause of %v", gap)
			}
		}
		broken = false
		time.Sleep(longestPause)
		if value, err := cache.Get(t.Context(), grant); value == "" || err != nil {
			t.Errorf("behind it: %q, %v", value, err)
		}
	})
}

// TestWrongAnswers: whatever a token server says, the error names it, in bounds and without the secret.
func TestWrongAnswers(t *testing.T) {
	basic := base64.StdEncoding.EncodeToString([]byte("probe:" + url.QueryEscape(grant.Secret)))
	for name, c := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"no_json":        {200, `<html>`, "token server: its answer is no token"},
		"no_token":       {200, `{}`, "token server: "},
		"another_type":   {200, `{"access_token": "a", "token_type": "DPoP"}`, `token server: it grants a token of the type "DPoP", and not bearer`},
		"type_is_secret": {200, `{"access_token": "a", "token_type": "` + grant.Secret + `"}`, `token server: it grants a token of the type "[redacted]", and not bearer`},
		"line_break":     {200, `{"access_token": "a\r\nX: y"}`, "token server: its token cannot stand in a header"},
		"large":          {200, `{"access_token": "` + strings.Repeat("a", 1<<20) + `"}`, "token server: its answer is over 64 KiB"},
		"redirection":    {302, ``, "token server: it answered 302 Found"},
		"echo":           {400, `{"error": "invalid_request", "error_description": "got ` + basic + `"}`, "token server: it answered 400 Bad Request: invalid_request: got [redacted]"},
		"long":           {500, strings.Repeat("x", 10000), "token server: it answered 500 Internal Server Error"},
		"negative_life":  {200, `{"access_token": "a", "expires_in": -5}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				i := &issuer{answer: func(int) (int, string) { return c.status, c.body }}
				value, err := NewCache(i).Get(ctx, grant)
				if c.want == "" {
					if value != "a" || err != nil || i.count() != 1 {
						t.Errorf("%q, %v after %d requests", value, err, i.count())
					}
					return
				}
				if err == nil || !strings.HasPrefix(err.Error(), c.want) || len(err.Error()) > 320 || strings.Contains(err.Error(), grant.Secret) {
					t.Errorf("got %v, want %s", err, c.want)
				}
			})
		})
	}
}

// TestDeadServer: a server that does not answer is given up within a bound.
func TestDeadServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := NewCache(&issuer{slow: time.Hour, answer: granting("")})
		began := time.Now()
		if _, err := cache.Get(t.Context(), grant); fmt.Sprint(err) != "token server: no answer within 15s" || time.Since(began) != fetchTimeout {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// TestDrop: a token that an endpoint refused is replaced, but not again and again.
func TestDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{answer: granting("")}
		cache := NewCache(i)
		var got []string
		for range 12 {
			value, err := cache.Get(t.Context(), grant)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, value)
			time.Sleep(2 * time.Second)
			cache.Drop(value)
			cache.Drop("token0") // an older one
		}
		if n := len(slices.Compact(slices.Clone(got))); n != 4 {
			t.Errorf("%d tokens in 24 s: %q", n, got)
		}
	})
}

// TestRotation: another secret is another grant, and the old one goes when nobody has asked for it in a while.
func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{answer: granting("")}
		cache := NewCache(i)
		for n := range 10 {
			g := grant
			g.Secret = fmt.Sprint(n)
			if value, err := cache.Get(t.Context(), g); value != fmt.Sprintf("token%d", n+1) || err != nil {
				t.Fatal(value, err)
			}
			time.Sleep(unused + time.Second)
		}
		if len(cache.grants) != 1 {
			t.Errorf("%d grants are kept", len(cache.grants))
		}
	})
}

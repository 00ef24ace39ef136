package config

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// issuer grants tokens that end with the number of the request, and refuses every secret but one.
type issuer struct {
	*httptest.Server
	asked  atomic.Int64
	secret atomic.Value
	slow   chan struct{} // nil if it is not
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{}
	i.secret.Store("first")
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := i.asked.Add(1)
		if i.slow != nil {
			select {
			case <-i.slow:
			case <-r.Context().Done():
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		if _, secret, _ := r.BasicAuth(); secret != i.secret.Load() {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error": "invalid_client", "error_description": "%s is wrong"}`, secret)
			return
		}
		fmt.Fprintf(w, `{"access_token": "granted-%d", "token_type": "bearer", "expires_in": 3600}`, n)
	}))
	t.Cleanup(i.Close)
	return i
}

// takes serves an endpoint that takes one token.
func takes(t *testing.T, value *atomic.Value) string {
	s := wstest.Start(func(c *wstest.Conn) {
		if c.Request().Header.Get("Authorization") != "Bearer "+value.Load().(string) {
			c.Refuse(401, "no\n")
			return
		}
		wstest.Echo(c)
	})
	t.Cleanup(s.Close)
	return s.URL
}

func oauth2File(t *testing.T, i *issuer, url, more string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "wsprobe.yaml")
	text := fmt.Sprintf("agent: {listen: ''}\nprobes:\n  - {name: a, url: '%s', timeout_ms: 5000, auth: {strategy: oauth2, token_url: '%s/token?k=1', client_id: probe, client_secret_file: '%s/secret'%s}}\n",
		url, i.URL, dir, more)
	for name, text := range map[string]string{file: text, filepath.Join(dir, "secret"): "first\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

func runOf(t *testing.T, c Config) probe.Result {
	t.Helper()
	p, err := probe.New(c.Probes[0].Spec)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestOAuth2: a token is fetched in the phase prepare, kept over runs and loads, replaced when the endpoint refuses it,
// and fetched anew with a secret that was rotated.
func TestOAuth2(t *testing.T) {
	clearEnvironment(t)
	i := newIssuer(t)
	var taken atomic.Value
	taken.Store("granted-1")
	file := oauth2File(t, i, takes(t, &taken), "")
	var loader Loader
	load := func() Config {
		t.Helper()
		c, err := loader.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := runOf(t, load())
	if first.Reason != reasons.OK || first.Phases[probe.PhasePrepare].State != probe.SpanEnded {
		t.Fatalf("%s %s: %s, prepare %v", first.Reason, first.ErrorType, first.Detail, first.Phases[probe.PhasePrepare])
	}
	if again := runOf(t, load()); again.Reason != reasons.OK || i.asked.Load() != 1 {
		t.Errorf("after a reload: %s, %d requests", again.Detail, i.asked.Load())
	}
	taken.Store("granted-2")
	if refused := runOf(t, load()); refused.HTTPStatus != 401 {
		t.Errorf("refused: %s", refused.Detail)
	}
	if replaced := runOf(t, load()); replaced.Reason != reasons.OK || i.asked.Load() != 2 {
		t.Errorf("replaced: %s, %d requests", replaced.Detail, i.asked.Load())
	}
	i.secret.Store("second")
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "secret"), []byte("second\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	taken.Store("granted-3")
	c := load()
	if rotated := runOf(t, c); rotated.Reason != reasons.OK || i.asked.Load() != 3 {
		t.Errorf("rotated: %s, %d requests", rotated.Detail, i.asked.Load())
	}
	if !strings.Contains(strings.Join(c.Files, " "), "/secret") {
		t.Errorf("the file of the secret is not among %q", c.Files)
	}
}

// TestOAuth2Fails: a run without a token does not connect, says what the token server said, and hides the secret.
func TestOAuth2Fails(t *testing.T) {
	clearEnvironment(t)
	i := newIssuer(t)
	i.secret.Store("another")
	var taken atomic.Value
	taken.Store("")
	c, err := Load(oauth2File(t, i, takes(t, &taken), ""))
	if err != nil {
		t.Fatal(err)
	}
	r := runOf(t, c)
	if r.ErrorType != reasons.CredentialsUnreadable || !strings.Contains(r.Detail, "token server: it answered 401 Unauthorized: invalid_client") || strings.Contains(r.Detail, "first") {
		t.Errorf("%s: %s", r.ErrorType, r.Detail)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if faults := c.TryCredentials(ctx); len(faults) != 1 || !strings.Contains(faults[0].Path, "client_secret_file") {
		t.Errorf("check says %v", faults)
	}
}

// TestOAuth2IsSlow: a run waits no longer than its timeout, and the next one has the token.
func TestOAuth2IsSlow(t *testing.T) {
	clearEnvironment(t)
	i := newIssuer(t)
	i.slow = make(chan struct{})
	var taken atomic.Value
	taken.Store("granted-1")
	c, err := Load(oauth2File(t, i, takes(t, &taken), ""))
	if err != nil {
		t.Fatal(err)
	}
	c.Probes[0].Spec.Timeout = 200 * time.Millisecond
	if r := runOf(t, c); r.ErrorType != reasons.PrepareTimeout {
		t.Errorf("%s: %s", r.ErrorType, r.Detail)
	}
	close(i.slow)
	c.Probes[0].Spec.Timeout = 30 * time.Second
	if r := runOf(t, c); r.Reason != reasons.OK || i.asked.Load() != 1 {
		t.Errorf("%s, %d requests", r.Detail, i.asked.Load())
	}
}

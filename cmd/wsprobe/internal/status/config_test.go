package status

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestConfig: the API and the page tell of a configuration that is stale, with texts that nobody can abuse.
func TestConfig(t *testing.T) {
	since := time.Date(2026, 11, 28, 10, 0, 0, 0, time.FixedZone("", 3600))
	c := Config{LoadedAt: since.Add(-time.Hour), Probes: 3, Disabled: 2, Discovered: 1, Files: []string{"a.yaml", "b", "c\x1b[1m", "d", "e"}}
	s := &Server{Board: &Board{}, Ready: func() error { return nil }, Config: func() Config { return c }}
	get := func(path string) string {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w.Body.String()
	}
	if page := get("/"); strings.Contains(page, "configuration stale") || !strings.Contains(page, " from a.yaml, b, c\\x1b[1m and 2 more") {
		t.Errorf("page:\n%s", page)
	}
	if got := get("/api/v1/config"); !strings.Contains(got, `"faults": []`) || !strings.Contains(got, `"restart": []`) || !strings.Contains(got, `"since": null`) {
		t.Errorf("API:\n%s", got)
	}
	c.Stale, c.Since, c.Restart = true, &since, []string{"agent.listen", "otlp.spool.dir"}
	for range 25 {
		c.Faults = append(c.Faults, Fault{File: "a.yaml", Line: 3, Column: 7, Path: "probes[0].url", Message: "<script>\n\x1b", Text: "a.yaml:3:7: probes[0].url: <script>\n\x1b"})
	}
	const want = `{
  "loaded_at": "2026-11-28T08:00:00Z",
  "stale": true,
  "since": "2026-11-28T09:00:00Z",
  "files": [
    "a.yaml",
    "b",
    "c\\x1b[1m",
    "d",
    "e"
  ],
  "faults": [
    {
      "file": "a.yaml",
      "line": 3,
      "column": 7,
      "path": "probes[0].url",
      "message": "\u003cscript\u003e\\n\\x1b"
    },`
	if got := get("/api/v1/config"); !strings.HasPrefix(got, want) || !strings.Contains(got, `"probes": 3,
  "disabled": 2,
  "discovered": 1
}`) {
		t.Errorf("API:\n%s", got)
	}
	page := get("/")
	for _, text := range []string{"configuration stale", "since <time datetime=\"2026-11-28T09:00:00Z\">", "a.yaml:3:7: probes[0].url: &lt;script&gt;\\n\\x1b",
		"and 5 more", "restart of the agent: <code>agent.listen, otlp.spool.dir</code>"} {
		if !strings.Contains(page, text) {
			t.Errorf("no %q in\n%s", text, page)
		}
	}
	if n := strings.Count(page, "&lt;script"); n != maxFaults || strings.Contains(page, "<script") {
		t.Errorf("%d faults in\n%s", n, page)
	}
}

// TestReloadIsForThisMachine: nobody else may ask for a reload, nor may a page in a browser of this machine, nor a
// stranger through a proxy on it.
func TestReloadIsForThisMachine(t *testing.T) {
	for name, c := range map[string]struct {
		peer, host string
		header     string
		code       int
	}{
		"this machine":        {"127.0.0.1:1", "localhost:9464", "", 200},
		"over IPv6":           {"[::1]:1", "[::1]:9464", "", 200},
		"mapped":              {"[::ffff:127.0.0.1]:1", "127.0.0.1", "", 200},
		"by its name":         {"127.0.0.1:1", "agent.example.com", "", 200},
		"from elsewhere":      {"192.0.2.1:1", "localhost", "", 403},
		"rebound name":        {"127.0.0.1:1", "evil.example.com", "", 403},
		"page":                {"127.0.0.1:1", "localhost", "Origin: http://evil.example.com", 403},
		"page without a word": {"127.0.0.1:1", "localhost", "Sec-Fetch-Site: cross-site", 403},
		"proxy":               {"127.0.0.1:1", "localhost", "X-Forwarded-For: 192.0.2.1", 403},
		"standard proxy":      {"127.0.0.1:1", "localhost", "Forwarded: for=192.0.2.1", 403},
		"no address":          {"@", "localhost", "", 403},
	} {
		t.Run(name, func(t *testing.T) {
			loads := 0
			s := &Server{Board: &Board{}, Hosts: func() []string { return []string{"agent.example.com"} }, Config: func() Config { return Config{} },
				Reload: func(context.Context) (int, string) { loads++; return 200, "done\n" }}
			r := httptest.NewRequest("POST", "/-/reload", nil)
			r.RemoteAddr, r.Host = c.peer, c.host
			if key, value, ok := strings.Cut(c.header, ": "); ok {
				r.Header.Set(key, value)
			}
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, r)
			if w.Code != c.code || (loads == 1) != (c.code == http.StatusOK) {
				t.Errorf("%d %q, %d loads; want %d", w.Code, w.Body, loads, c.code)
			}
		})
	}
}

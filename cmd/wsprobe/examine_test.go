package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/examine"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestExamineText compares reports with testdata/waterfall, which go test ./cmd/wsprobe -update writes.
func TestExamineText(t *testing.T) {
	for name, test := range map[string]struct {
		path    string
		message string
		ink     ink
	}{
		"examine_idle":    {path: "idle-cut?after=60s", message: "hello"},
		"examine_pings":   {path: "server-pings?every=20s&within=20s"},
		"examine_colours": {path: "lifetime-1001?after=100s", ink: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				scripts := make(map[string]wstest.Script)
				for _, c := range wstest.Catalogue("answer") {
					scripts["/"+c.Name] = c.Script
				}
				server := wstest.Memory(wstest.ByPath(scripts))
				defer server.Close()
				s := session.Spec{Opening: probe.Opening{URL: server.URL + test.path, Dial: server.Dial}}
				if test.message != "" {
					s.Heartbeat = &session.Heartbeat{Send: test.message}
				}
				r, err := examine.Run(t.Context(), examine.Options{Spec: s, For: examine.DefaultFor, Longest: examine.DefaultLongest})
				if err != nil {
					t.Fatal(err)
				}
				text := examineText(r, test.ink)
				golden(t, name, text)
				for line := range strings.Lines(text) {
					if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > lineWidth && !bool(test.ink) {
						t.Errorf("%d columns: %s", n, line)
					}
				}
			})
		})
	}
}

// TestProgress holds that what is found out stands above the time, and that the time is erased at the end.
func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		p := newProgress(&out, examine.DefaultFor)
		p.tell("for nobody")
		if out.String() != "" {
			t.Errorf("not a terminal: %q", out.String())
		}
		p.out = &out
		_, _ = p.during(func() (*examine.Report, error) {
			time.Sleep(1500 * time.Millisecond)
			p.tell("something")
			return nil, nil
		})
		want := clearLine + "     1 s  of 5m0s; Ctrl-C shows what is known" +
			clearLine + "   1.5 s  something\n     1 s  of 5m0s; Ctrl-C shows what is known" + clearLine
		if out.String() != want {
			t.Errorf("%q, want %q", out.String(), want)
		}
	})
}

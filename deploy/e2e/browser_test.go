package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// browser is a Chromium without a screen, which is told what to do by the DevTools protocol.
type browser struct {
	conn *websocket.Conn
	id   int
}

// startBrowser starts a Chromium.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	program := need(t, "chromium", "chromium")
	home := t.TempDir()
	process := lab.StartWith(t, []string{"HOME=" + home}, program, "--headless", "--no-sandbox", "--disable-gpu",
		"--disable-dev-shm-usage", "--remote-debugging-port=0", "--user-data-dir="+home, "about:blank")
	conn, _, err := websocket.Dial(t.Context(), announced(t, process, `(?m)^DevTools listening on (\S+)$`), nil)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(-1)
	t.Cleanup(func() { conn.CloseNow() })
	return &browser{conn: conn}
}

// call calls a method, of a page if the session is not empty.
func (b *browser) call(t *testing.T, session, method string, params map[string]any) (result json.RawMessage) {
	t.Helper()
	b.id++
	request := map[string]any{"id": b.id, "method": method, "params": params}
	if session != "" {
		request["sessionId"] = session
	}
	if err := wsjson.Write(t.Context(), b.conn, request); err != nil {
		t.Fatal(err)
	}
	for {
		var answer struct {
			ID     int
			Result json.RawMessage
			Error  json.RawMessage
		}
		if err := wsjson.Read(t.Context(), b.conn, &answer); err != nil {
			t.Fatal(err)
		}
		if answer.ID != b.id {
			continue // an event of the browser
		}
		if answer.Error != nil {
			t.Fatalf("%s: %s", method, answer.Error)
		}
		return answer.Result
	}
}

// open opens a page in a tab.
func (b *browser) open(t *testing.T, url string) (session string) {
	t.Helper()
	var target struct{ TargetID string }
	var attached struct{ SessionID string }
	if err := json.Unmarshal(b.call(t, "", "Target.createTarget", map[string]any{"url": url}), &target); err != nil {
		t.Fatal(err)
	}
	answer := b.call(t, "", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true})
	if err := json.Unmarshal(answer, &attached); err != nil {
		t.Fatal(err)
	}
	return attached.SessionID
}

// text is the text of a page.
func (b *browser) text(t *testing.T, session string) string {
	t.Helper()
	var got struct{ Result struct{ Value string } }
	answer := b.call(t, session, "Runtime.evaluate", map[string]any{"expression": "document.body?.innerText ?? ''"})
	if err := json.Unmarshal(answer, &got); err != nil {
		t.Fatal(err)
	}
	return got.Result.Value
}

// TestFeedInBrowser opens the page stream.html of the examples in a browser. It comes from another Origin than the agent,
// which must name it. Without that, the page stays empty.
func TestFeedInBrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	page := httptest.NewServer(http.FileServer(http.Dir(examples)))
	t.Cleanup(page.Close)
	endpoint := lab.NewEndpoint(t)
	for name, origins := range map[string][]string{"named": {page.URL}, "foreign": nil} {
		agent := startStreamingFrom(t, map[string]any{"origins": origins}, endpoint.Many(3))
		tab := b.open(t, page.URL+"/stream.html#ws://"+agent.listen+"/api/v1/stream")
		if origins == nil {
			lab.Eventually(t, serverLimit, "a refusal", func() (bool, string) {
				text := b.text(t, tab)
				return strings.Contains(text, "closed with 1006"), text
			})
			if text := b.text(t, tab); strings.Contains(text, "p00") {
				t.Errorf("%s: a page of another Origin shows %q", name, text)
			}
			continue
		}
		shows := func() string {
			var before string
			lab.Eventually(t, serverLimit, "three probes on the page", func() (bool, string) {
				before = b.text(t, tab)
				return strings.Contains(before, "live") && strings.Count(before, "ok") == 3, before
			})
			return before
		}
		before := shows()
		lab.Eventually(t, serverLimit, "newer results on the page", func() (bool, string) {
			text := b.text(t, tab)
			return text != before && strings.Count(text, "ok") == 3, text
		})
		agent.kill(t)
		lab.Eventually(t, serverLimit, "the page to see the end", func() (bool, string) {
			text := b.text(t, tab)
			return text != before, fmt.Sprint(time.Now(), text)
		})
		shows()
	}
}

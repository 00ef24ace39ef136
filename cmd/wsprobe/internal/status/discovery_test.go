package status

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestPageOfDiscovery: the row of a source says how it is and why, and which targets have no probe.
func TestPageOfDiscovery(t *testing.T) {
	for name, test := range map[string]struct {
		source Discovery
		head   string // of the page
		row    []string
	}{
		"all is well": {Discovery{Targets: 12, Probes: 5, Updated: &ended}, "", []string{`<span class="pill ok">works</span>`, ">12<", "5 probes here", "2026-11-21T12:00:00Z"}},
		"not yet":     {Discovery{}, "", []string{`<span class="pill new">looks for the first time</span>`, "none yet", "0 probes here"}},
		"fails": {Discovery{Targets: 3, Probes: 3, Updated: &ended, Failing: &ended, Problem: "connection refused"}, "1 of 1 sources of targets in trouble",
			[]string{`<span class="pill bad">fails</span>`, "connection refused", ">3<"}},
		"refused": {Discovery{Updated: &ended, Refused: "9 sessions are more"}, "1 of 1 sources of targets in trouble",
			[]string{`<span class="pill bad">refused</span>`, "9 sessions are more"}},
		"rejects": {Discovery{Targets: 3, Probes: 1, Updated: &ended, Counts: map[string]int{"invalid": 1, "duplicate": 1, "taken": 0},
			Rejected: []Rejection{{"h:1", "invalid", "labels._a: must be named"}}}, "1 of 1 sources of targets in trouble",
			[]string{`<span class="pill warn">works</span>`, "2 targets without a probe: 1 duplicate, 1 invalid", "h:1: labels._a: must be named", "1 probe here"}},
	} {
		t.Run(name, func(t *testing.T) {
			test.source.Name, test.source.Kind, test.source.Module = "pods", "dns", "chat"
			s := &Server{Board: &Board{}, Ready: ready, Discovery: func() []Discovery { return []Discovery{test.source} }}
			_, _, page := get(t, s, "GET", "/")
			for _, want := range append(test.row, test.head, `<h2 id="discovery">`, `<span class="name">pods</span>`, "dns, by the module chat", `href="/api/v1/discovery"`) {
				if !strings.Contains(page, want) {
					t.Errorf("no %q in\n%s", want, page[strings.Index(page, "<body>"):])
				}
			}
			if test.head == "" && strings.Contains(page, "in trouble") {
				t.Error("the head of the page tells of trouble")
			}
		})
	}
}

// TestDiscoveryAPI holds the answer for programs, and that no text of a source gets through as it is.
func TestDiscoveryAPI(t *testing.T) {
	s := &Server{Board: &Board{}, Ready: ready}
	if code, _, body := get(t, s, "GET", "/api/v1/discovery"); code != 200 || body != "{\n  \"discovery\": []\n}\n" {
		t.Errorf("%d %s", code, body)
	}
	s.Discovery = func() []Discovery {
		return []Discovery{{Name: "pods"}, {Name: "list", Problem: "\x1b[2J" + hostile, Refused: hostile, Updated: &ended, Rejected: []Rejection{{hostile, "invalid", "\x1b" + hostile}}}}
	}
	_, _, body := get(t, s, "GET", "/api/v1/discovery")
	var answer struct{ Discovery []map[string]any }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer.Discovery) != 2 {
		t.Fatalf("%v in %s", err, body)
	}
	pods, list := answer.Discovery[0], answer.Discovery[1]
	if _, ok := pods["rejected"].([]any); !ok || pods["updated_at"] != nil || list["updated_at"] != "2026-11-21T12:00:00Z" {
		t.Error(body)
	}
	if counts, ok := pods["rejected_targets"].(map[string]any); !ok || len(counts) != 0 {
		t.Error(body)
	}
	_, _, page := get(t, s, "GET", "/")
	for _, text := range []string{body, page[strings.Index(page, "<body>"):]} {
		if strings.Contains(text, "<script") || strings.Contains(text, "\\u001b") || strings.Contains(text, "\x1b") || strings.Contains(text, "ZgotmplZ") {
			t.Error(text)
		}
	}
}

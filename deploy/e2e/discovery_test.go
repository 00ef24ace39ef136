package e2e

import (
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// discovering are the settings of an agent with one source, whose targets get a round trip each second.
func discovering(t *testing.T, source map[string]any) lab.Settings {
	t.Helper()
	source["name"], source["module"] = "pods", "pod"
	return lab.Settings{
		"agent":    map[string]any{"listen": lab.FreeAddr(t), "log_format": "json"},
		"defaults": map[string]any{"interval": "1s", "timeout_ms": 800},
		"modules": []any{map[string]any{
			"name": "pod", "interpretation": "round_trip_latency", "send_message": "ping", "expect_message": "ping",
		}},
		"discover": []any{source},
	}
}

// said reports whether a program wrote a text.
func said(p *lab.Process, text string) bool { return strings.Contains(p.Output(), text) }

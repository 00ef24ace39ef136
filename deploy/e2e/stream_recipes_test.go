package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// streamRecipes are the streams of streams.yaml: the receiver of each, and what its messages begin with.
var streamRecipes = map[string]struct{ library, mode, begins string }{
	"warehouse": {"ws", "answer", `{"id":"`},
	"wall":      {"gorilla", "", `{"probe":"p00`},
	"bot":       {"aiohttp", "", "p00"},
	"pipeline":  {"benthos", "", `{"id":"`},
	"lines":     {"websocketd", "", `{"id":"`},
	"gateway":   {"gws", "", ""}, // msgpack
}

// exampleStreams reads an example with streams.
func exampleStreams(t *testing.T, file string) settings {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(examples, file))
	if err != nil {
		t.Fatal(err)
	}
	var s settings
	if err := yaml.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestStreamRecipes runs the streams of the example as they stand, but for hosts, files and folders, against the receivers that
// they are for.
func TestStreamRecipes(t *testing.T) {
	t.Parallel()
	received, dir := map[string]*receiver{}, t.TempDir()
	example := exampleStreams(t, "streams.yaml")
	for _, stream := range example.Streams {
		name := stream["name"].(string)
		recipe, known := streamRecipes[name]
		if !known {
			t.Fatalf("no test has the stream %s", name)
		}
		received[name] = newReceiver(t, recipe.library, recipe.mode)
		stream["url"] = "ws://" + received[name].addr + "/events"
		if auth, ok := stream["auth"].(map[string]any); ok {
			auth["token_file"] = fileWith(t, "token", "secret\n")
		}
		if buffer, ok := stream["buffer"].(map[string]any); ok && buffer["dir"] != nil {
			buffer["dir"] = filepath.Join(dir, name)
		}
	}
	endpoint := lab.NewEndpoint(t)
	s := settings{
		Agent:    map[string]any{"listen": lab.FreeAddr(t)},
		OTLP:     map[string]any{"protocol": "none"},
		Defaults: map[string]any{"interval": "1s", "timeout_ms": 800},
		Probes:   endpoint.Many(4), Streams: example.Streams,
	}
	agent := startAgent(t, s)
	for name, r := range received {
		lab.Eventually(t, serverLimit, "messages of "+name, func() (bool, string) {
			agent.Running(t)
			endpoint.SetDown("p001", len(endpoint.Visits()["p001"])%4 < 2) // there are changes
			return len(r.messages(t)) >= 3, r.process.Output()
		})
		for _, m := range r.messages(t) {
			if begins := streamRecipes[name].begins; !bytes.HasPrefix(m.text, []byte(begins)) || m.binary != (name == "gateway") {
				t.Errorf("%s: the message %.100q (binary: %v) does not begin with %q", name, m.text, m.binary, begins)
				break
			}
		}
	}
	(&streaming{listen: s.Agent["listen"].(string)}).checkCounts(t)
	stopAgent(t, agent)
}

// TestTargetStreams runs the example for `wsprobe target` as it stands, but for the ports.
func TestTargetStreams(t *testing.T) {
	t.Parallel()
	target := startTarget(t)
	s := exampleStreams(t, "target-streams.yaml")
	for _, section := range [][]map[string]any{s.Probes, s.Streams} {
		for _, entry := range section {
			entry["url"] = strings.Replace(entry["url"].(string), "127.0.0.1:9465", target, 1)
		}
	}
	s.Agent = map[string]any{"listen": lab.FreeAddr(t)}
	process := startAgent(t, s)
	listening(t, process, s.Agent["listen"].(string))
	agent := &streaming{listen: s.Agent["listen"].(string), process: process}
	for name, fine := range map[string]func(c *streamCounts) bool{
		"takes everything":    func(c *streamCounts) bool { return c.sent > 10 },
		"is drained":          func(c *streamCounts) bool { return c.sent > 10 && c.established > 1 },
		"is cut when idle":    func(c *streamCounts) bool { return c.established > 1 },
		"dies without a word": func(c *streamCounts) bool { return c.sent > 10 && c.established > 1 },
		"is refused":          func(c *streamCounts) bool { return c.established == 0 && c.buffered > 10 },
	} {
		lab.Eventually(t, serverLimit, name, func() (bool, string) {
			process.Running(t)
			c := agent.counts(t)[name]
			return c != nil && fine(c), process.Output()
		})
	}
	agent.checkCounts(t)
	stopAgent(t, process)
}

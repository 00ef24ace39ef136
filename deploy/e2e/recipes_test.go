package e2e

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"
)

const examples = "../examples"

// elsewhere are the examples that are not tested here: two are no recipes, and the servers of the others cannot be
// had, so that cmd/wsprobe tests them against scripts.
var elsewhere = map[string]bool{
	"wsprobe.yaml": true, "target.yaml": true,
	"ethereum.yaml": true, "phoenix.yaml": true, "signalr.yaml": true,
}

// recipes are the examples with the servers that they are for. A server is started by a function that returns its
// URL and, if it tells how its clients left, a check that they did so in good order, n of them.
var recipes = map[string]func(t *testing.T) (base string, left func(t *testing.T, n int)){
	"devtools.yaml":             func(t *testing.T) (string, func(*testing.T, int)) { return startInspector(t), nil },
	"echo.yaml":                 fromNode("echo.mjs"),
	"graphql-transport-ws.yaml": fromNode("graphql.mjs"),
	"mqtt.yaml":                 fromAddr(startMosquitto),
	"nats.yaml": func(t *testing.T) (string, func(*testing.T, int)) {
		s := startNATS(t)
		return s.WebsocketURL(), s.leftCleanly
	},
	"socket.io.yaml": fromNode("socketio.mjs"),
	"stomp.yaml":     fromAddr(startRabbitMQ),
	"xmpp.yaml":      fromAddr(startProsody),
}

func fromNode(script string) func(*testing.T) (string, func(*testing.T, int)) {
	return func(t *testing.T) (string, func(*testing.T, int)) {
		server, addr := startNode(t, script)
		return "ws://" + addr, func(t *testing.T, n int) { closedCleanly(t, server, n) }
	}
}

func fromAddr(start func(*testing.T) string) func(*testing.T) (string, func(*testing.T, int)) {
	return func(t *testing.T) (string, func(*testing.T, int)) { return "ws://" + start(t), nil }
}

// TestRecipes runs every recipe as it stands, but for its host, against the server that it is for.
func TestRecipes(t *testing.T) {
	for file, serve := range recipes {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			base, left := serve(t)
			path, n := pointedAt(t, file, base)
			for _, got := range onceAll(t, 0, path) {
				if got.Reason != "ok" || got.Value == nil {
					t.Errorf("%s: got %+v, want a value", got.Probe, got)
				}
			}
			if left != nil {
				left(t, n)
			}
		})
	}
}

// TestEveryExample holds that each file is tested, here or elsewhere, and that the README tells what it is.
func TestEveryExample(t *testing.T) {
	files, err := filepath.Glob(examples + "/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(examples + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		file := filepath.Base(path)
		if link := "[" + file + "](" + file + ")"; !bytes.Contains(readme, []byte(link)) {
			t.Errorf("the README has no %s", link)
		}
		if _, here := recipes[file]; here == elsewhere[file] {
			t.Errorf("%s: tested here: %v, elsewhere: %v; want one of them", file, here, elsewhere[file])
		}
	}
	if want := len(recipes) + len(elsewhere); len(files) != want {
		t.Errorf("%d examples, the tests know %d", len(files), want)
	}
}

// pointedAt writes a copy of an example whose probes go to another server, with the path and query that they have,
// unless the server's URL has a path. It returns the copy and how many probes it has.
func pointedAt(t *testing.T, file, base string) (path string, probes int) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(examples, file))
	if err != nil {
		t.Fatal(err)
	}
	var s settings
	if err := yaml.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	server, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	for _, probe := range s.Probes {
		u, err := url.Parse(probe["url"].(string))
		if err != nil {
			t.Fatal(err)
		}
		u.Scheme, u.Host = server.Scheme, server.Host
		if server.Path != "" {
			u.Path = server.Path
		}
		probe["url"] = u.String()
	}
	return s.write(t), len(s.Probes)
}

// onceAll runs every probe of a file and returns the results.
func onceAll(t *testing.T, exit int, file string) (results []onceResult) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(wsprobe(t, exit, nil, "once", "--json", "-c", file)))
	for decoder.More() {
		var result onceResult
		if err := decoder.Decode(&result); err != nil {
			t.Fatal(err)
		}
		results = append(results, result)
	}
	return results
}

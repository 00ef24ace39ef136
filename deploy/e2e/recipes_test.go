package e2e

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

const examples = "../examples"

// elsewhere are the examples that are not tested here: some are no recipes, and the servers of the others cannot be
// had, so that cmd/wsprobe tests them against scripts.
var elsewhere = map[string]bool{
	"wsprobe.yaml": true, "target.yaml": true, "target-held.yaml": true,
	"ethereum.yaml": true, "phoenix.yaml": true, "signalr.yaml": true,
	"held-fan-out.yaml":   true, // see TestHeldFanOut
	"streams.yaml":        true, // see TestStreamRecipes
	"target-streams.yaml": true,
	"discover.yaml":       true, // its targets are in files, and cmd/wsprobe checks it
}

// started is a server: its URL and, if it tells how its clients left, a check that n of them came and that all left in
// good order with a close code.
type started struct {
	url  string
	left func(t *testing.T, n int, code string)
}

// recipes are the examples with the servers that they are for.
var recipes = []struct {
	file, server string
	start        func(t *testing.T) started
}{
	{"devtools.yaml", "Node.js", func(t *testing.T) started { return started{url: startInspector(t)} }},
	{"echo.yaml", "ws", fromNode("echo.mjs")},
	{"echo.yaml", "websockets", func(t *testing.T) started { return announcing(startPythonEcho(t)) }},
	{"graphql-transport-ws.yaml", "graphql-ws", fromNode("graphql.mjs")},
	{"mqtt.yaml", "Mosquitto", fromAddr(startMosquitto)},
	{"mqtt.yaml", "aedes", func(t *testing.T) started { // on DISCONNECT it cuts the connection
		_, addr := startNode(t, "mqtt.mjs")
		return started{url: "ws://" + addr}
	}},
	{"nats.yaml", "NATS", func(t *testing.T) started {
		s := startNATS(t)
		return started{s.WebsocketURL(), func(t *testing.T, n int, _ string) { s.leftCleanly(t, n) }}
	}},
	{"login-cookie.yaml", "Express", fromNode("login.mjs")},
	{"ticket.yaml", "Express", fromNode("login.mjs")},
	{"signalr-negotiate.yaml", "Microsoft's client library", fromNode("signalr.mjs", "0", "negotiated")},
	{"socket.io-sticky.yaml", "@socket.io/sticky", fromNode("sticky.mjs")},
	{"socket.io-sticky.yaml", "HAProxy", func(t *testing.T) started {
		url, _ := startSticky(t)
		return started{url: url}
	}},
	{"socket.io.yaml", "Socket.IO", fromNode("socketio.mjs")},
	{"stomp.yaml", "RabbitMQ", func(t *testing.T) started { return started{url: "ws://" + startRabbitMQ(t)} }},
	{"xmpp.yaml", "Prosody", func(t *testing.T) started {
		_, addr := startProsody(t)
		return started{url: "ws://" + addr}
	}},
}

func fromNode(script string, args ...string) func(*testing.T) started {
	return func(t *testing.T) started { return announcing(startNode(t, script, args...)) }
}

func fromAddr(start func(*testing.T) string) func(*testing.T) started {
	return func(t *testing.T) started { return started{url: "ws://" + start(t)} }
}

func announcing(server *lab.Process, addr string) started {
	return started{"ws://" + addr, func(t *testing.T, n int, code string) { closedCleanly(t, server, n, code) }}
}

// TestRecipes runs every recipe as it stands, but for its host, against the servers that it is for.
func TestRecipes(t *testing.T) {
	for _, recipe := range recipes {
		t.Run(recipe.file+"/"+recipe.server, func(t *testing.T) {
			t.Parallel()
			server := recipe.start(t)
			path, _, n := pointedAt(t, recipe.file, server.url)
			for _, got := range onceAll(t, 0, path) {
				if got.Reason != "ok" || got.Value == nil {
					t.Errorf("%s: got %+v, want a value", got.Probe, got)
				}
			}
			if server.left != nil {
				server.left(t, n, "1000")
			}
		})
	}
}

// TestEveryExample holds that each file is tested, here or elsewhere, and that the README tells what it is.
func TestEveryExample(t *testing.T) {
	files, err := filepath.Glob(examples + "/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	readme, err := os.ReadFile(examples + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	tested := maps.Clone(elsewhere)
	for _, recipe := range recipes {
		tested[recipe.file] = true
	}
	for _, recipe := range heldRecipes {
		tested[recipe.file] = true
	}
	for _, path := range files {
		file := filepath.Base(path)
		if link := "[" + file + "](" + file + ")"; !bytes.Contains(readme, []byte(link)) {
			t.Errorf("the README has no %s", link)
		}
		if !tested[file] {
			t.Errorf("%s: no test runs it", file)
		}
		delete(tested, file)
	}
	for file := range tested {
		t.Errorf("%s: the tests know it, but it is not there", file)
	}
}

// pointedAt writes a copy of an example whose probes go to another server, with the path and query that they have,
// unless the server's URL has a path. It returns the copy, the names of its probes, and how many connections these make.
func pointedAt(t *testing.T, file, base string) (path string, probes []string, connections int) {
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
		probes = append(probes, probe["name"].(string))
		connections += len(connectionsOf(probe))
	}
	return s.write(t), probes, connections
}

// connectionsOf returns the names of the connections of a probe.
func connectionsOf(probe map[string]any) map[string]bool {
	names := map[string]bool{"main": true}
	steps, _ := probe["exchange"].([]any)
	for _, step := range steps {
		if name, ok := step.(map[string]any)["on"].(string); ok {
			names[name] = true
		}
	}
	return names
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

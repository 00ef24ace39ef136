package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// libraryNames are the receivers as their users know them, with the versions that are tested.
var libraryNames = map[string]string{
	"ws": "ws 8.23 (Node.js)", "websocket": "websocket 1.0 (Node.js)", "faye-websocket": "faye-websocket 0.11 (Node.js)",
	"websockets": "websockets 10.4 (Python)", "aiohttp": "aiohttp 3.8 (Python)", "tornado": "Tornado 6.2 (Python)",
	"websocketd": "websocketd 0.4", "coder": "coder/websocket 1.8 (Go)", "gorilla": "gorilla/websocket 1.5 (Go)",
	"gobwas": "gobwas/ws 1.5 (Go)", "gws": "lxzan/gws 1.8 (Go)", "x-net": "golang.org/x/net/websocket 0.62 (Go)",
	"benthos": "Benthos 4.60, http_server",
}

// TestTableOfReceivers holds the table of the page against what TestPongsOfReceivers tests.
func TestTableOfReceivers(t *testing.T) {
	const page = examples + "/README.md"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	table := "| receiver | a Pong leaves | longest message by default |\n|---|---|---|\n"
	for _, library := range slices.SortedFunc(maps.Keys(receivers), func(a, b string) int {
		return cmp.Compare(strings.ToLower(libraryNames[a]), strings.ToLower(libraryNames[b]))
	}) {
		r, leaves, longest := receivers[library], "after the program took the message", "more than 17 MiB"
		if r.ahead {
			leaves = "**ahead of the program**"
		}
		if r.limit > 0 {
			longest = fmt.Sprintf("%d bytes, else %s", r.limit, r.ends)
		}
		table += fmt.Sprintf("| %s | %s | %s |\n", libraryNames[library], leaves, longest)
	}
	const begin, end = "<!-- begin receivers -->\n", "<!-- end receivers -->"
	before, rest, _ := strings.Cut(string(data), begin)
	got, after, found := strings.Cut(rest, end)
	if !found {
		t.Fatalf("%s has no place for the table", page)
	}
	if got == table {
		return
	}
	if !*update {
		t.Fatalf("%s has another table: go test -run TestTableOfReceivers -update .", page)
	}
	if err := os.WriteFile(page, []byte(before+begin+table+end+after), 0o600); err != nil {
		t.Fatal(err)
	}
}

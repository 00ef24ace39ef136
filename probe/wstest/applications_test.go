package wstest

import (
	"context"
	"io"
	"net/netip"
	"strings"
	"testing"
)

// TestApplications holds conversations with the scripts, each up to the close frame that the client sends last.
func TestApplications(t *testing.T) {
	for name, c := range map[string]struct {
		script Script
		path   string
		say    []string
		hear   []string
		code   int
	}{
		"signalr": {SignalR, "/",
			[]string{
				`{"protocol":"json","version":1}` + "\x1e",
				`{"type":1,"invocationId":"7","target":"Echo","arguments":["hi"]}` + "\x1e",
				`{"type":6}` + "\x1e" + `{"type":1,"target":"Echo","arguments":["nobody waits"]}` + "\x1e",
				`{"type":1,"invocationId":"8","target":"Shout","arguments":[]}` + "\x1e",
			},
			[]string{
				"{}\x1e",
				`{"type":6}` + "\x1e" + `{"type":3,"invocationId":"7","result":"hi"}` + "\x1e",
				`{"type":6}` + "\x1e" + `{"type":3,"invocationId":"8","error":"no such method"}` + "\x1e",
			}, 1000},
		"signalr refuses a protocol": {SignalR, "/",
			[]string{`{"protocol":"messagepack","version":1}` + "\x1e"},
			[]string{`{"error":"no such protocol"}` + "\x1e"}, 1000},
		"phoenix": {Phoenix, "/socket/websocket?vsn=2.0.0",
			[]string{
				`[null,"1","phoenix","heartbeat",{}]`, `[null,"2","room:lobby","ping",{}]`,
				`["3","3","room:lobby","phx_join",{}]`, `["3","4","room:lobby","ping",{"n":1}]`,
			},
			[]string{
				`[null,"1","phoenix","phx_reply",{"status":"ok","response":{}}]`,
				`[null,"2","room:lobby","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]`,
				`["3","3","room:lobby","phx_reply",{"status":"ok","response":{}}]`,
				`["3","4","room:lobby","phx_reply",{"status":"ok","response":{"n":1}}]`,
			}, 1000},
		"phoenix without a version": {Phoenix, "/socket/websocket", []string{`[null,"1","phoenix","heartbeat",{}]`},
			nil, 1011},
		"phoenix and no JSON": {Phoenix, "/socket/websocket?vsn=2.0.0", []string{"hello"}, nil, 1011},
		"ethereum": {EthereumNode, "/",
			[]string{
				`{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}`,
				`{"jsonrpc":"2.0","id":"2","method":"eth_syncing"}`,
				`{"jsonrpc":"2.0","id":3,"method":"eth_subscribe","params":["newHeads"]}`,
				`{"jsonrpc":"2.0","id":4,"method":"eth_mine"}`, `hello`,
			},
			[]string{
				`{"jsonrpc":"2.0","id":1,"result":"0x13a5c7e"}`, `{"jsonrpc":"2.0","id":"2","result":false}`,
				`{"jsonrpc":"2.0","id":3,"result":"0xcd0c"}`,
				`{"jsonrpc":"2.0","method":"eth_subscription","params":` +
					`{"subscription":"0xcd0c","result":{"number":"0x13a5c7f"}}}`,
				`{"jsonrpc":"2.0","id":4,"error":{"code":-32601,"message":"no such method"}}`,
				`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}}`,
			}, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			var want strings.Builder
			for _, message := range c.hear {
				want.WriteString(Text(message).Bytes())
			}
			want.WriteString(Close(c.code, "").Bytes())
			if got := converse(t, c.script, c.path, c.say); got != want.String() {
				t.Errorf("the script said\n%q\nwant\n%q", got, want.String())
			}
		})
	}
}

// converse says everything at once, then closes, and returns what the script wrote after its 101.
func converse(t *testing.T, script Script, path string, say []string) string {
	t.Helper()
	s := Memory(script)
	defer s.Close()
	conn, err := s.Dial(context.Background(), netip.MustParseAddrPort(memoryAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	all := "GET " + path + " HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: x\r\n\r\n"
	for _, message := range say {
		all += Frame{Opcode: OpText, Payload: message, Masked: true}.Bytes()
	}
	farewell := Close(1000, "")
	farewell.Masked = true
	if _, err := io.WriteString(conn, all+farewell.Bytes()); err != nil {
		t.Fatal(err)
	}
	heard, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	head, frames, whole := strings.Cut(string(heard), "\r\n\r\n")
	if !whole || !strings.HasPrefix(head, "HTTP/1.1 101 ") {
		t.Fatalf("the script answered %q", head)
	}
	return frames
}

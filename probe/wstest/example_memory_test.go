package wstest_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestSlowReply: in a bubble of testing/synctest, a server that answers after an hour costs no time, and the client's
// clock shows exactly that hour.
func TestSlowReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := wstest.Memory(wstest.SlowReply(time.Hour, "at last"))
		defer server.Close()
		took, answer, err := timed(server, "are you there?")
		if err != nil || answer != "at last" || took != time.Hour {
			t.Errorf("%q after %v: %v", answer, took, err)
		}
	})
}

// timed asks a server in memory and returns how long the answer took.
func timed(server *wstest.Server, question string) (time.Duration, string, error) {
	ctx := context.Background()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return nil, err
		}
		return server.Dial(ctx, to)
	}}
	options := &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}}
	conn, _, err := websocket.Dial(ctx, server.URL, options)
	if err != nil {
		return 0, "", err
	}
	defer conn.CloseNow()
	asked := time.Now()
	if err := conn.Write(ctx, websocket.MessageText, []byte(question)); err != nil {
		return 0, "", err
	}
	_, answer, err := conn.Read(ctx)
	return time.Since(asked), string(answer), err
}

// A server in memory needs no network. Its connections behave like TCP, and in a bubble of testing/synctest their times
// are exact: TestSlowReply, in the same file, waits for an hour in no time.
func ExampleMemory() {
	server := wstest.Memory(wstest.Reply("hello"))
	defer server.Close()

	_, answer, err := timed(server, "are you there?")
	fmt.Println(answer, err)
	// Output: hello <nil>
}

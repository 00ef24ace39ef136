package wstest_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/coder/websocket"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// ask is the client under test: it asks one question, and asks again if the server wants it to try later.
func ask(ctx context.Context, url, question string) (string, error) {
	for {
		conn, _, err := websocket.Dial(ctx, url, nil)
		if err != nil {
			return "", err
		}
		if err := conn.Write(ctx, websocket.MessageText, []byte(question)); err != nil {
			return "", err
		}
		_, answer, err := conn.Read(ctx)
		if websocket.CloseStatus(err) == websocket.StatusTryAgainLater {
			continue
		}
		if err != nil {
			return "", err
		}
		return string(answer), conn.Close(websocket.StatusNormalClosure, "thanks")
	}
}

// A client must try again after close code 1013. The script turns its first visitor away, and answers the second.
func Example() {
	var visitors atomic.Int32
	server := wstest.Start(func(c *wstest.Conn) {
		first := visitors.Add(1) == 1
		c.Accept()
		question := c.Message()
		if first {
			c.Send(wstest.Close(1013, "try again later"))
		} else {
			c.Send(wstest.Text("answer to " + question))
		}
		c.Serve()
	})
	defer server.Close()

	answer, err := ask(context.Background(), server.URL, "how are you?")
	fmt.Println(answer, err)

	server.Wait() // until both scripts have ended, in whatever order
	fmt.Println("visitors:", server.Connections())
	// Output:
	// answer to how are you? <nil>
	// visitors: 2
}

// A script can break every rule of RFC 6455. This one sends a Ping between two fragments, which is allowed. A message
// with a reserved bit follows, for which the client must close with 1002.
func ExampleScript() {
	server := wstest.Start(func(c *wstest.Conn) {
		c.Accept()
		pieces := wstest.Fragments(wstest.OpText, "Hel", "lo")
		c.Send(pieces[0], wstest.Ping("are you there?"), pieces[1])
		c.Send(wstest.Frame{Opcode: wstest.OpText, Payload: "World", RSV: 1})
		c.Serve()
	})
	defer server.Close()

	ctx := context.Background()
	conn, _, err := websocket.Dial(ctx, server.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, message, err := conn.Read(ctx)
	fmt.Println(string(message), err)
	_, _, err = conn.Read(ctx)
	fmt.Println("the client refuses the second message:", err != nil)

	server.Wait()
	fmt.Println("pongs:", server.Last().Pongs, "close code:", server.Last().CloseCode)
	// Output:
	// Hello <nil>
	// the client refuses the second message: true
	// pongs: 1 close code: 1002
}

// A server over TLS has a certificate of an authority of its own, which only ClientTLS trusts.
func ExampleStartTLS() {
	server := wstest.StartTLS(wstest.Echo, nil)
	defer server.Close()

	ctx := context.Background()
	if _, _, err := websocket.Dial(ctx, server.URL, nil); err != nil {
		fmt.Println("nobody else trusts it")
	}
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: server.ClientTLS()}}
	conn, _, err := websocket.Dial(ctx, server.URL, &websocket.DialOptions{HTTPClient: trusting})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.CloseNow()
	if err := conn.Write(ctx, websocket.MessageText, []byte("hello over TLS")); err != nil {
		fmt.Println(err)
		return
	}
	_, echo, err := conn.Read(ctx)
	fmt.Println(string(echo), err)
	// Output:
	// nobody else trusts it
	// hello over TLS <nil>
}

// One server offers every endpoint of the catalogue on a path of its own, so that a client can be tried on all of them.
func ExampleCatalogue() {
	scripts := make(map[string]wstest.Script)
	for _, c := range wstest.Catalogue("hello") {
		scripts["/"+c.Name] = c.Script
	}
	server := wstest.Start(wstest.ByPath(scripts))
	defer server.Close()

	for _, path := range []string{"good", "http-401", "http-503", "nowhere"} {
		conn, response, err := websocket.Dial(context.Background(), server.URL+path, nil)
		fmt.Println(path, response.StatusCode, err == nil)
		if err == nil {
			_ = conn.CloseNow()
		}
	}
	// Output:
	// good 101 true
	// http-401 401 false
	// http-503 503 false
	// nowhere 404 false
}

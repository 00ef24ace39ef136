package wstest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// guest is a client of the catalogue in a bubble. It notes all that happens to it, each with the time since it began.
type guest struct {
	conn  *websocket.Conn
	begun time.Time
	heard chan []string
}

// enter opens an endpoint of the catalogue by path and query. A deaf guest answers no Ping.
func enter(t *testing.T, server *wstest.Server, path string, deaf bool) *guest {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return nil, err
		}
		return server.Dial(ctx, to)
	}}
	g := &guest{begun: time.Now(), heard: make(chan []string, 1)}
	pinged := make(chan time.Time, 100)
	var err error
	g.conn, _, err = websocket.Dial(t.Context(), server.URL+path, &websocket.DialOptions{
		HTTPClient:     &http.Client{Transport: transport},
		OnPingReceived: func(context.Context, []byte) bool { pinged <- time.Now(); return !deaf },
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		var lines []string
		for {
			_, message, err := g.conn.Read(context.Background())
			for len(pinged) > 0 {
				lines = append(lines, fmt.Sprint((<-pinged).Sub(g.begun), " ping"))
			}
			if err != nil {
				g.heard <- append(lines, fmt.Sprint(time.Since(g.begun), " ", ending(err)))
				return
			}
			lines = append(lines, fmt.Sprint(time.Since(g.begun), " ", string(message)))
		}
	}()
	return g
}

// ending is how a connection ended, in a word or with code and reason.
func ending(err error) string {
	var closed websocket.CloseError
	switch {
	case errors.As(err, &closed):
		return fmt.Sprint(int(closed.Code), " ", closed.Reason)
	case errors.Is(err, io.EOF):
		return "FIN"
	case errors.Is(err, net.ErrClosed):
		return "left"
	}
	return err.Error()
}

func (g *guest) say(text string) {
	if err := g.conn.Write(context.Background(), websocket.MessageText, []byte(text)); err != nil {
		panic(err)
	}
}

// ping sends a Ping and says how long its Pong took, or that none came within a minute.
func (g *guest) ping() string {
	asked := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := g.conn.Ping(ctx); err != nil {
		return "no pong"
	}
	return fmt.Sprint(time.Since(asked))
}

// leave drops the connection after a time.
func (g *guest) leave(after time.Duration) {
	time.Sleep(after)
	_ = g.conn.CloseNow()
}

// leaves is a guest that only listens, for a time.
func leaves(after time.Duration) func(*testing.T, *guest) {
	return func(_ *testing.T, g *guest) { g.leave(after) }
}

// catalogue serves every endpoint of the catalogue in memory.
func catalogue(t *testing.T) *wstest.Server {
	scripts := make(map[string]wstest.Script)
	for _, c := range wstest.Catalogue("pong") {
		scripts["/"+c.Name] = c.Script
	}
	server := wstest.Memory(wstest.Limit(1000, wstest.ByPath(scripts)))
	t.Cleanup(server.Close)
	return server
}

// trades are the messages of a feed, from number and age of each, at a pace of a second.
func trades(t *testing.T, lines []string) []string {
	t.Helper()
	var short []string
	for _, line := range lines {
		at, message, _ := strings.Cut(line, " ")
		var number int
		var written string
		if _, err := fmt.Sscanf(message, `{"ch":"trades","data":{"seq":%d,"ts":%q}}`, &number, &written); err != nil {
			short = append(short, line)
			continue
		}
		sent, err := time.Parse(time.RFC3339Nano, written)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // of every bubble
		arrived, err := time.ParseDuration(at)
		if err != nil {
			t.Fatal(err)
		}
		short = append(short, fmt.Sprintf("%s #%d age %v", at, number, arrived-sent.Sub(began)))
	}
	return short
}

// TestHeld holds each endpoint that stays open to the times of its parameters, exactly.
func TestHeld(t *testing.T) {
	const second = time.Second
	for _, test := range []struct {
		name, path string
		deaf       bool
		act        func(t *testing.T, g *guest)
		want       []string
	}{
		{name: "idle-cut without traffic", path: "idle-cut", want: []string{"1m0s FIN"}},
		{name: "idle-cut counts messages and Pings", path: "idle-cut?after=30s", act: func(_ *testing.T, g *guest) {
			time.Sleep(20 * second)
			g.say("hello")
			time.Sleep(25 * second)
			_ = g.ping()
		}, want: []string{"20s pong", "1m15s FIN"}},
		{name: "idle-cut-messages counts no Pings", path: "idle-cut-messages?after=30s", act: func(_ *testing.T, g *guest) {
			time.Sleep(20 * second)
			g.say("hello")
			time.Sleep(25 * second)
			_ = g.ping()
		}, want: []string{"20s pong", "50s FIN"}},
		{name: "idle-close", path: "idle-close", act: func(_ *testing.T, g *guest) {
			time.Sleep(30 * second)
			_ = g.ping()
		}, want: []string{"1m30s 1000 "}},
		{name: "idle-close by another code", path: "idle-close?after=5s&code=4000", want: []string{"5s 4000 "}},
		{name: "idle-close without a code", path: "idle-close?after=5s&code=1005", want: []string{"5s 1005 "}},
		{name: "lifetime-fin", path: "lifetime-fin?after=90m", act: func(_ *testing.T, g *guest) {
			time.Sleep(time.Hour)
			g.say("hello")
		}, want: []string{"1h0m0s pong", "1h30m0s FIN"}},
		{name: "lifetime-1001", path: "lifetime-1001", want: []string{"30s 1001 going away"}},
		{name: "drain-1001", path: "drain-1001?every=10s", want: []string{"10s 1001 going away"}},
		{name: "drain-1012", path: "drain-1012", want: []string{"1m0s 1012 service restart"}},
		{name: "connect-then-drop", path: "connect-then-drop", act: func(_ *testing.T, g *guest) { g.say("hello") },
			want: []string{"100ms FIN"}},
		{name: "connect-then-drop at once", path: "connect-then-drop?after=0s", want: []string{"0s FIN"}},
		{name: "half-open", path: "half-open", act: func(t *testing.T, g *guest) {
			g.say("hello")
			if pong := g.ping(); pong != "0s" {
				t.Errorf("before: %s", pong)
			}
			time.Sleep(10 * second)
			g.say("still there?")
			if pong := g.ping(); pong != "no pong" {
				t.Errorf("after: %s", pong)
			}
			g.leave(time.Hour)
		}, want: []string{"0s pong", "1h1m10s left"}},
		{name: "heartbeat-stops", path: "heartbeat-stops?messages=2", act: func(t *testing.T, g *guest) {
			for range 4 {
				time.Sleep(second)
				g.say(`{"op":"ping"}`)
			}
			if pong := g.ping(); pong != "0s" {
				t.Errorf("Pong: %s", pong)
			}
			g.leave(time.Hour)
		}, want: []string{"1s pong", "2s pong", "1h0m4s left"}},
		{name: "server-pings answered", path: "server-pings?every=10s", act: leaves(25 * second),
			want: []string{"10s ping", "20s ping", "25s left"}},
		{name: "server-pings unanswered", path: "server-pings?every=10s&within=5s", deaf: true,
			act:  func(_ *testing.T, g *guest) { time.Sleep(12 * second); g.say("a message is no Pong") },
			want: []string{"10s ping", "12s pong", "15s 1011 keepalive ping timeout"}},
		{name: "slow-pong", path: "slow-pong?after=3s", act: func(t *testing.T, g *guest) {
			time.AfterFunc(second, func() { g.say("hello") })
			if pong := g.ping(); pong != "3s" {
				t.Errorf("Pong after %s", pong)
			}
			g.leave(second)
		}, want: []string{"1s pong", "4s left"}},
		{name: "feed", path: "feed", act: func(_ *testing.T, g *guest) {
			time.Sleep(1500 * time.Millisecond)
			g.say("hello")
			g.leave(second)
		}, want: []string{"0s #1 age 0s", "1s #2 age 0s", "1.5s pong", "2s #3 age 0s", "2.5s left"}},
		{name: "feed-deaf", path: "feed-deaf?messages=2", act: func(t *testing.T, g *guest) {
			time.Sleep(time.Minute)
			if pong := g.ping(); pong != "0s" {
				t.Errorf("Pong: %s", pong)
			}
			g.leave(time.Hour)
		}, want: []string{"0s #1 age 0s", "1s #2 age 0s", "1h1m0s left"}},
		{name: "feed-gap", path: "feed-gap?messages=2&gap=3", act: leaves(4500 * time.Millisecond), want: []string{
			"0s #1 age 0s", "1s #2 age 0s", "2s #6 age 0s", "3s #7 age 0s", "4s #11 age 0s", "4.5s left"}},
		{name: "feed-repeat", path: "feed-repeat?messages=2", act: leaves(3500 * time.Millisecond), want: []string{
			"0s #1 age 0s", "1s #2 age 0s", "1s #2 age 0s", "2s #3 age 0s", "3s #4 age 0s", "3s #4 age 0s",
			"3.5s left"}},
		{name: "feed-disorder", path: "feed-disorder?messages=2", act: leaves(5500 * time.Millisecond), want: []string{
			"0s #1 age 0s", "1s #3 age 0s", "2s #2 age 0s", "3s #5 age 0s", "4s #4 age 0s", "5s #7 age 0s",
			"5.5s left"}},
		{name: "feed-late", path: "feed-late?step=500ms", act: leaves(5 * second), want: []string{
			"0s #1 age 0s", "1.5s #2 age 500ms", "3s #3 age 1s", "4.5s #4 age 1.5s", "5s left"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := enter(t, catalogue(t), test.path, test.deaf)
				if test.act != nil {
					test.act(t, g)
				}
				if got := trades(t, <-g.heard); !slices.Equal(got, test.want) {
					t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
				}
				_ = g.conn.CloseNow()
			})
		})
	}
}

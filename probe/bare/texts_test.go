package bare_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/bare"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// dial opens a URL with compression.
func dial(t *testing.T, url string) *bare.Conn {
	t.Helper()
	p, err := probe.New(probe.Spec{Opening: probe.Opening{URL: url, Compression: probe.CompressionOn}})
	if err != nil {
		t.Fatal(err)
	}
	c, res, _, err := bare.Open(t.Context(), p)
	if c == nil || err != nil {
		t.Fatalf("%+v, %v", res, err)
	}
	t.Cleanup(c.Close)
	c.Until(time.Now().Add(time.Minute)) // only a hang meets it
	return c
}

// TestTexts holds that the texts of messages come whole, inflated, and up to the limit, also of those that came with the
// 101.
func TestTexts(t *testing.T) {
	long, word := strings.Repeat("long ", 200), strings.Repeat("word ", 10)
	deflated := func(takeover bool, texts ...string) []wstest.Frame {
		d := wstest.NewDeflater()
		var frames []wstest.Frame
		for _, text := range texts {
			if !takeover {
				d = wstest.NewDeflater()
			}
			frames = append(frames, wstest.Compressed(d.Message(text)))
		}
		return frames
	}
	const takeover, without = "Sec-WebSocket-Extensions: permessage-deflate", "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover"
	for name, test := range map[string]struct {
		head   string
		frames []wstest.Frame
		want   string
	}{
		"as they are":                       {"X: y", []wstest.Frame{wstest.Text("a"), wstest.Text(""), wstest.Binary("b")}, "a,,b"},
		"in pieces":                         {"X: y", append(wstest.Fragments(wstest.OpText, "ab", "", "cd"), wstest.Text("e")), "abcd,e"},
		"too long":                          {"X: y", []wstest.Frame{wstest.Text(long), wstest.Text("a")}, "-1000,a"},
		"too long in pieces":                {"X: y", append(wstest.Fragments(wstest.OpText, "ab", long), wstest.Text("e")), "-1002,e"},
		"compressed":                        {takeover, deflated(true, word, word), word + "," + word},
		"compressed without takeover":       {without, deflated(false, word, word), word + "," + word},
		"compressed and too long":           {takeover, deflated(true, word, long, word, long+"x", "x"), word + ",-," + word + ",-,x"},
		"compressed, too long, no takeover": {without, deflated(false, long, word), "-," + word},
	} {
		for _, early := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " ", early), func(t *testing.T) {
				server := wstest.Start(func(c *wstest.Conn) {
					if early {
						var all string
						for _, f := range test.frames {
							all += f.Bytes()
						}
						c.Raw(c.AcceptHead(test.head) + all)
					} else {
						c.Accept(test.head)
						c.Message()
						c.Send(test.frames...)
					}
					c.Send(wstest.Close(1000, ""))
					c.Watch()
				})
				defer server.Close()
				c := dial(t, server.URL)
				c.KeepTexts(500)
				_ = c.SayPadded(nil, false, 1)
				var got []string
				for {
					e, err := c.Next()
					if err != nil {
						t.Fatal(err)
					}
					if e.Kind == bare.Closed {
						break
					}
					if e.Text == nil && strings.Contains(test.want, "-,") {
						got = append(got, "-")
					} else if e.Text == nil && e.Size > 0 {
						got = append(got, fmt.Sprint(-e.Size))
					} else {
						got = append(got, string(e.Text))
					}
				}
				if got := strings.Join(got, ","); got != test.want {
					t.Errorf("%q, want %q", got, test.want)
				}
			})
		}
	}
}

// TestQueue holds that messages arrive whole and in order, compressed or not, with control frames of other goroutines
// between them.
func TestQueue(t *testing.T) {
	for name, mode := range map[string]websocket.CompressionMode{
		"plain": websocket.CompressionDisabled, "takeover": websocket.CompressionContextTakeover, "no takeover": websocket.CompressionNoContextTakeover,
	} {
		t.Run(name, func(t *testing.T) {
			texts := [][]byte{nil, []byte("short"), bytes.Repeat([]byte("0123456789"), 20), bytes.Repeat([]byte("much text "), 200_000), []byte(strings.Repeat("again", 20))}
			for range 100 {
				texts = append(texts, []byte(`{"probe":"checkout","reason":"ok","status":"healthy","latency":0.0123}`))
			}
			got := make(chan string, len(texts))
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: mode})
				if err != nil {
					return
				}
				defer func() { _ = c.CloseNow() }()
				c.SetReadLimit(-1)
				for i := range texts {
					kind, text, err := c.Read(r.Context())
					if err != nil || (kind == websocket.MessageBinary) != (i%2 == 1) {
						got <- fmt.Sprint(kind, err)
						return
					}
					got <- string(text)
				}
			}))
			defer server.Close()
			c := dial(t, "ws"+strings.TrimPrefix(server.URL, "http"))
			var pinging sync.WaitGroup
			pinging.Go(func() {
				for i := range 100 {
					if err := c.SayPing(fmt.Sprint(i)); err != nil {
						t.Error(err)
					}
				}
			})
			pinging.Go(func() {
				for ponged := 0; ponged < 100; {
					e, err := c.Next()
					if err != nil {
						return // the server has read all messages
					}
					if e.Kind == bare.Pong {
						ponged++
					}
				}
			})
			for i, text := range texts {
				if err := c.Queue(i%2 == 1, text); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.Flush(); err != nil {
				t.Fatal(err)
			}
			for _, want := range texts {
				if got := <-got; got != string(want) {
					t.Fatalf("%.80q, want %.80q", got, want)
				}
			}
			pinging.Wait()
		})
	}
}

// TestBoundWrites holds that a server that does not read bounds no read, and that no frame follows one that was cut off.
func TestBoundWrites(t *testing.T) {
	c, server := open(t, func(c *wstest.Conn) {
		c.Accept()
		c.Pause(100 * time.Millisecond)
		c.Send(wstest.Text("hello"))
		c.Hold()
	})
	defer server.Close()
	c.BoundWrites(10 * time.Millisecond)
	var err error
	for range 1000 { // the buffers of the kernel have an end
		if err = c.Queue(false, make([]byte, 1<<20)); err != nil {
			break
		}
	}
	if !bare.TimedOut(err) || c.SayPing("") != err {
		t.Errorf("%v", err)
	}
	if e, err := c.Next(); err != nil || e.Size != 5 {
		t.Errorf("%+v, %v", e, err)
	}
}

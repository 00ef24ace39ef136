package stream

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/wsprobe/wsprobe/probe"
)

// TestRealServers: over TLS and with compression, a server by another hand that drops its connections in many ways gets
// each event.
func TestRealServers(t *testing.T) {
	for _, how := range []Proof{Pong, Message} {
		for _, secure := range []bool{true, false} {
			t.Run(fmt.Sprint(how, " ", secure), func(t *testing.T) {
				const events = 3000
				r := &rig{t: t}
				var calm sync.Map // connections are dropped until it has an entry
				handler := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { r.receive(w, req, how, &calm) })
				server := httptest.NewUnstartedServer(handler)
				if secure {
					server.StartTLS()
				} else {
					server.Start()
				}
				defer server.Close()
				o := options(r)
				o.Opening = probe.Opening{URL: "ws" + strings.TrimPrefix(server.URL, "http"), Compression: probe.CompressionOn}
				if secure {
					o.Opening.TLS = server.Client().Transport.(*http.Transport).TLSClientConfig
				}
				o.Acknowledgements, o.Workers, o.Batch.Events, o.Batch.Linger = how, 3, 5, 5*ms
				o.Reconnect.Min, o.Reconnect.Max, o.Drain, o.Timeout, o.PingTimeout = 5*ms, 20*ms, time.Minute, 30*sec, time.Minute
				r.run(o)
				pause := time.NewTicker(5 * ms)
				defer pause.Stop()
				for i := range events {
					name := fmt.Sprint("p", i%7)
					r.observe(name, fmt.Sprintf("%s/%06d", name, i))
					if i%100 == 0 {
						<-pause.C
					}
				}
				calm.Store("now", true)
				await(t, func() bool { return r.stream.Counts().Sent == events })
				r.stop()
				r.judge(events)
			})
		}
	}
}

// receive is the server.
func (r *rig) receive(w http.ResponseWriter, req *http.Request, how Proof, calm *sync.Map) {
	mode := []websocket.CompressionMode{websocket.CompressionContextTakeover, websocket.CompressionNoContextTakeover, websocket.CompressionDisabled}[rand.IntN(3)]
	c, err := websocket.Accept(w, req, &websocket.AcceptOptions{CompressionMode: mode})
	if err != nil {
		return
	}
	defer func() { _ = c.CloseNow() }()
	r.mu.Lock()
	r.connections++
	n := r.connections
	r.mu.Unlock()
	for left := 1 + rand.IntN(200); ; left-- {
		if _, isCalm := calm.Load("now"); left < 0 && !isCalm {
			if rand.IntN(2) == 0 { // else it is a FIN, or a reset if something is unread
				_ = c.Close(websocket.StatusGoingAway, "")
			}
			return
		}
		_, text, err := c.Read(req.Context())
		if err != nil {
			return
		}
		r.mu.Lock()
		r.texts = append(r.texts, fmt.Sprint(n, " ", string(text)))
		r.mu.Unlock()
		if how == Message && c.Write(req.Context(), websocket.MessageText, []byte(strings.Join(idsIn(r.t, string(text)), " "))) != nil {
			return
		}
	}
}

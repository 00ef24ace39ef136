// Command crowd is an endpoint for very many probes. It counts the connections of each probe.
//
//	crowd HOST:PORT
//
// The path says how it behaves: /echo/NAME answers a message with itself, /wrong/NAME with another text, and
// /early/NAME ends the connection once it is open. /counts has the connections of each name, as JSON.
package main

import (
	"encoding/json"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// connections is the record of one probe.
type connections struct {
	Count int   `json:"count"`
	Last  int64 `json:"last"` // when the last one began, in ms since 1970
}

// crowd is the record of all.
type crowd struct {
	mu     sync.Mutex
	byName map[string]connections
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: crowd HOST:PORT")
	}
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	c := &crowd{byName: map[string]connections{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/echo/{name}", c.counted(func(message []byte) []byte { return message }))
	mux.HandleFunc("/wrong/{name}", c.counted(func([]byte) []byte { return []byte("another text") }))
	mux.HandleFunc("/early/{name}", c.counted(nil))
	mux.HandleFunc("/counts", c.tell)
	log.Fatal(http.Serve(l, mux))
}

// counted serves one exchange, or none without an answer.
func (c *crowd) counted(answer func(message []byte) []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c.begin(r.PathValue("name"))
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		if answer == nil {
			return
		}
		kind, message, err := conn.Read(r.Context())
		if err != nil || conn.Write(r.Context(), kind, answer(message)) != nil {
			return
		}
		_, _, _ = conn.Read(r.Context()) // the close frame, which the library answers
	}
}

func (c *crowd) begin(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byName[name] = connections{c.byName[name].Count + 1, time.Now().UnixMilli()}
}

func (c *crowd) tell(w http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = json.NewEncoder(w).Encode(c.byName) // who asks sees a broken answer
}

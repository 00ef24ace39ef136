// Command receiver writes down each message that it takes by one of several WebSocket libraries.
//
// receiver LIBRARY ADDRESS FILE [answer|deaf|slow], or receiver read-benthos URL FILE to be a client. The line of a message names its connection and its kind, with the
// text in base64. With answer it replies to every event with the event's id. When deaf it reads nothing. When slow it
// waits for half a second before it takes a message.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// slowness is how long a slow program waits before each message.
const slowness = 500 * time.Millisecond

// libraries serve one request each.
var libraries = map[string]func(r *recorder, w http.ResponseWriter, request *http.Request) error{
	"coder": serveCoder, "gorilla": serveGorilla, "gobwas": serveGobwas, "gws": serveGWS, "x-net": serveXNet,
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 4 {
		log.Fatal("usage: receiver LIBRARY ADDRESS FILE [answer|deaf|slow]")
	}
	library, addr, path, mode := os.Args[1], os.Args[2], os.Args[3], ""
	if len(os.Args) > 4 {
		mode = os.Args[4]
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := file.WriteString("\n"); err != nil { // the process before may have been killed within a line
		log.Fatal(err)
	}
	r := &recorder{file: file, mode: mode}
	switch library {
	case "benthos":
		serveBenthos(r, addr)
	case "read-benthos":
		readBenthos(r, addr)
	}
	serve := libraries[library]
	if serve == nil {
		log.Fatalf("no library %q", library)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %s\n", l.Addr())
	log.Fatal(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		fmt.Printf("closed %v\n", serve(r, w, request))
	})))
}

// recorder writes messages to a file. A line that is written outlives a kill of the process, so that it need not be
// flushed to the disk.
type recorder struct {
	file *os.File
	mode string

	mu          sync.Mutex
	connections int
}

// connection returns a name that no other connection has, in this process or another.
func (r *recorder) connection() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.connections++
	return fmt.Sprintf("%d-%d", os.Getpid(), r.connections)
}

// deaf blocks for good if nothing shall be read.
func (r *recorder) deaf() {
	if r.mode == "deaf" {
		select {}
	}
}

// take writes a message down, and then returns what is to be answered, or nothing.
func (r *recorder) take(connection string, binary bool, message []byte) (answer []byte) {
	if r.mode == "slow" {
		time.Sleep(slowness)
	}
	kind := "text"
	if binary {
		kind = "binary"
	}
	r.mu.Lock()
	_, err := fmt.Fprintln(r.file, connection, kind, base64.StdEncoding.EncodeToString(message))
	r.mu.Unlock()
	if err != nil {
		log.Fatal(err) // no answer without the line
	}
	if r.mode != "answer" {
		return nil
	}
	return acknowledgement(message)
}

// acknowledgement repeats the id of an event, or those of several.
func acknowledgement(message []byte) []byte {
	type event struct {
		ID string `json:"id"`
	}
	var one event
	if json.Unmarshal(message, &one) == nil {
		return fmt.Appendf(nil, `{"id":%q}`, one.ID)
	}
	var several []event
	if err := json.Unmarshal(message, &several); err != nil {
		log.Fatalf("neither an event nor several: %v: %.200s", err, message)
	}
	ids := make([]string, len(several))
	for i, e := range several {
		ids[i] = e.ID
	}
	answer, _ := json.Marshal(map[string]any{"id": ids})
	return answer
}

package e2e

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

var receiverBinary = sync.OnceValues(func() (string, error) { return lab.Build(".", "./receiver") })

// receiver is a program on somebody's WebSocket library that writes down each message that it is given.
type receiver struct {
	library, mode string
	addr, file    string
	process       *lab.Process
}

// newReceiver starts a receiver, which keeps its address and its file over restarts. The modes are "", answer, deaf and
// slow: see the folder receiver.
func newReceiver(t *testing.T, library, mode string) *receiver {
	t.Helper()
	r := &receiver{library: library, mode: mode, addr: lab.FreeAddr(t), file: filepath.Join(t.TempDir(), "received")}
	r.start(t)
	return r
}

func (r *receiver) start(t *testing.T) {
	t.Helper()
	arguments := []string{r.library, r.addr, r.file, r.mode}
	switch r.library {
	case "ws", "websocket", "faye-websocket":
		node := need(t, "node", "nodejs")
		need(t, "npm", "npm")
		dir, err := nodeServers()
		if err != nil {
			missing(t, "%v", err)
		}
		r.process = lab.Start(t, node, append([]string{filepath.Join(dir, "receive.mjs")}, arguments...)...)
	case "websockets", "aiohttp", "tornado":
		r.process = lab.Start(t, needPython(t, r.library), append([]string{servers(t, "receive.py")}, arguments...)...)
	case "websocketd":
		host, port, _ := strings.Cut(r.addr, ":")
		arguments[0] = "stdin"
		program := append([]string{"--address", host, "--port", port, needPython(t), servers(t, "receive.py")}, arguments...)
		r.process = lab.Start(t, need(t, "websocketd", "websocketd"), program...)
	default:
		r.process = lab.Start(t, built(t, receiverBinary), arguments...)
	}
	listening(t, r.process, r.addr)
}

// message is one that a receiver was given.
type message struct {
	connection string // no other connection has the name; "-" if the program does not know its connections
	binary     bool
	text       []byte
}

// messages reads what the receiver wrote down. The last line of a program that was killed can lack its end.
func (r *receiver) messages(t *testing.T) (all []message) {
	t.Helper()
	data, err := os.ReadFile(r.file)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data[:bytes.LastIndexByte(data, '\n')+1]))
	lines.Buffer(nil, 256<<20)
	for lines.Scan() {
		var m message
		var kind, encoded string
		if n, _ := fmt.Sscan(lines.Text(), &m.connection, &kind, &encoded); n < 2 {
			t.Fatalf("%s: line %.100q", r.library, lines.Text())
		}
		m.binary = kind == "binary"
		if m.text, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			t.Fatalf("%s: %v in line %.100q", r.library, err, lines.Text())
		}
		all = append(all, m)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

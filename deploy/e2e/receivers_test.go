package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"math"
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

	read   int64 // how much of the file is in got
	got    []message
	broken string // a line that makes no sense
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

// messages returns what the receiver wrote down until now.
func (r *receiver) messages(t *testing.T) []message {
	t.Helper()
	file, err := os.Open(r.file)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.NewSectionReader(file, r.read, math.MaxInt64-r.read))
	if err != nil {
		t.Fatal(err)
	}
	// Each process begins with an empty line. The line before it lacks its end if the process before was killed.
	whole := data[:bytes.LastIndexByte(data, '\n')+1]
	r.read += int64(len(whole))
	for line := range bytes.Lines(whole) {
		if len(line) == 1 {
			r.broken = ""
			continue
		}
		if r.broken != "" {
			t.Fatalf("%s wrote the line %.100q", r.library, r.broken)
		}
		if m, err := parseLine(string(line)); err != nil {
			r.broken = string(line)
		} else {
			r.got = append(r.got, m)
		}
	}
	return r.got
}

func parseLine(line string) (m message, err error) {
	var kind, text string
	if _, err := fmt.Sscan(line, &m.connection, &kind, &text); err != nil {
		return m, err
	}
	m.binary = kind == "binary"
	m.text, err = base64.StdEncoding.DecodeString(text)
	return m, err
}

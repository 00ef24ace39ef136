package session

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// scaleEnv has the number of sessions of TestScale. Without it,
// there are few, and no time is judged.
const scaleEnv, scaleServerEnv = "WSPROBE_SCALE", "WSPROBE_SCALE_SERVER"

// TestScaleServer is the server of TestScale, in a process of its own because each has a limit of descriptors. It prints
// its address, and at the end of its input how many connections were opened and closed with 1001.
func TestScaleServer(t *testing.T) {
	addr := os.Getenv(scaleServerEnv)
	if addr == "" {
		t.Skip("runs as a part of TestScale")
	}
	var l net.Listener
	var err error
	for range 100 {
		if l, err = net.Listen("tcp", addr); err == nil {
			break
		}
		time.Sleep(100 * ms)
	}
	if err != nil {
		t.Fatal(err)
	}
	var opens, away atomic.Int64
	server := wstest.Serve(l, nil, func(c *wstest.Conn) {
		c.Accept()
		opens.Add(1)
		for {
			f := c.Read()
			switch f.Opcode {
			case wstest.OpPing:
				c.Send(wstest.Pong(f.Payload))
			case wstest.OpClose:
				if binary.BigEndian.Uint16([]byte(f.Payload)) == closeGoingAway {
					away.Add(1)
				}
				c.Send(wstest.Close(closeGoingAway, ""))
				return
			}
		}
	})
	fmt.Println("address", l.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	fmt.Println("counts", opens.Load(), away.Load())
	server.Close()
}

// scaleServer is a server that runs.
type scaleServer struct {
	process *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Scanner
	addr    string
}

func startScaleServer(t *testing.T, addr string) *scaleServer {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestScaleServer$")
	cmd.Env = append(os.Environ(), scaleServerEnv+"="+addr)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &scaleServer{process: cmd, input: in, output: bufio.NewScanner(out)}
	t.Cleanup(s.kill)
	s.addr = s.line(t, "address")[0]
	return s
}

// line returns the words of the next line that begins with a word.
func (s *scaleServer) line(t *testing.T, word string) []string {
	t.Helper()
	for s.output.Scan() {
		if words := strings.Fields(s.output.Text()); len(words) > 1 && words[0] == word {
			return words[1:]
		}
	}
	t.Fatalf("the server said no %s", word)
	return nil
}

func (s *scaleServer) kill() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

// crowd is what many sessions tell.
type crowd struct {
	interval time.Duration
	books    []ledger
	opens    []time.Time // the last one of each
	mu       sync.Mutex
	count    map[string]int
	late     []time.Duration // of Pings
	ends     []time.Time
}

// note takes an event of a session.
func (c *crowd) note(i int, e Event) {
	c.books[i].note(e)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e.Kind {
	case Opened:
		c.opens[i] = e.At
	case Ended:
		c.ends = append(c.ends, e.At)
	case Ponged:
		c.late = append(c.late, e.At.Add(-e.RTT).Sub(c.opens[i])%c.interval)
	}
	c.count[describeKind(e)]++
}

// wait waits until something was told so many times.
func (c *crowd) wait(t *testing.T, kind string, n int) time.Duration {
	t.Helper()
	for began := time.Now(); ; time.Sleep(10 * ms) {
		c.mu.Lock()
		got := c.count[kind]
		c.mu.Unlock()
		if got >= n {
			return time.Since(began)
		}
		if time.Since(began) > 2*time.Minute { // only a hang meets it
			t.Fatalf("%d of %d %s", got, n, kind)
		}
	}
}

// TestScale holds many sessions: all open, all pinged in time, all cut by the kill of their server and told so once,
// all back without a storm, and all closed with 1001 at the stop.
func TestScale(t *testing.T) {
	many, interval, judged := 500, sec, false
	if text := os.Getenv(scaleEnv); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		many, interval, judged = n, 10*sec, true
	}
	server := startScaleServer(t, "127.0.0.1:0")
	s := Spec{PingInterval: interval, PingTimeout: 2 * time.Minute, Timeout: 30 * sec}
	s.URL = "ws://" + server.addr
	hub := NewHub(Options{})
	session := newSession(t, hub, s)
	c := &crowd{interval: interval, books: make([]ledger, many), opens: make([]time.Time, many), count: make(map[string]int)}
	for i := range many {
		hub.Add(session, func(e Event) { c.note(i, e) })
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	over := make(chan struct{})
	go func() { hub.Run(ctx); close(over) }()
	judge := func(what string, took, most time.Duration) {
		t.Logf("%s: %v", what, took)
		if judged && took > most {
			t.Errorf("%s took %v", what, took)
		}
	}
	judge("all open", c.wait(t, "opened", many), time.Minute)
	c.wait(t, "ponged", 3*many)
	c.mu.Lock()
	slices.Sort(c.late)
	judge("99 of 100 Pings are late by", c.late[len(c.late)*99/100], 5*ms)
	c.late = nil
	if c.count["opened"] != many || c.count["failed"]+len(c.ends) > 0 {
		t.Errorf("before the kill: %v", c.count)
	}
	c.mu.Unlock()
	before := heapInUse()
	killed := time.Now()
	server.kill()
	judge("all ends told", c.wait(t, "ended", many), 10*sec)
	c.mu.Lock()
	slices.SortFunc(c.ends, time.Time.Compare)
	judge("last end after the kill", c.ends[many-1].Sub(killed), 2*sec)
	c.mu.Unlock()
	server = startScaleServer(t, server.addr)
	judge("all back", c.wait(t, "opened", 2*many), time.Minute)
	c.wait(t, "ponged", 5*many)
	c.mu.Lock()
	t.Logf("%d MiB of heap and stacks in use before the kill, %d after: %v", before>>20, heapInUse()>>20, c.count)
	if n := c.count["failed"]; n > 8*many {
		t.Errorf("%d opens failed", n)
	}
	c.mu.Unlock()
	stopped := time.Now()
	cancel()
	<-over
	judge("stop", time.Since(stopped), 2*sec)
	_ = server.input.Close()
	if counts := server.line(t, "counts"); counts[0] != strconv.Itoa(many) || counts[1] != strconv.Itoa(many) {
		t.Errorf("the server saw %s opens and %s closes with 1001", counts[0], counts[1])
	}
	for i := range c.books {
		if problem := c.books[i].verdict(); problem != "" || c.books[i].opened != 2 {
			t.Fatalf("session %d: %d opened, %s", i, c.books[i].opened, problem)
		}
	}
}

// heapInUse is the memory that is in use after a collection.
func heapInUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// visits is an endpoint's own log.
type visits struct {
	mu   sync.Mutex
	at   map[string][]time.Time // by probe
	all  int
	more chan struct{}
}

func (v *visits) script(name string) wstest.Script {
	return func(c *wstest.Conn) {
		c.Request()
		v.note(name)
		wstest.Echo(c)
	}
}

// note notes a visit by a probe.
func (v *visits) note(name string) {
	v.mu.Lock()
	v.at[name] = append(v.at[name], time.Now())
	v.all++
	v.mu.Unlock()
	select {
	case v.more <- struct{}{}:
	default:
	}
}

// await returns when the endpoint was visited so many times more.
func (v *visits) await(t *testing.T, times int) {
	t.Helper()
	count := func() int {
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.all
	}
	late := time.After(patience)
	for want := count() + times; count() < want; {
		select {
		case <-v.more:
		case <-late:
			t.Fatalf("%d visits, want %d", count(), want)
		}
	}
}

// fickle is a back end that can be away, refuse, or hang.
type fickle struct {
	address    string
	http       bool
	answerTime time.Duration // the time-out of the agent's exports, if it is not the usual one
	got        receiver.Inbox[receiver.Point]
	records    receiver.Inbox[receiver.Record]
	spans      receiver.Inbox[receiver.Span]

	mu    sync.Mutex
	mood  func(context.Context) error // nil accepts
	leave func()
}

func (f *fickle) set(mood func(context.Context) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mood = mood
}

// come begins to listen, at the first address for ever after.
func (f *fickle) come(t *testing.T) {
	t.Helper()
	if f.address == "" {
		f.address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", f.address)
	if err != nil {
		t.Fatal(err)
	}
	f.address = l.Addr().String()
	r := &receiver.Receiver{Point: f.got.Add, Record: f.records.Add, Span: f.spans.Add, StopTime: answerTime}
	r.Answer = func(ctx context.Context, _ *receiver.Request) (*receiver.PartialSuccess, error) {
		f.mu.Lock()
		mood := f.mood
		f.mu.Unlock()
		if mood == nil {
			return nil, nil
		}
		return nil, mood(ctx)
	}
	serve := r.Serve
	if f.http {
		serve = r.ServeHTTPProtobuf
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- serve(ctx, l) }()
	f.leave = sync.OnceFunc(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("receiver: %v", err)
		}
	})
	t.Cleanup(f.leave)
}

// startAgent runs the program itself.
func startAgent(t *testing.T, file string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	log := new(bytes.Buffer)
	cmd := exec.Command(self)
	cmd.Args = []string{"wsprobe", "run", "-c", file} // see TestMain
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, log
}

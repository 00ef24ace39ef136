package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a program that a test started. It and what it started itself end with the test at the latest.
type process struct {
	name   string
	cmd    *exec.Cmd
	output *output
	exited chan struct{} // closed once err is set
	err    error
}

// start runs a program with nothing in its environment but PATH and env: a proxy or an OTEL_ variable of
// the machine must not change what is tested.
func start(t *testing.T, env []string, path string, args ...string) *process {
	t.Helper()
	p := &process{
		name:   path[strings.LastIndexByte(path, '/')+1:],
		cmd:    exec.Command(path, args...),
		output: &output{},
		exited: make(chan struct{}),
	}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	p.cmd.Dir = t.TempDir()
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a group of its own, for kill
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", p.name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("output of %s (%v):\n%s", p.name, p.cmd.ProcessState, p.output)
		}
	})
	return p
}

// running fails the test if the program has ended by itself.
func (p *process) running(t *testing.T) {
	t.Helper()
	select {
	case <-p.exited:
		t.Fatalf("%s ended by itself: %v", p.name, p.cmd.ProcessState)
	default:
	}
}

// terminate sends SIGTERM and returns the exit code and how long the program took to end. It fails the
// test when that is more than limit.
func (p *process) terminate(t *testing.T, limit time.Duration) (code int, took time.Duration) {
	t.Helper()
	p.running(t)
	sent := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("SIGTERM to %s: %v", p.name, err)
	}
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode(), time.Since(sent)
	case <-time.After(limit):
		t.Fatalf("%s still runs %v after SIGTERM", p.name, limit)
		return 0, 0
	}
}

// kill ends the program, if it still runs, with everything that it started, and waits for its end.
func (p *process) kill() {
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return
	}
	<-p.exited
}

// output keeps what a program prints, while it prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

// String returns the end of what was printed; a failure shows there.
func (o *output) String() string {
	const most = 16 << 10
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.buf.Bytes()
	return string(b[max(0, len(b)-most):])
}

// eventually polls until the condition holds. After limit it fails the test and says what it waited for,
// with what state reports at that moment.
func eventually(t *testing.T, limit time.Duration, what string, condition func() (ok bool, state string)) {
	t.Helper()
	const every = 50 * time.Millisecond
	tick := time.NewTicker(every)
	defer tick.Stop()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for {
		ok, state := condition()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited %v for %s; now: %s", limit, what, state)
		}
	}
}

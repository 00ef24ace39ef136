package lab

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is a program that a test started. It ends with the test at the latest; the end of its output
// is logged if the test fails.
type Process struct {
	name   string
	cmd    *exec.Cmd
	output tail
	exited chan struct{} // closed after Wait
}

// Start runs a program with nothing but PATH in its environment: a proxy or an OTEL_ variable of the
// machine must not change the result.
func Start(t *testing.T, program string, args ...string) *Process {
	t.Helper()
	p := &Process{name: filepath.Base(program), cmd: exec.Command(program, args...), exited: make(chan struct{})}
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	p.cmd.Dir = t.TempDir()
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", p.name, err)
	}
	go func() {
		_ = p.cmd.Wait() // ProcessState has the result
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.Kill(t)
		if t.Failed() {
			t.Logf("output of %s (%v):\n%s", p.name, p.cmd.ProcessState, p.output.String())
		}
	})
	return p
}

// Running fails the test if the program has ended by itself.
func (p *Process) Running(t *testing.T) {
	t.Helper()
	select {
	case <-p.exited:
		t.Fatalf("%s ended by itself: %v", p.name, p.cmd.ProcessState)
	default:
	}
}

// Stop sends SIGTERM and wants the program to end with exit code 0 within limit.
func (p *Process) Stop(t *testing.T, limit time.Duration) {
	t.Helper()
	p.Running(t)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("SIGTERM to %s: %v", p.name, err)
	}
	select {
	case <-p.exited:
		if code := p.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("exit code of %s after SIGTERM: got %d, want 0", p.name, code)
		}
	case <-time.After(limit):
		t.Fatalf("%s still runs %v after SIGTERM", p.name, limit)
	}
}

// Kill ends the program as kill -9 does and waits for its end; a program that has ended stays so.
func (p *Process) Kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("killing %s: %v", p.name, err)
		return
	}
	<-p.exited
}

// Output returns the end of the program's output.
func (p *Process) Output() string { return p.output.String() }

// tail keeps the last 16 to 32 KiB of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 16 << 10

func (o *tail) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf = append(o.buf, b...)
	if len(o.buf) > 2*tailSize {
		o.buf = bytes.Clone(o.buf[len(o.buf)-tailSize:])
	}
	return len(b), nil
}

func (o *tail) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.buf)
}

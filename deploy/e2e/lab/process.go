package lab

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is a program that a test started. It ends with the test at the latest, and so do the programs that it started
// itself. The end of its output is logged if the test fails.
type Process struct {
	Name string // of the program's file

	cmd    *exec.Cmd
	output tail
	exited chan struct{} // closed after Wait
}

// Start runs a program with nothing but PATH in its environment, because a proxy or an OTEL_ variable of the machine
// would change the result.
func Start(t *testing.T, program string, args ...string) *Process {
	t.Helper()
	return StartWith(t, nil, program, args...)
}

// StartWith is Start with more variables, each as KEY=VALUE.
func StartWith(t *testing.T, env []string, program string, args ...string) *Process {
	t.Helper()
	return start(t, env, nil, program, args)
}

// StartTo is Start, and copies the standard output to a writer as well.
func StartTo(t *testing.T, stdout io.Writer, program string, args ...string) *Process {
	t.Helper()
	return start(t, nil, stdout, program, args)
}

func start(t *testing.T, env []string, stdout io.Writer, program string, args []string) *Process {
	t.Helper()
	p := &Process{Name: filepath.Base(program), cmd: exec.Command(program, args...), exited: make(chan struct{})}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	p.cmd.Dir = t.TempDir()
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if stdout != nil {
		p.cmd.Stdout = io.MultiWriter(&p.output, stdout)
	}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a group of its own, for Kill
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", p.Name, err)
	}
	go func() {
		_ = p.cmd.Wait() // ProcessState has the result
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.Kill(t)
		if t.Failed() {
			t.Logf("output of %s (%v):\n%s", p.Name, p.cmd.ProcessState, p.output.String())
		}
	})
	return p
}

// Running fails the test if the program has ended by itself.
func (p *Process) Running(t *testing.T) {
	t.Helper()
	select {
	case <-p.exited:
		t.Fatalf("%s ended by itself: %v", p.Name, p.cmd.ProcessState)
	default:
	}
}

// Stop sends SIGTERM and wants the program to end with exit code 0 within limit.
func (p *Process) Stop(t *testing.T, limit time.Duration) {
	t.Helper()
	if code := p.Terminate(t, limit); code != 0 {
		t.Errorf("exit code of %s after SIGTERM: got %d, want 0", p.Name, code)
	}
}

// Terminate sends SIGTERM and returns the exit code. It fails the test if the program ended before, or still runs after
// limit.
func (p *Process) Terminate(t *testing.T, limit time.Duration) (code int) {
	t.Helper()
	p.Signal(t, syscall.SIGTERM)
	return p.Exit(t, limit)
}

// Signal sends a signal to the program, which must still run.
func (p *Process) Signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	p.Running(t)
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatalf("%v to %s: %v", signal, p.Name, err)
	}
}

// Exit waits for the end of the program and returns its exit code. It fails the test if the program still runs after
// limit.
func (p *Process) Exit(t *testing.T, limit time.Duration) (code int) {
	t.Helper()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(limit):
		t.Fatalf("%s still runs after %v", p.Name, limit)
		return 0
	}
}

// Kill ends the program and those that it started as kill -9 does, and waits for its end. A program that has ended stays
// so.
func (p *Process) Kill(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Errorf("killing %s: %v", p.Name, err)
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

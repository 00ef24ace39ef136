package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// Settings is a configuration of the agent; it is written as JSON, which is YAML as well.
type Settings map[string]any

// Write stores the configuration and returns the file's path.
func (s Settings) Write(t *testing.T) string {
	t.Helper()
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "wsprobe.yaml")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// StartAgent runs `wsprobe run` with a configuration.
func StartAgent(t *testing.T, s Settings) *Process {
	t.Helper()
	return StartProgram(t, "run", "-c", s.Write(t))
}

// StartProgram runs wsprobe with arguments.
func StartProgram(t *testing.T, args ...string) *Process {
	t.Helper()
	program, err := agent()
	if err != nil {
		t.Fatal(err)
	}
	return Start(t, program, args...)
}

// agentModule is the folder of wsprobe's own module, from that of a test in deploy/e2e or below it.
func agentModule() string {
	if _, err := os.Stat("../../cmd/wsprobe"); err == nil {
		return "../.."
	}
	return "../../.."
}

// buildLimit is for a build without any cache on a small machine.
const buildLimit = 8 * time.Minute

// agent returns the binary that WSPROBE names or else builds it, once a test binary.
var agent = sync.OnceValues(func() (string, error) {
	if program := os.Getenv("WSPROBE"); program != "" {
		return filepath.Abs(program)
	}
	return Build(agentModule(), "./cmd/wsprobe")
})

// Build compiles a main package from the module in a folder, with flags of go build, and returns the program's path.
// RunTests removes the program.
func Build(folder, pkg string, flags ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), buildLimit)
	defer cancel()
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	dir, err := Folder()
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, filepath.Base(filepath.Join(folder, pkg)))
	cmd := exec.CommandContext(ctx, "go", slices.Concat([]string{"build", "-o", program}, flags, []string{pkg})...)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s in %s: %w\n%s", pkg, folder, err, out)
	}
	return program, nil
}

// Folder is where the tests of a package keep what they build once. RunTests removes it.
var Folder = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "wsprobe-lab-") })

// RunTests runs the tests, removes what was built for them and returns the exit code.
func RunTests(m *testing.M) int {
	code := m.Run()
	if dir, err := Folder(); err == nil {
		_ = os.RemoveAll(dir)
	}
	return code
}

// FreeAddr returns a loopback address that no test got before. Its port is below those that systems choose for
// connections: one of these could take it before a program listens there.
func FreeAddr(t *testing.T) string {
	t.Helper()
	const first, ports, attempts = 20000, 12000, 1000
	for range attempts {
		addr := fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(ports))
		if _, given := addresses.LoadOrStore(addr, true); given {
			continue
		}
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = l.Close()
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}

// addresses are those that FreeAddr returned or found in use.
var addresses sync.Map

// Eventually polls until the condition holds. After limit it fails the test with the state that the
// condition reports at that moment.
func Eventually(t *testing.T, limit time.Duration, want string, condition func() (ok bool, state string)) {
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
			t.Fatalf("waited %v for %s; now: %s", limit, want, state)
		}
	}
}

// Wait returns after d or when the test's context ends.
func Wait(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// The modules of the programs under test, from this folder.
const (
	agentModule     = "../.."
	collectorModule = "../collector"
)

// buildLimit is for a build without any cache on a small machine.
const buildLimit = 8 * time.Minute

// The programs are built by the first test that needs them, so that -run on a test without a Collector
// does not wait for one.
var (
	agentBinary     = sync.OnceValues(func() (string, error) { return build(agentModule, "./cmd/wsprobe", detectRaces) })
	collectorBinary = sync.OnceValues(func() (string, error) { return build(collectorModule, ".", false) })
)

// binaries is where they are built; TestMain makes and removes it.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "wsprobe-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binaries = dir
	return m.Run()
}

// build compiles a main package of another module, with the flags of the environment so that whatever else is
// built there shares the cache, and returns the program's path.
func build(module, pkg string, race bool) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), buildLimit)
	defer cancel()
	abs, err := filepath.Abs(module)
	if err != nil {
		return "", err
	}
	program := filepath.Join(binaries, filepath.Base(filepath.Join(abs, pkg)))
	cmd := exec.CommandContext(ctx, "go", "build", "-race="+strconv.FormatBool(race), "-o", program, pkg)
	cmd.Dir = abs
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s in %s: %w\n%s", pkg, module, err, out)
	}
	return program, nil
}

// built returns a program or fails the test.
func built(t *testing.T, program func() (string, error)) string {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

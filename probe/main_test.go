package probe_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails when a goroutine is left after the tests: nothing of a run outlives it.
func TestMain(m *testing.M) {
	if scheme := os.Getenv(serving); scheme != "" {
		serveHere(scheme)
		return
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "24"); err != nil { // tests mostly wait
		panic(err)
	}
	code := m.Run()
	if left := leftovers(); code == 0 && left != "" {
		fmt.Fprintf(os.Stderr, "goroutines left after the tests:\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

// leftovers gives goroutines that are about to end a moment, and returns the stacks of those that stay.
func leftovers() string {
	var left string
	for range 200 {
		buf := make([]byte, 1<<20)
		buf = buf[:runtime.Stack(buf, true)]
		var stacks []string
		for _, stack := range strings.Split(string(buf), "\n\n") {
			if !strings.Contains(stack, "probe_test.TestMain(") && !strings.Contains(stack, "os/signal.") {
				stacks = append(stacks, stack)
			}
		}
		if left = strings.Join(stacks, "\n\n"); left == "" {
			return ""
		}
		<-time.After(10 * time.Millisecond)
	}
	return left
}

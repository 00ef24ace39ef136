package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// serverLimit is how long a server may take until it listens. RabbitMQ takes five seconds on two idle processors, and
// seven times as long on busy ones.
const serverLimit = 2 * time.Minute

// need returns the path of a program of this machine. Without it the test is skipped at a desk; CI, which
// installs what the tests need, is not let off.
func need(t *testing.T, program, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		path, err = exec.LookPath(filepath.Join("/usr/sbin", program)) // not in everybody's PATH
	}
	if err != nil {
		missing(t, "%s is not installed (Debian: apt-get install %s)", program, debianPackage)
	}
	return path
}

// missing skips the test for want of something, or fails it in CI.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// listening waits until a server that was started listens on the address.
func listening(t *testing.T, server *lab.Process, addr string) {
	t.Helper()
	lab.Eventually(t, serverLimit, server.Name+" to listen on "+addr, func() (bool, string) {
		server.Running(t)
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return false, err.Error()
		}
		return conn.Close() == nil, ""
	})
}

// announced waits for what a server prints when it is ready, and returns what the group of the pattern caught.
func announced(t *testing.T, server *lab.Process, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	var caught string
	lab.Eventually(t, serverLimit, server.Name+" to print "+pattern, func() (bool, string) {
		server.Running(t)
		match := re.FindStringSubmatch(server.Output())
		if match == nil {
			return false, server.Output()
		}
		caught = match[1]
		return true, ""
	})
	return caught
}

// fileWith writes a file into a folder of the test and returns its path.
func fileWith(t *testing.T, name, format string, args ...any) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, fmt.Appendf(nil, format, args...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// closedCleanly waits until a server of the folder servers has seen n connections end, and fails the test
// unless each did with the close code.
func closedCleanly(t *testing.T, server *lab.Process, n int, code string) {
	t.Helper()
	closed := regexp.MustCompile(`(?m)^closed (.*)$`)
	var closes [][]string
	lab.Eventually(t, 5*time.Second, "the end of every connection", func() (bool, string) {
		closes = closed.FindAllStringSubmatch(server.Output(), -1)
		return len(closes) >= n, fmt.Sprintf("%d of %d ended", len(closes), n)
	})
	for _, c := range closes {
		if c[1] != code {
			t.Errorf("%s saw a connection end with %s, want close code %s", server.Name, c[1], code)
		}
	}
	if len(closes) > n {
		t.Errorf("%s saw %d connections, want %d", server.Name, len(closes), n)
	}
}

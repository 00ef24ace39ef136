package probe_test

import (
	"crypto/tls"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// rootsVariable is set in the process that a test of the system's authorities runs in: they are read once.
const rootsVariable = "WSPROBE_TEST_ROOTS"

// TestSystemRootsAreReadAheadOfTheRun: a run needs no file of authorities any more, and does not spend its time on
// them.
func TestSystemRootsAreReadAheadOfTheRun(t *testing.T) {
	if os.Getenv(rootsVariable) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), rootsVariable+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	ca := wstest.NewCA()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, ca.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", file)
	t.Setenv("SSL_CERT_DIR", t.TempDir())
	server := wstest.StartTLS(wstest.Silent, &tls.Config{Certificates: []tls.Certificate{ca.Issue(wstest.Cert{})}})
	defer server.Close()
	p, err := probe.New(probe.Spec{Opening: probe.Opening{URL: server.URL}, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if got, err := p.Run(t.Context()); err != nil || got.Reason != reasons.OK {
		t.Errorf("got %q %q, %v; want ok", got.ErrorType, got.Detail, err)
	}
}

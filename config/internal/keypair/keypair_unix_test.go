//go:build unix

package keypair

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestCertificatesAreRegularFiles: a file of TLS that could keep the start waiting is not read.
func TestCertificatesAreRegularFiles(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{fifo, os.DevNull} {
		if _, problem := readSource(file); !strings.HasSuffix(problem, ": is no regular file") {
			t.Errorf("%s for TLS: %q", file, problem)
		}
	}
}

//go:build unix

package config

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestSecretsAreRegularFiles: what could keep a run waiting is not read; links, as mounted secrets are, are followed.
func TestSecretsAreRegularFiles(t *testing.T) {
	dir := t.TempDir()
	fifo, link, target := filepath.Join(dir, "fifo"), filepath.Join(dir, "link"), filepath.Join(dir, "target")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(target, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{fifo, os.DevNull} {
		if _, err := readSecret(file); err == nil || err.Error() != "is no regular file" {
			t.Errorf("%s: %v", file, err)
		}
	}
	for _, file := range []string{fifo, os.DevNull} {
		if _, problem := readSource(file); !strings.HasSuffix(problem, ": is no regular file") {
			t.Errorf("%s for TLS: %q", file, problem)
		}
	}
	if got, err := readSecret(link); got != "secret\n" || err != nil {
		t.Errorf("a link: %q, %v", got, err)
	}
}

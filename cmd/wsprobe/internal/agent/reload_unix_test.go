//go:build unix

package agent

import (
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestReloadOfAPipe: what can be read only once is a fault of the second time, and nobody waits for it.
func TestReloadOfAPipe(t *testing.T) {
	whileReloading(t, func(r *reloading) {
		if err := os.Remove(r.file); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(r.file, 0o600); err != nil {
			t.Skip(err)
		}
		w := r.get("POST", "/-/reload")
		if want := r.file + ": is a pipe, which can be read only once"; w.Code != http.StatusBadRequest || !strings.HasPrefix(w.Body.String(), want) {
			t.Errorf("%d %q", w.Code, w.Body)
		}
		r.want("a pipe", "one", 1, true)
		time.Sleep(time.Minute)
		if n := strings.Count(r.log.String(), "was not loaded"); n > 2 {
			t.Errorf("%d lines", n)
		}
	})
}

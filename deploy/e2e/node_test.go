package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// installLimit is for npm on a slow line. The packages are small.
const installLimit = 3 * time.Minute

// nodeServers is a copy of the folder servers with its packages, at the versions of its lock file. The first
// test that needs it makes it.
var nodeServers = sync.OnceValues(func() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), installLimit)
	defer cancel()
	folder, err := lab.Folder()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(folder, "servers")
	if err := os.CopyFS(dir, os.DirFS("servers")); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "npm", "ci")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return dir, nil
})

// startNode starts a script of the folder servers with arguments and returns it with the address that it listens on.
func startNode(t *testing.T, script string, args ...string) (server *lab.Process, addr string) {
	t.Helper()
	node := need(t, "node", "nodejs")
	need(t, "npm", "npm")
	dir, err := nodeServers()
	if err != nil {
		missing(t, "%v", err)
	}
	server = lab.Start(t, node, append([]string{filepath.Join(dir, script)}, args...)...)
	return server, announced(t, server, `(?m)^listening on (\S+)$`)
}

// startInspector starts a JavaScript program that can be debugged and returns the URL of its debugger, which
// speaks the DevTools protocol as a browser does.
func startInspector(t *testing.T) (url string) {
	t.Helper()
	program := lab.Start(t, need(t, "node", "nodejs"), "--inspect=127.0.0.1:0", "--eval", "setInterval(() => {}, 1000)")
	return announced(t, program, `(?m)^Debugger listening on (\S+)$`)
}

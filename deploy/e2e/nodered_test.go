package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// TestStreamToNodeRED sends events to a flow that writes them down and answers with their ids. Node-RED is the largest
// of the receivers, so that only the long tests install it. It is killed once.
func TestStreamToNodeRED(t *testing.T) {
	t.Parallel()
	if !long() {
		t.Skip("part of make e2e-long")
	}
	r := &receiver{library: "Node-RED", addr: lab.FreeAddr(t), file: filepath.Join(t.TempDir(), "received")}
	folder := installNodeRED(t)
	start := func() {
		_, port, _ := strings.Cut(r.addr, ":")
		r.process = lab.StartWith(t, []string{"RECEIVED=" + r.file, "HOME=" + folder}, need(t, "node", "nodejs"),
			filepath.Join(folder, "node_modules/node-red/red.js"), "--userDir", folder, "--settings", filepath.Join(folder, "settings.cjs"), "--port", port)
		listening(t, r.process, r.addr)
	}
	start()
	w := newWitness(t)
	agent := startStreaming(t, lab.NewEndpoint(t).Many(10), w.stream(), onDisk(t, "node-red", "ws://"+r.addr+"/events", "message"))
	r.awaitEvents(t, 50)
	r.process.Kill(t)
	w.await(t, len(w.events())+50)
	start()
	agent.finish(t, w, r, "node-red")
	judge(w.events(), deliveries(t, r.messages(t)), nil).check(t)
}

// installNodeRED installs what the folder nodered says.
func installNodeRED(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("nodered")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), installLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, need(t, "npm", "npm"), "ci")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		missing(t, "npm ci: %v\n%s", err, out)
	}
	return folder
}

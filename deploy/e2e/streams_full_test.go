package e2e

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// TestStreamBuffersCount keeps a receiver away until buffers are full. The events that it then gets, and those that were
// given up, are together those that there were.
func TestStreamBuffersCount(t *testing.T) {
	t.Parallel()
	const holds = 50
	for name, test := range map[string]struct {
		whenFull string
		kept     func(all, got []streamEvent) bool // which events the policy keeps
	}{
		"drop_oldest": {"drop_oldest", func(all, got []streamEvent) bool { return got[0].ID > all[0].ID }},
		"drop_newest": {"drop_newest", func(all, got []streamEvent) bool { return got[0].ID == all[0].ID }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, r := newWitness(t), newReceiver(t, "gobwas", "")
			r.process.Kill(t)
			buffer := map[string]any{"type": "memory", "max_events": holds, "when_full": test.whenFull}
			agent := startStreaming(t, lab.NewEndpoint(t).Many(20), w.stream(), map[string]any{
				"name": "full", "url": "ws://" + r.addr, "buffer": buffer, "reconnect": map[string]any{"max": "500ms"},
			})
			w.await(t, 4*holds)
			r.start(t)
			up := time.Now()
			w.await(t, len(w.events())+holds)
			all, got := agent.finish(t, w, r, "full")
			if c := len(all) - len(got); c < holds {
				t.Errorf("%d events were given up, want at least %d", c, holds)
			}
			if !test.kept(all, got) {
				t.Errorf("the first event is %v, and the first one received is %v", all[0], got[0])
			}
			old := func(e streamEvent) bool { return e.born().Before(up.Add(2 * time.Second)) }
			if a, g := slices.DeleteFunc(all, old), slices.DeleteFunc(got, old); len(a) != len(g) {
				t.Errorf("%d of %d events came once the receiver was back", len(g), len(a))
			}
		})
	}
}

// TestStreamFullDisk fills the disk of a buffer, makes room again, and only then lets the receiver come. Nothing is lost
// as long as the memory holds it, and the rest is counted.
func TestStreamFullDisk(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		most int
		lose bool
	}{
		"memory holds the rest": {10_000, false},
		"bounded":               {100, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := smallDisk(t, 2<<20)
			filler := filepath.Join(dir, "filler")
			if err := os.WriteFile(filler, make([]byte, 2<<20-64<<10), 0o600); err != nil {
				t.Fatal(err)
			}
			w, r := newWitness(t), newReceiver(t, "gws", "")
			r.process.Kill(t)
			agent := startStreaming(t, lab.NewEndpoint(t).Many(40), w.stream(), with(onDisk(t, "full", "ws://"+r.addr, "pong"), map[string]any{
				"buffer": map[string]any{"type": "disk", "dir": filepath.Join(dir, "stream"), "max_events": test.most},
			}))
			w.await(t, 400) // of more than half a kilobyte
			if output := agent.process.Output(); !strings.Contains(output, "no space left") {
				t.Errorf("the log does not tell of a full disk:\n%s", output)
			}
			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
			w.await(t, len(w.events())+80)
			r.start(t)
			all, got := agent.finish(t, w, r, "full")
			if lost := len(all) - len(got); lost > 0 != test.lose {
				t.Errorf("%d of %d events were lost", lost, len(all))
			}
		})
	}
}

// finish waits until the stream has nothing to send, stops the agent, and compares what was received and given up with
// what there was. It returns the events of the witness and of the receiver in the order of their making.
func (s *streaming) finish(t *testing.T, w *witness, r *receiver, stream string) (all, got []streamEvent) {
	t.Helper()
	lab.Eventually(t, serverLimit, "an empty buffer", func() (bool, string) {
		c := s.counts(t)[stream]
		return c != nil && c.buffered == 0, "not empty"
	})
	discarded := s.checkCounts(t)[stream].discarded // the receiver is there, so that no more will be
	stopAgent(t, s.process)
	all = w.events()
	seen := map[string]bool{}
	for _, d := range deliveries(t, r.messages(t)) {
		if !seen[d.ID] {
			got = append(got, d.streamEvent)
		}
		seen[d.ID] = true
	}
	if len(got)+int(discarded) != len(all) {
		t.Errorf("%d events received + %v given up, which is not %d", len(got), discarded, len(all))
	}
	byID := func(a, b streamEvent) int { return cmp.Compare(a.ID, b.ID) }
	slices.SortFunc(all, byID)
	slices.SortFunc(got, byID)
	return all, got
}

// smallDisk mounts a disk of some bytes, which only root may do.
func smallDisk(t *testing.T, size int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skipf("no disk of %d bytes: %v", size, err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmounting %s: %v", dir, err)
		}
	})
	return dir
}

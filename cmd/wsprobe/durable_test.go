package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// durableProbes is how many probes there are in TestEveryRunOfTheEndpointArrives, each with a run a second.
const durableProbes = 10

// lateRun is the time from the visit of a run to its record in the agent, for a machine that is very busy.
const lateRun = 3 * time.Second

// Each export of these tests has answerTime to be answered, so that no answer is lost because a machine is busy: a batch
// without its answer is sent again, and rightly arrives twice. A back end that hangs answers nothing, and takes that
// long each time.
const (
	answerTime = 30 * time.Second
	hangTime   = 10 * time.Second
)

// TestEveryRunOfTheEndpointArrives compares an endpoint's own log with what a back end has in the end that was away, or
// refused, or hung, for a while, and in some cases the agent was killed meanwhile.
func TestEveryRunOfTheEndpointArrives(t *testing.T) {
	refuse := func(code codes.Code) func(context.Context) error {
		return func(context.Context) error { return status.Error(code, "not now") }
	}
	hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for _, c := range []struct {
		name  string
		http  bool
		mood  func(context.Context) error // nil: away
		kill  bool
		hangs bool
	}{
		{name: "grpc/away"},
		{name: "grpc/away, killed", kill: true},
		{name: "grpc/exhausted, killed", mood: refuse(codes.ResourceExhausted), kill: true},
		{name: "http/not authenticated", http: true, mood: refuse(codes.Unauthenticated)},
		{name: "http/hangs, killed", http: true, mood: hang, kill: true, hangs: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			log := &visits{at: make(map[string][]time.Time), more: make(chan struct{}, 1)}
			back := &fickle{http: c.http}
			if c.hangs {
				back.answerTime = hangTime
			}
			back.come(t)
			file := durableFile(t, log, back)
			var forgiven []window

			agent, _ := startAgent(t, file)
			log.await(t, 2*durableProbes)
			awaitPoints(t, &back.got, 1, receiver.Of("wsprobe.connection_success", "p0"))
			if back.set(c.mood); c.mood == nil {
				back.leave()
			}
			log.await(t, 6*durableProbes)
			if c.kill {
				forgiven = append(forgiven, killAgent(t, agent, file))
				agent, _ = startAgent(t, file)
				log.await(t, 3*durableProbes)
			}
			if back.set(nil); c.mood == nil {
				back.come(t)
			}
			recovered := time.Now()
			log.await(t, 2*durableProbes)
			awaitEmptySpool(t, back, recovered)
			stopped := time.Now()
			stopAgent(t, agent)
			forgiven = append(forgiven, window{stopped.Add(-lateRun), time.Now()})
			back.leave()
			for name, at := range log.at {
				compare(t, name, at, back.got.Where(receiver.Of("wsprobe.connection_success", name)), forgiven)
			}
		})
	}
}

// durableFile writes the configuration of an agent that probes an endpoint with a log.
func durableFile(t *testing.T, log *visits, back *fickle) string {
	t.Helper()
	scripts := make(map[string]wstest.Script)
	for i := range durableProbes {
		name := fmt.Sprintf("p%d", i)
		scripts["/"+name] = log.script(name)
	}
	endpoint := wstest.Start(wstest.ByPath(scripts))
	t.Cleanup(endpoint.Close)
	file := filepath.Join(t.TempDir(), "wsprobe.yaml")
	protocol := "grpc"
	if back.http {
		protocol = "http/protobuf"
	}
	text := fmt.Sprintf(`agent: {listen: ""}
otlp: {endpoint: "http://%s", protocol: %s, interval: 1s, timeout: %s, spool: {dir: "%s"}}
probes:
`, back.address, protocol, cmp.Or(back.answerTime, answerTime), spoolOf(file))
	for i := range durableProbes {
		text += fmt.Sprintf("  - {name: p%d, url: \"%sp%d\", interval: 1s}\n", i, endpoint.URL, i)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// spoolOf is the spool of the agent with a configuration file.
func spoolOf(file string) string {
	return filepath.Join(filepath.Dir(file), "spool")
}

// killAgent kills the agent and returns the window whose runs may be lost by that: those which no batch on disk can have.
func killAgent(t *testing.T, agent *exec.Cmd, file string) window {
	t.Helper()
	saved := savedUntil(t, spoolOf(file))
	if err := agent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = agent.Wait() // it says that it was killed
	return window{saved.Add(-lateRun), time.Now()}
}

// savedUntil returns a time until which the runs that were recorded are on disk, of every signal. It is the time of the
// last batch but one: the last one has the runs that were recorded while that was made.
func savedUntil(t *testing.T, spool string) time.Time {
	t.Helper()
	times := make(map[string][]time.Time) // by folder
	err := filepath.WalkDir(spool, func(path string, _ os.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // a batch that was delivered meanwhile
			return nil
		}
		if filepath.Ext(path) != ".batch" || err != nil {
			return err
		}
		began, _, _ := strings.Cut(filepath.Base(path), "-")
		ns, err := strconv.ParseInt(began, 10, 64)
		if err != nil {
			return err
		}
		times[filepath.Dir(path)] = append(times[filepath.Dir(path)], time.Unix(0, ns))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var until time.Time
	for folder, all := range times {
		if len(all) < 2 {
			t.Fatalf("%s has %d batches, want some", folder, len(all))
		}
		slices.SortFunc(all, time.Time.Compare)
		if saved := all[len(all)-2]; until.IsZero() || saved.Before(until) {
			until = saved
		}
	}
	if until.IsZero() {
		t.Fatal("nothing is on disk")
	}
	return until
}

// awaitEmptySpool returns when the agent has said, of a moment after since, that nothing waited.
func awaitEmptySpool(t *testing.T, back *fickle, since time.Time) {
	t.Helper()
	awaitPoints(t, &back.got, 1, func(p receiver.Point) bool {
		return p.Metric == "wsprobe.agent.export.queue.length" && p.Value == 0 && p.Time.After(since)
	})
}

// awaitPoints returns when n points have arrived that match.
func awaitPoints(t *testing.T, got *receiver.Inbox[receiver.Point], n int, match func(receiver.Point) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := got.Await(ctx, n, match); err != nil {
		t.Fatal(err)
	}
}

// stopAgent stops the agent, which must end well.
func stopAgent(t *testing.T, agent *exec.Cmd) {
	t.Helper()
	if err := agent.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := agent.Wait(); err != nil {
		t.Errorf("the agent: %v", err)
	}
}

type window struct{ from, to time.Time }

// compare wants each visit to lie in one point, from its start to its time, and each point to have a visit. Visits in
// a window that is forgiven may be without a point, but not have two.
func compare(t *testing.T, name string, visits []time.Time, points []receiver.Point, forgiven []window) {
	t.Helper()
	met := make([]int, len(points))
	missing := 0
	for _, at := range visits {
		found := 0
		for i, p := range points {
			if !at.Before(p.Start) && !at.After(p.Time) {
				found++
				met[i]++
			}
		}
		spared := slices.ContainsFunc(forgiven, func(w window) bool { return !at.Before(w.from) && !at.After(w.to) })
		if found > 1 || found == 0 && !spared {
			t.Errorf("%s: the run at %v has %d points", name, at, found)
		}
		if found == 0 {
			missing++
		}
	}
	for i, p := range points {
		if met[i] != 1 {
			t.Errorf("%s: the point from %v to %v is that of %d runs", name, p.Start, p.Time, met[i])
		}
	}
	if len(visits) < 5 || missing > len(visits)/2 {
		t.Errorf("%s: %d of %d runs are missing: the test proves nothing", name, missing, len(visits))
	}
}

// TestSpoolInUse starts a second agent on the spool of a first one.
func TestSpoolInUse(t *testing.T) {
	log := &visits{at: make(map[string][]time.Time), more: make(chan struct{}, 1)}
	back := &fickle{}
	back.come(t)
	file := durableFile(t, log, back)
	first, _ := startAgent(t, file)
	log.await(t, 1)
	second, text := startAgent(t, file)
	err := second.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(text.String(), "another agent uses the directory") {
		t.Errorf("the second agent: %v, %s", err, text)
	}
	stopAgent(t, first)
}

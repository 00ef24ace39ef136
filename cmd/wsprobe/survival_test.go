package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// visit is a run of a probe as its endpoint knows it.
type visit struct {
	at    time.Time
	trace string // that the request says it is in
}

// refusals is the log of an endpoint that refuses every run, so that each run is a point, a log record and a trace.
type refusals struct {
	visits visits
	mu     sync.Mutex
	runs   []visit
}

func (r *refusals) script(name string) wstest.Script {
	return func(c *wstest.Conn) {
		parts := strings.Split(c.Request().Header.Get("Traceparent"), "-")
		r.mu.Lock()
		if len(parts) == 4 {
			r.runs = append(r.runs, visit{time.Now(), parts[1]})
		}
		r.mu.Unlock()
		r.visits.note(name)
		c.Refuse(403, "no")
	}
}

// TestEverySignalOutlivesAKill kills the agent while its back end is away. The agent that starts then delivers what the
// first one had collected: each run is one point, one log record and one trace.
func TestEverySignalOutlivesAKill(t *testing.T) {
	for _, protocol := range []string{"grpc", "http/protobuf"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			log := &refusals{visits: visits{at: make(map[string][]time.Time), more: make(chan struct{}, 1)}}
			back := &fickle{http: protocol != "grpc"}
			back.come(t)
			file := survivalFile(t, log, back, protocol)

			agent, _ := startAgent(t, file)
			log.visits.await(t, 2*durableProbes)
			awaitPoints(t, &back.got, 1, receiver.Of("wsprobe.connection_success", "p0"))
			back.leave()
			log.visits.await(t, 6*durableProbes)
			killed := time.Now()
			forgiven := []window{killAgent(t, agent, file)}
			agent, _ = startAgent(t, file)
			log.visits.await(t, 3*durableProbes)
			back.come(t)
			recovered := time.Now()
			log.visits.await(t, 2*durableProbes)
			awaitEmptySpool(t, back, recovered)
			stopped := time.Now()
			stopAgent(t, agent)
			forgiven = append(forgiven, window{stopped.Add(-lateRun), time.Now()})
			back.leave()

			t.Run("metrics", func(t *testing.T) {
				for name, at := range log.visits.at {
					compare(t, name, at, back.got.Where(receiver.Of("wsprobe.connection_success", name)), forgiven)
				}
			})
			t.Run("log records", func(t *testing.T) {
				arrived := make(map[string]int)
				for _, r := range back.records.Where(func(r receiver.Record) bool { return r.Event == "wsprobe.run.failed" }) {
					arrived[r.TraceID]++
				}
				compareTraces(t, log.runs, arrived, killed, forgiven)
			})
			t.Run("traces", func(t *testing.T) {
				arrived := make(map[string]int)
				for _, s := range back.spans.Where(func(s receiver.Span) bool { return s.ParentID == "" }) {
					arrived[s.TraceID]++
				}
				compareTraces(t, log.runs, arrived, killed, forgiven)
			})
		})
	}
}

// survivalFile writes the configuration of an agent that exports all signals.
func survivalFile(t *testing.T, log *refusals, back *fickle, protocol string) string {
	t.Helper()
	scripts := make(map[string]wstest.Script)
	for i := range durableProbes {
		name := fmt.Sprintf("p%d", i)
		scripts["/"+name] = log.script(name)
	}
	endpoint := wstest.Start(wstest.ByPath(scripts))
	t.Cleanup(endpoint.Close)
	file := filepath.Join(t.TempDir(), "wsprobe.yaml")
	text := fmt.Sprintf(`agent: {listen: ""}
otlp: {endpoint: "http://%s", protocol: %s, interval: 1s, timeout: %s, logs: true, traces: true, spool: {dir: "%s"}}
probes:
`, back.address, protocol, answerTime, spoolOf(file))
	for i := range durableProbes {
		text += fmt.Sprintf("  - {name: p%d, url: \"%sp%d\", interval: 1s}\n", i, endpoint.URL, i)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// compareTraces wants each run to have arrived once, by its trace. Runs in a window that is forgiven may be absent.
// Runs of before the kill must be among those that arrived, because they prove something.
func compareTraces(t *testing.T, runs []visit, arrived map[string]int, killed time.Time, forgiven []window) {
	t.Helper()
	before := 0
	for _, r := range runs {
		n := arrived[r.trace]
		spared := slices.ContainsFunc(forgiven, func(w window) bool { return !r.at.Before(w.from) && !r.at.After(w.to) })
		if n > 1 || n == 0 && !spared {
			t.Errorf("the run at %v in the trace %s arrived %d times", r.at, r.trace, n)
		}
		if n == 1 && r.at.Before(killed) && !spared {
			before++
		}
		delete(arrived, r.trace)
	}
	for trace, n := range arrived {
		t.Errorf("a run in the trace %s, which the endpoint does not know, arrived %d times", trace, n)
	}
	if before < 2*durableProbes {
		t.Errorf("%d runs of before the kill arrived: the test proves little", before)
	}
}

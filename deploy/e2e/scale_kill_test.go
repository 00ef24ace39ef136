package e2e

import (
	"bytes"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// TestKilledCollectorGetsEveryRun kills the Collector while two hundred probes are exported to it, and starts it again.
// The agent keeps what was not accepted in its spool. Every run must be there, and only points of a request whose
// answer was lost may come again, each with its old time.
func TestKilledCollectorGetsEveryRun(t *testing.T) {
	t.Parallel()
	const kills = 2
	// As many as fit into one file of the Collector, which it replaces by the next after 64 MB.
	s := atScale{probes: 200, interval: 2 * time.Second, export: time.Second, again: true}
	crowd, c := lab.StartCrowd(t), newCollector(t)
	c.start(t)
	probes := crowd.Probes("p", s.probes)
	settings := s.settings(t, "http://"+c.grpc, probes)
	settings["otlp"].(map[string]any)["spool"] = map[string]any{"dir": t.TempDir()}
	agent := lab.StartAgent(t, settings)
	for range kills {
		lab.Wait(t, 6*time.Second)
		c.Kill(t)
		lab.Wait(t, 4*time.Second)
		c.start(t)
	}
	lab.Wait(t, 8*time.Second)
	stopped := time.Now()
	s.stop(t, agent)
	c.Stop(t, lab.StopLimit)

	y := newLedger(false)
	if torn := c.tell(t, y); torn > kills {
		t.Errorf("%d lines of the Collector's file are torn, want at most one a kill", torn)
	}
	s.checkEveryRun(t, y, crowd, probes, stopped)
	s.checkTicks(t, y, probes)
}

// tell adds the requests in the Collector's file to a ledger. It returns how many a kill has torn: the next request
// follows on the same line.
func (c *collector) tell(t *testing.T, y *ledger) (torn int) {
	t.Helper()
	for line := range written(t, c.file) {
		metrics, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(line)
		if err != nil {
			torn++
			whole := line[max(0, bytes.LastIndex(line, []byte(`{"resourceMetrics"`))):]
			if metrics, err = (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(whole); err != nil {
				t.Fatalf("the Collector's file: %v\n%.300s", err, line)
			}
		}
		y.add(metrics, len(line))
	}
	return torn
}

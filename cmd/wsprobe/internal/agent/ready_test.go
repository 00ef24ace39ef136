package agent

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// awaitReadiness returns what the agent says of its readiness as soon as that is what was wanted: its back end has
// an export before the agent knows that it was accepted.
func awaitReadiness(t *testing.T, a *Agent, wanted func(error) bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !wanted(a.ready()) {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("still %v", a.ready())
		}
	}
}

func isReady(err error) bool { return err == nil }

// TestReadyAfterAnExport wants an agent to be ready once an export was accepted, not before, and no more when the
// back end is gone.
func TestReadyAfterAnExport(t *testing.T) {
	endpoint := wstest.Start(wstest.Echo)
	defer endpoint.Close()
	var got receiver.Inbox[receiver.Point]
	back, err := receiver.Start(&receiver.Receiver{Point: got.Add})
	if err != nil {
		t.Fatal(err)
	}
	const file = `{agent: {listen: ""}, otlp: {endpoint: "$OTLP", interval: 1s}, probes: [{name: up, url: "$URL", interval: 1s}]}`
	cfg := loadFile(t, file, map[string]string{"OTLP": "http://" + back.Address, "URL": endpoint.URL})
	agent, err := New(cfg, Options{Version: "v0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	agent.probing.Store(true) // as Run does long before the first export
	agent.checked.Store(true)
	if err := agent.ready(); err == nil || err.Error() != "no export has succeeded yet" {
		t.Errorf("before the first export: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- agent.Run(ctx) }()
	awaitReadiness(t, agent, isReady)
	_ = back.Stop()
	awaitReadiness(t, agent, func(err error) bool {
		return err != nil && strings.HasPrefix(err.Error(), "exports fail since ")
	})
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

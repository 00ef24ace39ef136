package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"testing"
	"time"
)

// onceResult is what these tests read of an object that `wsprobe once --json` prints.
type onceResult struct {
	Probe             string   `json:"probe"`
	URL               string   `json:"url"`
	Interpretation    string   `json:"interpretation"`
	Value             *float64 `json:"value"`
	Unit              string   `json:"unit"`
	Reason            string   `json:"reason"`
	ErrorType         string   `json:"error_type"`
	Detail            string   `json:"detail"`
	HandshakeMS       *float64 `json:"handshake_ms"`
	RoundTripMS       *float64 `json:"round_trip_ms"`
	ConnectionSuccess float64  `json:"connection_success"`
	HTTPStatus        int      `json:"http_status"`

	PhasesMS map[string]float64 `json:"phases_ms"`
}

// TestOnce runs `wsprobe once` against NATS, as a person would before writing a configuration.
func TestOnce(t *testing.T) {
	nats := startNATS(t).WebsocketURL()
	for name, c := range map[string]struct {
		args      []string
		exit      int
		reason    string
		errorType string
		opened    bool
		replied   bool
	}{
		"round trip": {
			args: []string{nats, "--send", "PING\r\n", "--expect", "PONG"},
			exit: 0, reason: "ok", opened: true, replied: true,
		},
		"handshake": {
			args: []string{nats},
			exit: 0, reason: "ok", opened: true,
		},
		"mismatch": {
			args: []string{nats, "--send", "PING\r\n", "--expect", "NEVER SENT", "--timeout", "300ms"},
			exit: 1, reason: "ws_reply_mismatch", errorType: "reply_mismatch", opened: true,
		},
		"closed port": {
			args: []string{"ws://" + closedPort(t)},
			exit: 1, reason: "ws_open_failed", errorType: "connection_refused",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := once(t, c.exit, nil, c.args...)
			if got.Reason != c.reason || got.ErrorType != c.errorType {
				t.Errorf("reason %q, error type %q; want %q, %q", got.Reason, got.ErrorType, c.reason, c.errorType)
			}
			if opened := got.HandshakeMS != nil; opened != c.opened || (got.ConnectionSuccess == 1) != c.opened || (got.HTTPStatus == 101) != c.opened {
				t.Errorf("opened: got %+v, want %v", got, c.opened)
			}
			if replied := got.RoundTripMS != nil; replied != c.replied {
				t.Errorf("round_trip_ms measured: %v, want %v", replied, c.replied)
			}
		})
	}
}

// TestOnceFromFile runs one probe of a configuration file by its name.
func TestOnceFromFile(t *testing.T) {
	nats := startNATS(t).WebsocketURL()
	file := settings{Probes: []map[string]any{
		roundTrip("chat", nats),
		{"name": "other", "url": "ws://" + closedPort(t)},
	}}.write(t)
	got := once(t, 0, nil, "-c", file, "--probe", "chat")
	if got.Probe != "chat" || got.Interpretation != "round_trip_latency" || got.Unit != "ms" || got.Value == nil || *got.Value <= 0 {
		t.Errorf("got %+v, want a round trip of chat in ms", got)
	}
}

// TestOnceTLS probes wss:// with an authority that the machine does not know, and with one that the
// environment names as the images do.
func TestOnceTLS(t *testing.T) {
	nats, authority := startNATSWithTLS(t)
	args := []string{nats.WebsocketURL(), "--send", "PING\r\n", "--expect", "PONG"}
	got := once(t, 1, nil, args...)
	if got.Reason != "ws_open_failed" || got.ErrorType != "tls_certificate_untrusted" {
		t.Errorf("reason %q, error type %q; want ws_open_failed, tls_certificate_untrusted", got.Reason, got.ErrorType)
	}
	got = once(t, 0, []string{"SSL_CERT_FILE=" + authority}, args...)
	if got.Reason != "ok" || got.RoundTripMS == nil || got.PhasesMS["tls"] <= 0 {
		t.Errorf("got %+v, want a round trip after a TLS handshake", got)
	}
}

// once runs `wsprobe once --json` and returns the one result that it prints.
func once(t *testing.T, exit int, env []string, args ...string) onceResult {
	t.Helper()
	stdout := wsprobe(t, exit, env, append([]string{"once", "--json"}, args...)...)
	var result onceResult
	if err := json.Unmarshal(stdout, &result); err != nil {
		t.Fatalf("stdout is not one JSON object: %v\n%s", err, stdout)
	}
	return result
}

// wsprobe runs a command of the agent to its end and returns what it printed.
func wsprobe(t *testing.T, exit int, env []string, args ...string) (stdout []byte) {
	t.Helper()
	agent := built(t, agentBinary)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, agent, args...)
	cmd.Env = append([]string{}, env...)
	stdout, err := cmd.Output()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatalf("wsprobe %q: %v", args, err)
	}
	if code := cmd.ProcessState.ExitCode(); code != exit {
		var stderr []byte
		if failed != nil {
			stderr = failed.Stderr
		}
		t.Fatalf("wsprobe %q: exit code %d, want %d\n%s%s", args, code, exit, stdout, stderr)
	}
	return stdout
}

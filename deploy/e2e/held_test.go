package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// holding is a `wsprobe hold --json` that runs.
type holding struct {
	path    string // of the URL, by which the capture knows it
	sends   bool   // a message after each open, which is not part of the session
	counts  bool   // the numbers of a sequence
	stood   bool   // still for a while: what it read then came all at once
	process *lab.Process

	mu    sync.Mutex
	lines []byte
}

// heldEvent is what these tests read of a line of `wsprobe hold --json`.
type heldEvent struct {
	Event      string    `json:"event"`
	At         time.Time `json:"at"`
	Reason     string    `json:"reason"`
	ErrorType  string    `json:"error_type"`
	DowntimeMS float64   `json:"downtime_ms"`
	Result     struct {
		Reason    string `json:"reason"`
		ErrorType string `json:"error_type"`
	} `json:"result"`
	Clean   bool    `json:"clean"`
	Verdict string  `json:"verdict"`
	Sure    bool    `json:"sure"`
	Limit   string  `json:"limit"`
	AlikeMS float64 `json:"alike_after_ms"`
	Held    bool    `json:"held"`
	Beats   int     `json:"heartbeats"`
	Wanted  int     `json:"wanted_messages"`
	Owners  []struct {
		Product string `json:"product"`
	} `json:"owners"`
	heldEnd
}

// heldEnd is the end of a session.
type heldEnd struct {
	Cause       string  `json:"cause"`
	Code        int     `json:"close_code"`
	CloseReason string  `json:"close_reason"`
	Connection  string  `json:"connection"`
	LifetimeMS  float64 `json:"lifetime_ms"`
	IdleInMS    float64 `json:"idle_in_ms"`
	IdleOutMS   float64 `json:"idle_out_ms"`
	BytesIn     int     `json:"bytes_in"`
	BytesOut    int     `json:"bytes_out"`
	Messages    int     `json:"messages"`
	Pings       int     `json:"pings"`
	Pongs       int     `json:"pongs"`
	Lost        int64   `json:"lost"`
}

// startHold runs `wsprobe hold` with a URL and flags.
func startHold(t *testing.T, rawURL string, flags ...string) *holding {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	h := &holding{path: u.Path, sends: slices.Contains(flags, "--send"), counts: slices.Contains(flags, "--sequence")}
	args := append([]string{"hold", "--json", "--reconnect-min", "100ms", "--reconnect-max", "1s", rawURL}, flags...)
	h.process = lab.StartTo(t, h, built(t, agentBinary), args...)
	return h
}

// holdProbe runs `wsprobe hold` with a probe of a file and more flags.
func holdProbe(t *testing.T, file, probe string, flags ...string) *holding {
	t.Helper()
	h := &holding{path: probe}
	h.process = lab.StartTo(t, h, built(t, agentBinary), append([]string{"hold", "--json", "-c", file, "--probe", probe}, flags...)...)
	return h
}

// Write takes what the program prints.
func (h *holding) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, p...)
	return len(p), nil
}

// events returns what it has told so far.
func (h *holding) events(t *testing.T) (events []heldEvent) {
	t.Helper()
	h.mu.Lock()
	whole := h.lines[:bytes.LastIndexByte(h.lines, '\n')+1]
	h.mu.Unlock()
	for line := range bytes.Lines(whole) {
		var e heldEvent
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		events = append(events, e)
	}
	return events
}

// heldLimit bounds the wait for an event.
const heldLimit = 2 * time.Minute

// await waits until what was told after the first skipped events is as wanted, and returns how many events there are then.
func (h *holding) await(t *testing.T, skipped int, want string, is func(heldEvent) bool) (events int) {
	t.Helper()
	lab.Eventually(t, heldLimit, h.path+": "+want, func() (bool, string) {
		h.process.Running(t)
		told := h.events(t)
		i := slices.IndexFunc(told[min(skipped, len(told)):], is)
		events = skipped + i + 1
		return i >= 0, fmt.Sprintf("%d events, the last %+v", len(told), last(told))
	})
	return events
}

func last(events []heldEvent) (e heldEvent) {
	if n := len(events); n > 0 {
		e = events[n-1]
	}
	return e
}

// opens and the like say which event is meant.
func opens(e heldEvent) bool { return e.Event == "open" }

func ends(cause string, code int) func(heldEvent) bool {
	return func(e heldEvent) bool { return e.Event == "end" && e.Cause == cause && e.Code == code }
}

func explains(verdict string) func(heldEvent) bool {
	return func(e heldEvent) bool { return e.Event == "finding" && e.Verdict == verdict }
}

// habitual is an explanation that is sure of a limit because the last ends are alike.
func habitual(limit string) func(heldEvent) bool {
	return func(e heldEvent) bool { return explains("limit_reached")(e) && e.Sure && e.Limit == limit }
}

// refused is an open that failed in one of the ways.
func refused(errorTypes ...string) func(heldEvent) bool {
	return func(e heldEvent) bool {
		return e.Event == "open_failed" && e.Result.Reason == "ws_open_failed" && slices.Contains(errorTypes, e.Result.ErrorType)
	}
}

// names reports whether a product is among the likely owners.
func (e *heldEvent) names(product string) bool {
	for _, o := range e.Owners {
		if o.Product == product {
			return true
		}
	}
	return false
}

// ended returns the ends that were told, each once.
func (h *holding) ended(t *testing.T) (ends []heldEvent) {
	t.Helper()
	for _, e := range h.events(t) {
		if e.Event == "end" {
			ends = append(ends, e)
		}
	}
	return ends
}

// stop ends it as Ctrl-C does.
func (h *holding) stop(t *testing.T) {
	t.Helper()
	h.process.Signal(t, syscall.SIGINT)
	h.process.Exit(t, lab.StopLimit)
}

// startHeldServer starts the echo server and feed of servers/held.mjs on an address.
func startHeldServer(t *testing.T, addr string) *lab.Process {
	t.Helper()
	server, _ := startNode(t, "held.mjs", addr[strings.LastIndexByte(addr, ':')+1:])
	return server
}

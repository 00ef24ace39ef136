package status

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/reasons"
)

// large is a board whose answers fit in no buffer.
func large(probes int) *Board {
	b := &Board{}
	for i := range probes {
		add(b, fmt.Sprintf("probe-%d", i), "ws://example.com/", probe.HandshakeLatency, time.Minute).record(probe.Result{
			Reason: reasons.OpenFailed, ErrorType: "connection_refused", Detail: "dial tcp: connection refused",
		}, health.State{})
	}
	return b
}

// ask sends a request for a path, and reads nothing.
func ask(client net.Conn, path string) {
	_, _ = io.WriteString(client, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
}

// TestClientsThatDoNotRead: they bind little memory, each for a bounded time, and keep nobody from an answer for
// longer.
func TestClientsThatDoNotRead(t *testing.T) {
	const clients, bound = 40, 16 << 20
	for _, path := range []string{"/", "/api/v1/probes"} {
		t.Run(path, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, stop := serve(t, &Server{Board: large(3000), Ready: ready})
				before := heap()
				held := make([]net.Conn, clients)
				for i := range held {
					held[i] = l.dial()
					ask(held[i], path)
				}
				synctest.Wait()
				if more := heap() - before; more > bound {
					t.Errorf("%d clients that do not read bind %d KiB", clients, more>>10)
				}
				expect(t, l, "/healthz", 200, 0)
				expect(t, l, "/readyz", 200, 0)
				refused := expect(t, l, path, 503, turnWait)
				if after := refused.Get("Retry-After"); after != "5" {
					t.Errorf("to be asked again after %q s", after)
				}
				time.Sleep(stallBudget - turnWait) // since the first of them were given up
				synctest.Wait()
				expect(t, l, path, 200, 0)
				for _, client := range held {
					_ = client.Close()
				}
				stop()
			})
		})
	}
}

// TestAnAnswerIsGivenUpWhenNobodyTakesIt: within stallBudget if its client takes nothing, and within writeTimeout if it
// takes little at a time.
func TestAnAnswerIsGivenUpWhenNobodyTakesIt(t *testing.T) {
	for name, c := range map[string]struct {
		every time.Duration // the client takes a bit; 0 for never
		after time.Duration
	}{
		"takes_nothing": {0, stallBudget},
		"takes_little":  {700 * time.Millisecond, 43 * 700 * time.Millisecond}, // the first time after writeTimeout
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, stop := serve(t, &Server{Board: large(3000), Ready: ready})
				client := l.dial()
				begin := time.Now()
				ask(client, "/api/v1/probes")
				var err error
				for bit := make([]byte, 20<<10); c.every > 0 && err == nil; {
					time.Sleep(c.every)
					_, err = io.ReadFull(client, bit)
				}
				if c.every == 0 {
					time.Sleep(c.after)
					synctest.Wait()
					_, err = io.ReadAll(client)
				}
				if took := time.Since(begin); took != c.after || err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
					t.Errorf("given up after %v with %v, want %v", took, err, c.after)
				}
				stop()
			})
		})
	}
}

// expect asks for a path on a connection of its own, and wants an answer with this status after exactly that time.
func expect(t *testing.T, l *pipes, path string, status int, after time.Duration) http.Header {
	t.Helper()
	client := l.dial()
	defer func() { _ = client.Close() }()
	begin := time.Now()
	ask(client, path)
	answer, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	took := time.Since(begin)
	body, err := io.ReadAll(answer.Body)
	if answer.StatusCode != status || took != after || err != nil {
		t.Errorf("%s: %d after %v (%v), want %d after %v", path, answer.StatusCode, took, err, status, after)
	}
	if status == 200 && strings.HasPrefix(path, "/api") && !strings.HasSuffix(string(body), "\n  ]\n}\n") {
		t.Errorf("%s: half an answer, which ends with %q", path, body[max(0, len(body)-40):])
	}
	return answer.Header
}

// heap is the memory in use once the garbage is gone.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

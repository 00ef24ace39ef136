package agent

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// callers notes who opened /held, and how each ended.
type callers struct {
	mu  sync.Mutex
	log []string
}

func (c *callers) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, fmt.Sprintf(format, args...))
}

// take returns the notes since the last call.
func (c *callers) take() []string {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	log := c.log
	c.log = nil
	return log
}

// hold answers Pings until the client closes, or for as long as the query says.
func (c *callers) hold(conn *wstest.Conn) {
	who := conn.Request().Header.Get("X-Token")
	c.note("%s opens", who)
	conn.Accept()
	var limit time.Time
	if after, err := time.ParseDuration(conn.Request().URL.Query().Get("after")); err == nil {
		limit = time.Now().Add(after)
	}
	for {
		f, came := conn.ReadBy(limit)
		switch {
		case !came:
			c.note("%s is cut", who)
			return
		case f.Opcode == wstest.OpClose:
			c.note("%s closes with %d", who, binary.BigEndian.Uint16([]byte(f.Payload)))
			conn.Send(f)
			return
		case f.Opcode == wstest.OpPing:
			conn.Send(wstest.Pong(f.Payload))
		}
	}
}

const heldLine = `{name: kept, url: "URL/held?after=%s", interval: 10s, interpretation: round_trip_latency,
      headers: {X-Token: "${env:APPLY_TOKEN}"}, session: {ping_interval: 1s, reconnect: {min: 1s, max: 1s}}}`

// TestApplyLeavesSessionsOpen: a session that stays in the configuration is not disturbed, one that goes or changes is
// closed with 1001, and so are all at the stop.
func TestApplyLeavesSessionsOpen(t *testing.T) {
	t.Setenv("APPLY_TOKEN", "one")
	inBubble(t, func(b *bubble) {
		kept := fmt.Sprintf(heldLine, "never")
		wants := func(what string, want ...string) {
			t.Helper()
			got := b.callers.take()
			slices.Sort(got) // an old session closes while the new one opens
			if !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", what, got, want)
			}
		}
		b.apply(kept)
		time.Sleep(time.Minute)
		wants("first", "one opens")
		b.apply(kept, `{name: other, url: "URL/echo", interval: 1s}`)
		time.Sleep(time.Minute)
		wants("beside another")
		if row := b.row("kept"); !strings.Contains(row, `"connection_success": 1`) || !strings.Contains(row, `"round_trip_ms": 0`) {
			t.Errorf("row %s", row)
		}
		b.apply(strings.Replace(kept, "ping_interval: 1s", "ping_interval: 2s", 1))
		time.Sleep(time.Minute)
		wants("changed", "one closes with 1001", "one opens")
		b.apply()
		time.Sleep(time.Minute)
		wants("gone", "one closes with 1001")
		b.apply(kept)
		time.Sleep(time.Minute)
		b.stop()
		wants("stop", "one closes with 1001", "one opens")
	})
}

// TestSessionOfARotatedSecret: the session goes on, and its next open sends the secret of now.
func TestSessionOfARotatedSecret(t *testing.T) {
	t.Setenv("APPLY_TOKEN", "first")
	inBubble(t, func(b *bubble) {
		line := fmt.Sprintf(heldLine, "90.5s")
		b.apply(line)
		time.Sleep(time.Minute)
		if err := os.Setenv("APPLY_TOKEN", "second"); err != nil {
			t.Fatal(err)
		}
		b.apply(line)
		time.Sleep(time.Minute)
		if got, want := b.callers.take(), []string{"first opens", "first is cut", "second opens"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// TestSessionInTheLog: an end is told at once with its cause and its times, its explanation and the open after it
// follow, and the last result on the board is what the session is now.
func TestSessionInTheLog(t *testing.T) {
	t.Setenv("APPLY_TOKEN", "one")
	inBubble(t, func(b *bubble) {
		b.apply(fmt.Sprintf(heldLine, "30.5s")) // between two Pings
		time.Sleep(30500 * time.Millisecond)
		synctest.Wait()
		if row := b.row("kept"); !strings.Contains(row, `"connection_success": 0`) || !strings.Contains(row, `"reason": "ws_closed_early"`) ||
			strings.Contains(row, `"round_trip_ms": 0`) {
			t.Errorf("row of a session that is down: %s", row)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		lines := strings.Join(b.lines("kept"), "\n")
		for _, want := range []string{"reason=ws_closed_early", "error_type=unexpected_eof", "lifetime 30.5 s"} {
			if !strings.Contains(lines, want) {
				t.Errorf("no %q in\n%s", want, lines)
			}
		}
		if row := b.row("kept"); !strings.Contains(row, `"reason": "ok"`) {
			t.Errorf("row of a session that is open again: %s", row)
		}
	})
}

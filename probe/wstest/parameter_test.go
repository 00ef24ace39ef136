package wstest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// request sends a request to a server in memory, with frames behind it, and returns the connection.
func request(t *testing.T, s *Server, path string, frames ...Frame) net.Conn {
	t.Helper()
	conn, err := s.Dial(context.Background(), netip.MustParseAddrPort(memoryAddr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	all := "GET " + path + " HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: x\r\n\r\n"
	for _, f := range frames {
		f.Masked = true
		all += f.Bytes()
	}
	if _, err := io.WriteString(conn, all); err != nil {
		t.Fatal(err)
	}
	return conn
}

// answered reads to the end of what a server says.
func answered(t *testing.T, conn net.Conn) (head, rest string) {
	t.Helper()
	heard, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ = strings.Cut(string(heard), "\r\n\r\n")
	return head, rest
}

func inMemory(t *testing.T) *Server {
	t.Helper()
	scripts := make(map[string]Script)
	for _, c := range Catalogue("text") {
		scripts["/"+c.Name] = c.Script
	}
	s := Memory(ByPath(scripts))
	t.Cleanup(s.Close)
	return s
}

// TestBadParameters: a query that cannot be obeyed is refused with one line that says why.
func TestBadParameters(t *testing.T) {
	const times = "after: must be a time from 10ms to 24h, as 1m, got "
	const counts = "messages: must be a whole number from 1 to 1000000, as 10, got "
	for query, want := range map[string]string{
		"idle-cut?after=30":                 times + `"30"`,
		"idle-cut?after=":                   times + `""`,
		"idle-cut?after=-1s":                times + `"-1s"`,
		"idle-cut?after=9ms":                times + `"9ms"`,
		"idle-cut?after=24h1ns":             times + `"24h1ns"`,
		"idle-cut?after=9999999999999h":     times + `"9999999999999h"`,
		"idle-cut?after=%1b[2J%0a":          times + `"\x1b[2J\n"`,
		"idle-cut?after=1s&after=2s":        "after: is set more than once",
		"idle-cut?afte=1s":                  `"afte": is no parameter of this endpoint, which has after`,
		"feed-gap?count=1":                  `"count": is no parameter of this endpoint, which has every, messages, gap`,
		"feed-gap?messages=0":               counts + `"0"`,
		"feed-gap?messages=1.5":             counts + `"1.5"`,
		"feed-gap?messages=1s":              counts + `"1s"`,
		"feed-gap?messages=" + digits:       counts + `"` + digits[:40] + `..."`,
		"feed-disorder?messages=1":          "messages: must be a whole number from 2 to 1000000, as 10, got \"1\"",
		"drain-1001?down=25h":               `down: must be a time from 0s to 24h, as 0s, got "25h"`,
		"connect-then-drop?after=tomorrow":  `after: must be a time from 0s to 24h, as 100ms, got "tomorrow"`,
		"server-pings?every=1s&within=soon": `within: must be a time from 10ms to 24h, as 20s, got "soon"`,
		"idle-cut?after=%zz":                "the query cannot be read",
	} {
		t.Run(query[:min(len(query), 40)], func(t *testing.T) {
			head, body := answered(t, request(t, inMemory(t), "/"+query))
			if !strings.HasPrefix(head, "HTTP/1.1 400 ") || body != want+"\n" {
				t.Errorf("%s\n%q, want\n%q", head, body, want+"\n")
			}
		})
	}
}

const digits = "99999999999999999999999999999999999999999999999999"

// TestGoodParameters: each endpoint takes what the listing shows, and each parameter at its bounds.
func TestGoodParameters(t *testing.T) {
	s := inMemory(t)
	for _, c := range Catalogue("text") {
		queries := []string{c.Query()}
		for _, p := range c.Parameters {
			for _, value := range []int64{p.Least, p.Most} {
				queries = append(queries, p.Name+"="+p.Format(value))
			}
		}
		for _, query := range queries {
			if len(c.Parameters) == 0 {
				break
			}
			conn := request(t, s, "/"+c.Name+"?"+query)
			if status := make([]byte, 12); readFull(conn, status) != nil || string(status) != "HTTP/1.1 101" {
				t.Errorf("%s?%s: %q", c.Name, query, status)
			}
			_ = conn.Close()
		}
	}
}

func readFull(conn net.Conn, p []byte) error { _, err := io.ReadFull(conn, p); return err }

func TestParameterFormat(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Millisecond: "1ms", 30 * time.Second: "30s", time.Minute: "1m", 90 * time.Second: "1m30s",
		10 * time.Minute: "10m", time.Hour: "1h", 24 * time.Hour: "24h",
		90 * time.Minute: "1h30m", time.Hour + time.Second: "1h0m1s",
	} {
		if got := (Parameter{}).Format(int64(d)); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

// TestDrain: all connections close at the same moment, however old they are. Then new ones are refused for a time, and
// told for how long. The first of all are not.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, start := inMemory(t), time.Now()
		const path = "/drain-1012?every=20s&down=2500ms"
		var ends []chan time.Duration
		for range 3 {
			conn, end := request(t, s, path), make(chan time.Duration, 1)
			go func() {
				defer close(end)
				head := make([]byte, 1024)
				for !strings.Contains(string(head), "service restart") {
					if _, err := conn.Read(head); err != nil {
						return
					}
				}
				end <- time.Since(start)
				_ = conn.Close()
			}()
			ends = append(ends, end)
			time.Sleep(5 * time.Second)
		}
		for i, end := range ends {
			if at := <-end; at != 20*time.Second {
				t.Errorf("connection %d closed after %v", i, at)
			}
		}
		for _, after := range []struct {
			wait time.Duration
			want string
		}{{0, "Retry-After: 3"}, {2 * time.Second, "Retry-After: 1"}} {
			time.Sleep(after.wait)
			conn := request(t, s, path)
			head, body := answered(t, conn)
			if !strings.HasPrefix(head, "HTTP/1.1 503 ") || !strings.Contains(head, after.want) || body != "draining\n" {
				t.Errorf("%s\n%s, want %s", head, body, after.want)
			}
			_ = conn.Close()
		}
		time.Sleep(500 * time.Millisecond)
		if status := make([]byte, 12); readFull(request(t, s, path), status) != nil || string(status) != "HTTP/1.1 101" {
			t.Errorf("after the drain: %q", status)
		}
	})
}

// TestHeldCloses: an endpoint that stays open answers a Close that comes before its time.
func TestHeldCloses(t *testing.T) {
	for _, c := range Catalogue("text") {
		if len(c.Parameters) == 0 {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, frames := answered(t, request(t, inMemory(t), "/"+c.Name, Close(1000, "")))
				if want := Close(1000, "").Bytes(); !strings.HasSuffix(frames, want) {
					t.Errorf("%q, want %q", frames, want)
				}
			})
		})
	}
}

// TestHeldBounds: a client of an endpoint that stays open holds neither memory nor a connection for as long as it
// likes.
func TestHeldBounds(t *testing.T) {
	long := strings.Repeat("x", heldMessage)
	for name, test := range map[string]struct {
		frames []Frame
		raw    string
		want   string
		after  time.Duration
	}{
		"a long message":            {frames: []Frame{Text(long + "x")}, want: Close(1009, "message too big").Bytes()},
		"a long message in pieces":  {frames: Fragments(OpText, long, "x"), want: Close(1009, "message too big").Bytes()},
		"a frame that does not end": {raw: "\x81", after: frameTime},
		"a message":                 {frames: []Frame{Text("x")}, want: Text("text").Bytes(), after: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				conn := request(t, inMemory(t), "/idle-cut", test.frames...)
				_, _ = io.WriteString(conn, test.raw)
				if _, frames := answered(t, conn); frames != test.want || time.Since(begin) != test.after {
					t.Errorf("%q after %v, want %q after %v", frames, time.Since(begin), test.want, test.after)
				}
			})
		})
	}
}

// TestHeldUnread: a client that reads nothing is left after 30 s.
func TestHeldUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inMemory(t)
		request(t, s, "/feed?every=10ms")
		start := time.Now()
		synctest.Wait()
		s.Wait()
		if blocked := time.Since(start); blocked < heldWrite || blocked > heldWrite+time.Minute {
			t.Errorf("left after %v", blocked)
		}
	})
}

// TestHeldFarewell: a client that does not answer a close frame is left after 5 s.
func TestHeldFarewell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, frames := answered(t, request(t, inMemory(t), "/lifetime-1001"))
		if took := time.Since(start); frames != Close(1001, "going away").Bytes() || took != 30*time.Second+farewellTime {
			t.Errorf("%q after %v", frames, took)
		}
	})
}

// TestLimit: a connection too many is told so, one that is far too many is reset, and one that has no request is cut
// off.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Memory(Limit(2, Echo))
		t.Cleanup(s.Close)
		first := request(t, s, "/")
		silent, err := s.Dial(t.Context(), netip.MustParseAddrPort(memoryAddr))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		begin := time.Now()
		head, body := answered(t, request(t, s, "/"))
		const told = "too many connections\n"
		if !strings.HasPrefix(head, "HTTP/1.1 503 ") || !strings.Contains(head, "Retry-After: 1") || body != told {
			t.Errorf("the third: %s\n%s", head, body)
		}
		if _, err := io.ReadAll(silent); err != nil || time.Since(begin) != requestTime {
			t.Errorf("without a request: %v after %v", err, time.Since(begin))
		}
		synctest.Wait()
		if status := make([]byte, 12); readFull(request(t, s, "/"), status) != nil || string(status) != "HTTP/1.1 101" {
			t.Errorf("where there is room again: %q", status)
		}
		for range spare {
			conn, err := s.Dial(t.Context(), netip.MustParseAddrPort(memoryAddr))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
		}
		synctest.Wait()
		conn, err := s.Dial(t.Context(), netip.MustParseAddrPort(memoryAddr))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(conn); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("far too many: %v", err)
		}
		_ = first.Close()
	})
}

// TestHeldEnds: Close ends every endpoint that stays open, whatever it waits for, and leaves nothing behind: a bubble
// ends only when its goroutines have.
func TestHeldEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inMemory(t)
		for _, c := range Catalogue("text") {
			if len(c.Parameters) > 0 {
				request(t, s, "/"+c.Name, Ping("owed"), Text("hello"))
			}
		}
		time.Sleep(50 * time.Millisecond)
		begin := time.Now()
		s.Close()
		s.Wait()
		if took := time.Since(begin); took != 0 {
			t.Errorf("took %v", took)
		}
	})
}

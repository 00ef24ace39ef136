package main

import (
	"encoding/json"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes wsprobe, and a program that only ends by force, commands of the scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"wsprobe": main, "stubborn": stubborn, "endpoint": endpoint, "byhand": byHand})
}

// stubborn stops as wsprobe does, but never comes to an end. It calls $NOTICE when it is ready for signals and
// when the first one has come.
func stubborn() {
	ctx := untilSignal()
	for range 2 {
		conn, err := net.Dial("tcp", os.Getenv("NOTICE"))
		if err != nil {
			panic(err)
		}
		_ = conn.Close()
		<-ctx.Done()
	}
	select {}
}

// TestScripts runs the program as people do: arguments and files in, exit code, output and telemetry out.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			s, err := newStage(env.WorkDir)
			if err != nil {
				return err
			}
			env.Values[stageKey{}] = s
			env.Defer(s.close)
			env.Vars = append(env.Vars, s.env()...)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"expand":    cmdExpand,
			"visited":   cmdVisited,
			"noticed":   cmdNoticed,
			"received":  cmdReceived,
			"terminate": cmdTerminate,
			"result":    cmdResult,
			"loglines":  cmdLoglines,
		},
	})
}

type stageKey struct{}

func stageOf(ts *testscript.TestScript) *stage { return ts.Value(stageKey{}).(*stage) }

// cmdExpand replaces the variables in files: expand FILE...
func cmdExpand(ts *testscript.TestScript, _ bool, files []string) {
	for _, file := range files {
		text := os.Expand(ts.ReadFile(file), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o644))
	}
}

// cmdVisited waits until an endpoint has been visited so many times more: visited NAME [TIMES].
func cmdVisited(ts *testscript.TestScript, _ bool, args []string) {
	times := 1
	if len(args) > 1 {
		var err error
		times, err = strconv.Atoi(args[1])
		ts.Check(err)
	}
	for range times {
		await(ts, stageOf(ts).visits[args[0]], "visit of "+args[0])
	}
}

// patience bounds every wait of these tests. It passes only if something is broken.
const patience = 2 * time.Minute

func await[T any](ts *testscript.TestScript, c <-chan T, what string) T {
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		ts.Fatalf("no %s", what)
		panic("unreachable")
	}
}

// cmdNoticed waits until somebody has called $NOTICE.
func cmdNoticed(ts *testscript.TestScript, _ bool, _ []string) {
	notice := stageOf(ts).notice.(*net.TCPListener)
	ts.Check(notice.SetDeadline(time.Now().Add(patience)))
	conn, err := notice.Accept()
	ts.Check(err)
	ts.Check(conn.Close())
}

// cmdReceived waits until the back end has received a point whose line holds all these texts: received TEXT...
func cmdReceived(ts *testscript.TestScript, _ bool, texts []string) {
	for {
		line := await(ts, stageOf(ts).points, "point with "+strings.Join(texts, " "))
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
			return
		}
	}
}

// cmdTerminate sends SIGTERM to the process whose number is in a file: terminate FILE.
func cmdTerminate(ts *testscript.TestScript, _ bool, args []string) {
	pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	process, err := os.FindProcess(pid)
	ts.Check(err)
	ts.Check(process.Signal(syscall.SIGTERM))
	ts.Check(process.Release())
}

// resultKeys are the keys that every result has in JSON.
var resultKeys = []string{
	"probe", "url", "started_at", "interpretation", "value", "unit", "reason", "error_type", "detail",
	"handshake_ms", "round_trip_ms", "connection_success", "phases_ms", "http_status", "subprotocol", "close_code", "peer",
}

// cmdResult looks at a line of the JSON on stdout: result LINE [KEY=VALUE...]. A value is JSON, the bare text
// of a string, or number, text or utc for any of these. A key may go deeper: phases_ms.connect.
func cmdResult(ts *testscript.TestScript, _ bool, args []string) {
	lines := strings.Split(strings.TrimSuffix(ts.ReadFile("stdout"), "\n"), "\n")
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	if n > len(lines) {
		ts.Fatalf("stdout has %d lines, not %d", len(lines), n)
	}
	var object map[string]any
	ts.Check(json.Unmarshal([]byte(lines[n-1]), &object))
	for _, key := range resultKeys {
		if _, found := object[key]; !found {
			ts.Fatalf("line %d has no %s", n, key)
		}
	}
	for _, arg := range args[1:] {
		key, want, _ := strings.Cut(arg, "=")
		var value any = object
		for step := range strings.SplitSeq(key, ".") {
			value = element(value, step)
		}
		if !matches(value, want) {
			ts.Fatalf("line %d: %s is %v, want %s", n, key, value, want)
		}
	}
}

// element is what stands under a key of an object, or at an index of a list.
func element(value any, step string) any {
	switch value := value.(type) {
	case map[string]any:
		return value[step]
	case []any:
		if i, err := strconv.Atoi(step); err == nil && i < len(value) {
			return value[i]
		}
	}
	return nil
}

func matches(value any, want string) bool {
	text, isText := value.(string)
	_, isNumber := value.(float64)
	switch want {
	case "number":
		return isNumber
	case "text":
		return isText && text != ""
	case "utc":
		return isUTC(text)
	}
	written, err := json.Marshal(value)
	return err == nil && (want == string(written) || isText && want == text)
}

// cmdLoglines checks that each line of stderr is a JSON object with time, level and message.
func cmdLoglines(ts *testscript.TestScript, _ bool, _ []string) {
	text := ts.ReadFile("stderr")
	if text == "" {
		ts.Fatalf("nothing was logged")
	}
	for line := range strings.Lines(text) {
		var entry struct{ Time, Level, Msg string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			ts.Fatalf("not JSON: %s", line)
		}
		if !isUTC(entry.Time) || entry.Level == "" || entry.Msg == "" {
			ts.Fatalf("time, level or msg is missing or wrong: %s", line)
		}
	}
}

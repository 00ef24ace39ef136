//go:build unix

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
)

// BenchmarkAgent runs the whole agent (schedule, probes, closing handshakes, export) and a client that is written by
// hand, one after the other, at the same rate against the same endpoint. Each is a process of its own: cpu-us/probe is its
// user and system time, from its start to its end, for each good run. An iteration is ten seconds.
func BenchmarkAgent(b *testing.B) {
	for scheme, rates := range map[string][]int{"ws": {200, 2000, 5000}, "wss": {200, 500}} {
		for _, rate := range rates {
			b.Run(fmt.Sprintf("%s/%d", scheme, rate), func(b *testing.B) {
				url := spawn(b, []string{"SCHEME=" + scheme}, "endpoint").line(b)
				var hand float64
				b.Run("hand", func(b *testing.B) { hand = benchmarkHand(b, url, rate) })
				b.Run("agent", func(b *testing.B) { b.ReportMetric(benchmarkAgent(b, url, rate)/hand, "ratio") })
			})
		}
	}
}

const iteration = 10 * time.Second

func benchmarkHand(b *testing.B, url string, rate int) float64 {
	hand := spawn(b, []string{"URL=" + url, fmt.Sprintf("RATE=%d", rate)}, "byhand")
	for b.Loop() {
		<-time.After(iteration)
	}
	_ = hand.stdin.Close()
	runs, err := strconv.Atoi(hand.line(b))
	if err != nil {
		b.Fatal(err)
	}
	return hand.cost(b, runs)
}

// benchmarkAgent counts the runs where they arrive.
func benchmarkAgent(b *testing.B, url string, rate int) float64 {
	runs := 0
	backend, err := receiver.Start(&receiver.Receiver{Point: func(p receiver.Point) {
		if p.Metric == "wsprobe.round_trip_latency" {
			runs++
		}
	}})
	if err != nil {
		b.Fatal(err)
	}
	agent := spawn(b, nil, "wsprobe", "run", "--config", manyProbes(b, url, backend.Address, rate))
	for b.Loop() {
		<-time.After(iteration)
	}
	if err := agent.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.Fatal(err)
	}
	agent.wait(b)
	_ = backend.Stop()
	return agent.cost(b, runs)
}

// party is a process of the benchmark.
type party struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
	wait  func(*testing.B)
}

// spawn starts one of the commands of TestMain. Its standard input ends at the latest when the benchmark does.
func spawn(b *testing.B, env []string, name string, args ...string) *party {
	return spawnFrom(b, os.Args[0], env, name, args...)
}

// spawnFrom is spawn for another binary.
func spawnFrom(b *testing.B, path string, env []string, name string, args ...string) *party {
	cmd := exec.Command(path, args...)
	cmd.Args[0] = name
	cmd.Env = append(os.Environ(), env...)
	if testing.Verbose() {
		cmd.Stderr = os.Stderr
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	var once sync.Once
	p := &party{cmd: cmd, stdin: stdin, out: bufio.NewReader(stdout)}
	p.wait = func(b *testing.B) {
		once.Do(func() {
			_ = stdin.Close()
			if err := cmd.Wait(); err != nil {
				b.Errorf("%s: %v", name, err)
			}
		})
	}
	b.Cleanup(func() { p.wait(b) })
	return p
}

// line reads the next line that the process prints.
func (p *party) line(b *testing.B) string {
	line, err := p.out.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// cost reports and returns the CPU time of a run, once the process has ended.
func (p *party) cost(b *testing.B, runs int) float64 {
	p.wait(b)
	if runs == 0 {
		b.Fatal("no run was good")
	}
	cpu := p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	each := float64(cpu.Microseconds()) / float64(runs)
	b.ReportMetric(0, "ns/op") // an iteration is as long as it is
	b.ReportMetric(float64(runs)/float64(b.N)/iteration.Seconds(), "probes/s")
	b.ReportMetric(each, "cpu-us/probe")
	return each
}

// manyProbes writes the configuration of so many probes, each of which runs once a second.
func manyProbes(b *testing.B, url, backend string, n int) string {
	var text strings.Builder
	fmt.Fprintf(&text, "otlp: {endpoint: %q}\nagent: {listen: '127.0.0.1:0'}\n", "http://"+backend)
	fmt.Fprintf(&text, "defaults: {interval: 1s, interpretation: round_trip_latency, send_message: ping, expect_message: ping")
	if strings.HasPrefix(url, "wss") {
		text.WriteString(", tls: {insecure_skip_verify: true}")
	}
	text.WriteString("}\nprobes:\n")
	for i := range n {
		fmt.Fprintf(&text, "  - {name: probe-%d, url: %q}\n", i, url)
	}
	path := filepath.Join(b.TempDir(), "wsprobe.yaml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

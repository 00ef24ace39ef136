package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
)

// BenchmarkRatio compares the whole agent with the client by hand. An iteration is a round, in which they run one after
// the other against the same endpoint, each as a process of its own; the first of a round is the second of the next. A
// round counts the CPU time between two instants of steady work, and the connections that the endpoint accepted between
// them. $WSPROBE_BEFORE is an older binary of wsprobe, which then has a turn in each round.
func BenchmarkRatio(b *testing.B) {
	for _, load := range []struct {
		scheme string
		rate   int
	}{{"ws", 2000}, {"wss", 500}} {
		b.Run(fmt.Sprintf("%s/%d", load.scheme, load.rate), func(b *testing.B) {
			r := newRounds(b, load.scheme, load.rate)
			for b.Loop() {
				r.play(b)
			}
			r.report(b)
		})
	}
}

const (
	settling = 2 * time.Second // until every probe has run, and memory has its size
	steady   = 8 * time.Second
)

// rounds are those of one benchmark.
type rounds struct {
	endpoint *party
	url      string
	rate     int
	config   string       // of the agent
	arrived  atomic.Int64 // good runs, at the back end
	played   int
	parties  []*contender // the client by hand first
}

// contender is a party with its CPU time for a probe in each round, in microseconds.
type contender struct {
	name  string
	start func(*testing.B) *party
	stop  func(*testing.B, *party) (good int)
	costs []float64
}

func newRounds(b *testing.B, scheme string, rate int) *rounds {
	r := &rounds{endpoint: spawn(b, []string{"SCHEME=" + scheme}, "endpoint"), rate: rate}
	r.url = r.endpoint.line(b)
	backend, err := receiver.Start(&receiver.Receiver{Point: func(p receiver.Point) {
		if p.Metric == "wsprobe.round_trip_latency" {
			r.arrived.Add(1)
		}
	}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = backend.Stop() })
	r.config = manyProbes(b, r.url, backend.Address, rate)
	r.parties = []*contender{{name: "hand", start: r.startHand, stop: stopHand}, r.agent("agent", os.Args[0])}
	if before := os.Getenv("WSPROBE_BEFORE"); before != "" {
		r.parties = append(r.parties, r.agent("before", before))
	}
	return r
}

func (r *rounds) startHand(b *testing.B) *party {
	return spawn(b, []string{"URL=" + r.url, fmt.Sprintf("RATE=%d", r.rate)}, "byhand")
}

func stopHand(b *testing.B, hand *party) int {
	_ = hand.stdin.Close()
	good, err := strconv.Atoi(hand.line(b))
	if err != nil {
		b.Fatal(err)
	}
	hand.wait(b)
	return good
}

// agent is a contender by its binary.
func (r *rounds) agent(name, path string) *contender {
	start := func(b *testing.B) *party { return spawnFrom(b, path, nil, "wsprobe", "run", "--config", r.config) }
	return &contender{name: name, start: start, stop: r.stopAgent}
}

// stopAgent counts the runs where they arrive.
func (r *rounds) stopAgent(b *testing.B, agent *party) int {
	if err := agent.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.Fatal(err)
	}
	agent.wait(b)
	return int(r.arrived.Swap(0))
}

// play has each contender work once.
func (r *rounds) play(b *testing.B) {
	for i := range r.parties {
		c := r.parties[(i+r.played)%len(r.parties)]
		accepted := r.accepted(b)
		p := c.start(b)
		<-time.After(settling)
		first, before := r.accepted(b), p.busy(b)
		<-time.After(steady)
		probes, cpu := r.accepted(b)-first, p.busy(b)-before
		good := c.stop(b, p)
		if all := r.accepted(b) - accepted; good < all*98/100 || probes < r.rate*int(steady.Seconds())*98/100 {
			b.Logf("%s: %d of %d runs were good, %d of them while the CPU time was taken: the machine is too busy", c.name, good, all, probes)
		}
		c.costs = append(c.costs, float64(cpu.Nanoseconds())/1e3/float64(probes))
	}
	r.played++
}

// accepted returns how many connections the endpoint has accepted.
func (r *rounds) accepted(b *testing.B) int {
	if _, err := fmt.Fprintln(r.endpoint.stdin); err != nil {
		b.Fatal(err)
	}
	n, err := strconv.Atoi(r.endpoint.line(b))
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// report reports the median of the costs, and of the ratios within the rounds with the least and the largest one.
func (r *rounds) report(b *testing.B) {
	b.ReportMetric(0, "ns/op") // a round is as long as it is
	hand := r.parties[0]
	for _, c := range r.parties {
		b.ReportMetric(median(c.costs), c.name+"-us/probe")
		if c == hand {
			continue
		}
		var ratios []float64
		for i, cost := range c.costs {
			ratios = append(ratios, cost/hand.costs[i])
		}
		b.ReportMetric(median(ratios), c.name+"/hand")
		b.ReportMetric(slices.Min(ratios), c.name+"/hand-min")
		b.ReportMetric(slices.Max(ratios), c.name+"/hand-max")
	}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// busy is the CPU time that a process has had, by the scheduler of Linux and so without its ticks.
func (p *party) busy(b *testing.B) time.Duration {
	clock := uintptr(^p.cmd.Process.Pid<<3 | 2) // as clock_getcpuclockid(3) makes it
	var at syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&at)), 0); errno != 0 {
		b.Fatal(errno)
	}
	return time.Duration(at.Nano())
}

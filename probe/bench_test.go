//go:build unix

package probe_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// BenchmarkProbe runs the probe and a client that is written by hand for this one exchange side by side, against the
// same endpoint in another process, so that the CPU time is the client's: cpu-us/probe is user and system time. The
// ratio of the two is what counts.
func BenchmarkProbe(b *testing.B) {
	release, err := probe.KeepKernelClock()
	if err != nil {
		b.Fatal(err)
	}
	defer release()
	for _, scheme := range []string{"ws", "wss"} {
		url := serveElsewhere(b, scheme)
		for _, parallel := range []int{1, 50} {
			b.Run(fmt.Sprintf("%s/%d", scheme, parallel), func(b *testing.B) {
				var hand float64
				b.Run("hand", func(b *testing.B) {
					hand = benchmark(b, parallel, wstest.ByHand(url, trusting, ping, want))
				})
				b.Run("probe", func(b *testing.B) {
					b.ReportMetric(benchmark(b, parallel, byProbe(url))/hand, "ratio")
				})
			})
		}
	}
}

// serveElsewhere starts the endpoint as a process of its own and returns its URL.
func serveElsewhere(b *testing.B, scheme string) string {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serving+"="+scheme)
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
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(url)
}

// benchmark shares the iterations out among goroutines, and reports the CPU time of one.
func benchmark(b *testing.B, parallel int, run func() error) float64 {
	b.ReportAllocs()
	before := cpuTime()
	work := make(chan struct{})
	var workers sync.WaitGroup
	for range parallel {
		workers.Go(func() {
			for range work {
				if err := run(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for b.Loop() {
		work <- struct{}{}
	}
	close(work)
	workers.Wait()
	each := float64((cpuTime() - before).Microseconds()) / float64(b.N)
	b.ReportMetric(each, "cpu-us/probe")
	return each
}

// trusting takes any certificate: what the check of one costs is the same for both.
var trusting = &tls.Config{InsecureSkipVerify: true}

func byProbe(url string) func() error {
	spec := probe.Spec{Opening: probe.Opening{URL: url}, Interpretation: probe.RoundTripLatency, Send: ping,
		Expect: want}
	if strings.HasPrefix(url, "wss") {
		spec.TLS = trusting
	}
	p, err := probe.New(spec)
	if err != nil {
		panic(err)
	}
	return func() error {
		r, err := p.Run(context.Background())
		if err == nil && r.Reason != reasons.OK {
			err = errors.New(r.Detail)
		}
		return err
	}
}

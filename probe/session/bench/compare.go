package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// reference is the client that all others are compared with.
const reference = "parked"

// process is one of the processes of a comparison. It obeys orders, a line each, and answers each with a line.
type process struct {
	cmd     *exec.Cmd
	orders  io.WriteCloser
	answers *bufio.Reader
}

// start starts this program in another role.
func start(args ...string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	flag.Visit(func(f *flag.Flag) {
		if f.Name != "clients" {
			args = append(args, "-"+f.Name+"="+f.Value.String())
		}
	})
	p := &process{cmd: exec.Command(program, args...)}
	p.cmd.Stderr = os.Stderr
	if p.orders, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.answers = bufio.NewReader(out)
	return p, p.cmd.Start()
}

// order gives an order and reads the answer into v.
func (p *process) order(what string, v any) error {
	if _, err := fmt.Fprintln(p.orders, what); err != nil {
		return err
	}
	line, err := p.answers.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("%s: no answer: %w", what, err)
	}
	return json.Unmarshal(line, v)
}

// end ends the process.
func (p *process) end() {
	_ = p.orders.Close()
	_ = p.cmd.Wait()
}

// rival is a client with its server, and what was measured of it.
type rival struct {
	name           string
	server, client *process
	opened         opened
	held           held
	heard          heard
	stopped        stopped
}

// settleTime is how long a Hub may take to give the memory of many opens back.
const settleTime = 12 * time.Second

// compare has the clients do the same, and prints the result.
func compare(s setup, names string) (err error) {
	var rivals []*rival
	defer func() {
		for _, r := range rivals {
			r.client.end()
			r.server.end()
		}
	}()
	for name := range strings.SplitSeq(names, ",") { // one after the other, so that no open disturbs another
		r, err := newRival(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		rivals = append(rivals, r)
		if err := r.client.order("open", &r.opened); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	time.Sleep(max(s.interval, settleTime)) // one Ping of each socket, at least
	if err := together(rivals, (*rival).measure); err != nil {
		return err
	}
	for _, r := range rivals {
		if err := r.client.order("stop", &r.stopped); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		if err := r.server.order("closed", &r.stopped); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	printResult(s, rivals)
	return nil
}

func newRival(name string) (*rival, error) {
	r := &rival{name: name}
	var err error
	if r.server, err = start("-role=serve"); err != nil {
		return nil, err
	}
	line, err := r.server.answers.ReadString('\n')
	if err != nil {
		return nil, err
	}
	r.client, err = start("-role="+name, "-server="+strings.TrimSpace(line))
	return r, err
}

// measure measures during the window.
func (r *rival) measure() error {
	var none struct{}
	if err := r.server.order("begin", &none); err != nil {
		return err
	}
	if err := r.client.order("measure", &r.held); err != nil {
		return err
	}
	return r.server.order("heard", &r.heard)
}

// together does something with all at the same time.
func together(rivals []*rival, do func(*rival) error) error {
	errs := make([]error, len(rivals))
	var all sync.WaitGroup
	for i, r := range rivals {
		all.Go(func() { errs[i] = do(r) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// printResult prints a table, with ratios to the reference.
func printResult(s setup, rivals []*rival) {
	scheme := map[bool]string{false: "ws", true: "wss"}[s.secure]
	fmt.Printf("%s, %d sockets each, a Ping every %v\n\n", scheme, s.sockets, s.interval)
	fmt.Println("| client | RSS KiB | kept KiB | heap KiB | stack KiB | CPU a Ping µs | CPU ratio | late p50 ms | late p99 ms | opened s | stopped s | told 1001 |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|---|")
	base := 0.0
	for _, r := range rivals {
		if r.name == reference {
			base = r.held.PingMicros
		}
	}
	for _, r := range rivals {
		ratio := "-"
		if base > 0 {
			ratio = fmt.Sprintf("%.2f", r.held.PingMicros/base)
		}
		fmt.Printf("| %s | %.2f | %.2f | %.2f | %.2f | %.0f | %s | %.2f | %.2f | %.1f | %.2f | %d |\n", r.name, r.held.RSS, r.held.Kept, r.held.Heap,
			r.held.Stack, r.held.PingMicros, ratio, r.heard.LateP50, r.heard.LateP99, r.opened.Seconds, r.stopped.Seconds, r.stopped.GoingAway)
	}
}

// Command bench compares the delivery of events by package stream with a loop by hand.
//
// The loop encodes with encoding/json, and writes a message for each event by gorilla/websocket. Each sender is a process
// of its own, and so is the server, so that the CPU time of a sender is that of its process. It runs on Linux.
package main

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"time"
)

var (
	events  = flag.Int("events", 300_000, "events that each sender delivers in a round")
	rounds  = flag.Int("rounds", 5, "rounds, of which the median counts")
	role    = flag.String("role", "", "what this process does; empty: compare")
	profile = flag.String("profile", "", "file for a CPU profile, of a sender")
	server  = flag.String("server", "", "URL of the server, for a sender")
)

// sender delivers so many events and returns when their delivery is proven.
type sender struct {
	name string
	send func(url string, events int) error
}

// senders: the first one is what the others are compared with.
var senders = []sender{
	{"gorilla, a message each", sendGorilla},
	{"wsprobe, a message each", func(url string, n int) error { return sendStream(url, n, setup{}) }},
	{"wsprobe, batches of 100", func(url string, n int) error { return sendStream(url, n, setup{batch: 100}) }},
	{"wsprobe, disk and Pongs", func(url string, n int) error { return sendStream(url, n, setup{disk: true}) }},
	{"wsprobe, disk, Pongs, batches of 100", func(url string, n int) error { return sendStream(url, n, setup{disk: true, batch: 100}) }},
}

// outcome is one round of a sender.
type outcome struct {
	CPU, Wall time.Duration // for all events
	Peak      int64         // resident memory in bytes
}

func main() {
	log.SetFlags(0)
	flag.Parse()
	switch {
	case *role == "serve":
		serve()
	case *role != "":
		i := slices.IndexFunc(senders, func(s sender) bool { return s.name == *role })
		if err := measure(senders[i]); err != nil {
			log.Fatal(err)
		}
	default:
		compare()
	}
}

// gcPercent is that of the agent with few probes. All senders have it.
const gcPercent = 400

// measure sends some events to warm up, then all of them, and prints the outcome.
func measure(s sender) error {
	debug.SetGCPercent(gcPercent)
	if err := s.send(*server, *events/10); err != nil {
		return err
	}
	if *profile != "" {
		file, err := os.Create(*profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	before, began := usage(), time.Now()
	if err := s.send(*server, *events); err != nil {
		return err
	}
	after := usage()
	o := outcome{CPU: cpu(after) - cpu(before), Wall: time.Since(began), Peak: int64(after.Maxrss) << 10}
	return json.NewEncoder(os.Stdout).Encode(o)
}

func usage() (u syscall.Rusage) {
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u
}

func cpu(u syscall.Rusage) time.Duration {
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// compare runs all senders in turn, again and again, so that a busy machine disturbs all alike.
func compare() {
	url, stop := startServer()
	defer stop()
	all := make(map[string][]outcome)
	for range *rounds {
		for _, s := range senders {
			out, err := command("-role", s.name, "-server", url, "-events", fmt.Sprint(*events)).Output()
			var o outcome
			if err == nil {
				err = json.Unmarshal(out, &o)
			}
			if err != nil {
				log.Fatalf("%s: %v", s.name, err)
			}
			all[s.name] = append(all[s.name], o)
		}
	}
	fmt.Printf("%-38s %16s %6s %14s %10s\n", "", "events/s of CPU", "ratio", "events/s", "peak RSS")
	var reference float64
	for _, s := range senders {
		median := func(of func(o outcome) float64) float64 {
			slices.SortFunc(all[s.name], func(a, b outcome) int { return cmp.Compare(of(a), of(b)) })
			return of(all[s.name][len(all[s.name])/2])
		}
		perCore := median(func(o outcome) float64 { return float64(*events) / o.CPU.Seconds() })
		perSecond := median(func(o outcome) float64 { return float64(*events) / o.Wall.Seconds() })
		peak := median(func(o outcome) float64 { return float64(o.Peak) })
		if reference == 0 {
			reference = perCore
		}
		fmt.Printf("%-38s %16.0f %6.2f %14.0f %6.1f MiB\n", s.name, perCore, perCore/reference, perSecond, peak/(1<<20))
	}
}

func command(args ...string) *exec.Cmd {
	program, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Stderr = os.Stderr
	return cmd
}

// startServer starts the server in a process of its own.
func startServer() (url string, stop func()) {
	cmd := command("-role", "serve")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		log.Fatal(err)
	}
	line := make([]byte, 100)
	n, err := out.Read(line)
	if err != nil {
		log.Fatal(err)
	}
	return strings.TrimSpace(string(line[:n])), func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
}

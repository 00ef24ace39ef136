// Command bench compares the cost of an open session with that of sockets of other WebSocket clients.
//
// It starts a server and a client as processes of their own for each kind of client, opens the same number of sockets
// with each, and pings them all at the same time. It prints ratios, because the times of two machines do not compare.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

// setup is the same for all processes of a comparison.
type setup struct {
	sockets  int
	interval time.Duration // between two Pings of a socket
	window   time.Duration // in which CPU and lateness are measured
	atOnce   int           // opens at a time
	spread   bool          // the opens over one interval, and with them the Pings
	secure   bool
	shared   bool // one Session for all sockets of package session
}

// pace waits until it is time for the open of a socket.
func (s *setup) pace(begun time.Time, i int) {
	if s.spread {
		time.Sleep(time.Until(begun.Add(s.interval * time.Duration(i) / time.Duration(s.sockets))))
	}
}

func main() {
	var s setup
	flag.IntVar(&s.sockets, "sockets", 4000, "sockets of each client")
	flag.DurationVar(&s.interval, "interval", 10*time.Second, "time between two Pings of a socket")
	flag.DurationVar(&s.window, "window", 30*time.Second, "time in which CPU and lateness are measured")
	flag.IntVar(&s.atOnce, "at-once", 64, "opens at a time")
	flag.BoolVar(&s.spread, "spread", true, "spread the opens, and with them the Pings, over one interval")
	flag.BoolVar(&s.secure, "wss", false, "TLS")
	flag.BoolVar(&s.shared, "shared", false, "wsprobe opens one URL for all sockets instead of one each")
	clients := flag.String("clients", "parked,wsprobe,gorilla,gws,coder", "clients to compare, with "+reference+" as the reference")
	role := flag.String("role", "", "what this process does in a comparison: serve, or the name of a client")
	server := flag.String("server", "", "the server of a client, as its process printed it")
	profile := flag.String("profile", "", "profiles of CPU and heap of a client with all its sockets, to files that begin so")
	flag.Parse()

	var err error
	switch *role {
	case "":
		err = compare(s, *clients)
	case "serve":
		err = serve(s)
	default:
		err = act(s, *role, *server, *profile)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// What the benchmark of the agent starts as processes of their own, so that the CPU time of each is its own.

// endpoint serves an echo over ws or wss, as $SCHEME says. It prints its URL, and for each line of its standard input how
// many connections it has accepted. It ends with that input.
func endpoint() {
	server := wstest.Start(wstest.Echo)
	if os.Getenv("SCHEME") == "wss" {
		server.Close()
		server = wstest.StartTLS(wstest.Echo, nil)
	}
	defer server.Close()
	fmt.Println(server.URL)
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		fmt.Println(server.Connections())
	}
}

// byHand is the client that is written by hand: it runs $RATE times a second against $URL, evenly, until its standard
// input ends. It prints how many runs were good.
func byHand() {
	rate, err := strconv.Atoi(os.Getenv("RATE"))
	if err != nil {
		panic(err)
	}
	over := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(over)
	}()
	run := wstest.ByHand(os.Getenv("URL"), &tls.Config{InsecureSkipVerify: true}, "ping", "ping")
	var good atomic.Int64
	var running sync.WaitGroup
	defer func() {
		running.Wait()
		fmt.Println(good.Load())
	}()
	start := time.Now()
	for n := 0; ; n++ {
		select {
		case <-over:
			return
		case <-time.After(time.Until(start.Add(time.Duration(n) * time.Second / time.Duration(rate)))):
		}
		running.Go(func() {
			if err := run(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return
			}
			good.Add(1)
		})
	}
}

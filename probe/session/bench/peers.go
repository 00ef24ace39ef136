package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// socket is an open socket of a client. Something reads it.
type socket interface {
	ping() error
	close()
}

// dial opens a socket of a client, which calls ponged at each Pong. Config is nil without TLS.
type dial func(addr string, config *tls.Config, ponged func()) (socket, error)

// newCrowd makes the crowd of the client with a name.
func newCrowd(s setup, name, addr string, config *tls.Config) (crowd, error) {
	if name == "wsprobe" {
		return newHubCrowd(s, addr, config)
	}
	open := map[string]dial{"parked": dialParked, "gorilla": dialGorilla, "gws": dialGWS, "coder": dialCoder}[name]
	if open == nil {
		return nil, errors.New("no such client: " + name)
	}
	return &peers{setup: s, addr: addr, config: config, dial: open, over: make(chan struct{})}, nil
}

// peers is the crowd of a library that has sockets but no crowds. One goroutine pings them all.
type peers struct {
	setup
	addr   string
	config *tls.Config
	dial   dial
	count  atomic.Int64

	mu      sync.Mutex
	sockets []pinged
	over    chan struct{}
}

// pinged is a socket with the time of its next Ping.
type pinged struct {
	socket
	due time.Time
}

func (p *peers) pongs() int64 { return p.count.Load() }

func (p *peers) open() error {
	slots := make(chan struct{}, p.atOnce)
	errs := make(chan error, p.setup.sockets)
	var all sync.WaitGroup
	begun := time.Now()
	for i := range p.setup.sockets {
		p.pace(begun, i)
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			s, err := p.dial(p.addr, p.config, func() { p.count.Add(1) })
			if err != nil {
				errs <- err
				return
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.sockets = append(p.sockets, pinged{s, time.Now().Add(p.interval)}); len(p.sockets) == 1 {
				go p.keep() // until stop
			}
		})
	}
	all.Wait()
	if len(errs) > 0 {
		return fmt.Errorf("%d failed: %w", len(errs), <-errs)
	}
	return nil
}

// keep pings each socket at its time. They are in the order of their times, which all rise alike.
func (p *peers) keep() {
	timer := time.NewTimer(0)
	for i := 0; ; i++ {
		p.mu.Lock()
		if i >= len(p.sockets) {
			i = 0
		}
		s := &p.sockets[i]
		wait := time.Until(s.due)
		s.due = s.due.Add(p.interval)
		p.mu.Unlock()
		if wait > 0 {
			timer.Reset(wait)
			select {
			case <-p.over:
				return
			case <-timer.C:
			}
		}
		_ = s.ping() // a Pong that is missing shows it
	}
}

// stop closes all sockets, as many at a time as were opened.
func (p *peers) stop() {
	close(p.over)
	slots := make(chan struct{}, p.atOnce)
	var all sync.WaitGroup
	for i := range p.sockets {
		slots <- struct{}{}
		all.Go(func() {
			p.sockets[i].close()
			<-slots
		})
	}
	all.Wait()
}

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/probe/session"
)

// hubCrowd is the crowd of package session. Its Sessions are made before the first open: each probe that waits for its
// next run has such a one, too.
type hubCrowd struct {
	setup
	hub      *session.Hub
	sessions []*session.Session
	opened   chan struct{}
	failed   chan error
	ponged   atomic.Int64
	cancel   context.CancelFunc
	over     chan struct{}
}

func newHubCrowd(s setup, addr string, config *tls.Config) (crowd, error) {
	c := &hubCrowd{setup: s, hub: session.NewHub(session.Options{MaxConcurrent: s.atOnce}), opened: make(chan struct{}, s.sockets),
		failed: make(chan error, s.sockets), over: make(chan struct{})}
	made := s.sockets
	if s.shared {
		made = 1
	}
	for i := range made {
		spec := session.Spec{PingInterval: s.interval}
		spec.URL = fmt.Sprint(address(addr, config), i)
		spec.TLS = config
		one, err := c.hub.New(spec)
		if err != nil {
			return nil, err
		}
		c.sessions = append(c.sessions, one)
	}
	return c, nil
}

func (c *hubCrowd) pongs() int64 { return c.ponged.Load() }

// observe takes the events of all sessions.
func (c *hubCrowd) observe(e session.Event) {
	switch e.Kind {
	case session.Ponged:
		c.ponged.Add(1)
	case session.Opened:
		c.opened <- struct{}{}
	case session.OpenFailed:
		c.failed <- errors.New(e.Open.Detail)
	}
}

func (c *hubCrowd) open() error {
	var ctx context.Context
	ctx, c.cancel = context.WithCancel(context.Background())
	go func() {
		c.hub.Run(ctx)
		close(c.over)
	}()
	begun := time.Now()
	for i := range c.sockets {
		c.pace(begun, i)
		c.hub.Add(c.sessions[i%len(c.sessions)], c.observe)
	}
	timeout := time.After(2 * time.Minute)
	for range c.sockets {
		select {
		case <-c.opened:
		case err := <-c.failed:
			return err
		case <-timeout:
			return errors.New("not all sessions opened within 2 minutes")
		}
	}
	return nil
}

func (c *hubCrowd) stop() {
	c.cancel()
	<-c.over
}

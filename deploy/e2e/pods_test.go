package e2e

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// pods are WebSocket servers on one port of many loopback addresses. They answer one message with itself.
type pods struct {
	port string

	mu     sync.Mutex
	visits map[string]visitsOf // by address
}

// visitsOf are the connections to one pod.
type visitsOf struct {
	n    int
	last time.Time
	host string // of the last request
}

// startPods starts n pods.
func startPods(t *testing.T, n int) (p *pods, addresses []string) {
	t.Helper()
	p = &pods{visits: map[string]visitsOf{}}
	for i := range n {
		addresses = append(addresses, fmt.Sprintf("127.7.%d.%d", i/250, i%250+1))
	}
	listeners := p.listen(t, addresses)
	server := &http.Server{Handler: p, ReadHeaderTimeout: time.Minute}
	for _, l := range listeners {
		go func() { _ = server.Serve(l) }()
	}
	t.Cleanup(func() { _ = server.Close() })
	return p, addresses
}

// listen takes a port that is free at all addresses.
func (p *pods) listen(t *testing.T, addresses []string) (listeners []net.Listener) {
	t.Helper()
	for range 20 {
		p.port = "0"
		for _, address := range addresses {
			l, err := net.Listen("tcp", net.JoinHostPort(address, p.port))
			if err != nil {
				break
			}
			_, p.port, _ = net.SplitHostPort(l.Addr().String())
			listeners = append(listeners, l)
		}
		if len(listeners) == len(addresses) {
			return listeners
		}
		for _, l := range listeners {
			_ = l.Close()
		}
		listeners = nil
	}
	t.Fatal("no port is free at all addresses of the pods")
	return nil
}

func (p *pods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	address, _, _ := net.SplitHostPort(r.Context().Value(http.LocalAddrContextKey).(net.Addr).String())
	p.mu.Lock()
	v := p.visits[address]
	p.visits[address] = visitsOf{n: v.n + 1, last: time.Now(), host: r.Host}
	p.mu.Unlock()
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	for {
		kind, data, err := c.Read(r.Context())
		if err != nil || c.Write(r.Context(), kind, data) != nil {
			return
		}
	}
}

// at returns the visits of a pod.
func (p *pods) at(address string) visitsOf {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.visits[address]
}

// await waits until each of these pods, and no other, is visited from now on.
func (p *pods) await(t *testing.T, addresses []string) {
	t.Helper()
	var begun time.Time
	before := map[string]int{}
	begin := func() {
		begun = time.Now()
		p.mu.Lock()
		defer p.mu.Unlock()
		for address, v := range p.visits {
			before[address] = v.n
		}
	}
	begin()
	lab.Eventually(t, time.Minute, fmt.Sprintf("visits to %d pods, and to no other", len(addresses)), func() (bool, string) {
		p.mu.Lock()
		missing, others := 0, []string{}
		for _, address := range addresses {
			if p.visits[address].n < before[address]+2 {
				missing++
			}
		}
		for address, v := range p.visits {
			if v.n > before[address] && !slices.Contains(addresses, address) {
				others = append(others, address)
			}
		}
		p.mu.Unlock()
		state := fmt.Sprintf("%d are missing, others: %s", missing, strings.Join(others, " "))
		if len(others) > 0 {
			begin()
			return false, state
		}
		return missing == 0 && time.Since(begun) > 3*time.Second, state // two intervals without a visit to others
	})
}

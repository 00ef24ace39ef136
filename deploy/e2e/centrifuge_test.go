package e2e

import (
	"context"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge"
)

// startCentrifuge starts a server on the library that Centrifugo is made of, with shorter times: 3 s for the connect
// command, a ping every 2 s, and 1 s for its answer.
func startCentrifuge(t *testing.T) deployed {
	t.Helper()
	return serveCentrifuge(t, 3*time.Second, centrifuge.PingPongConfig{PingInterval: 2 * time.Second, PongTimeout: time.Second})
}

// serveCentrifuge starts a server that publishes on the channel ticks every 500 ms.
func serveCentrifuge(t *testing.T, connectLimit time.Duration, pings centrifuge.PingPongConfig) deployed {
	t.Helper()
	node, err := centrifuge.New(centrifuge.Config{ClientStaleCloseDelay: connectLimit})
	if err != nil {
		t.Fatal(err)
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{}}, nil
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnSubscribe(func(_ centrifuge.SubscribeEvent, answer centrifuge.SubscribeCallback) {
			answer(centrifuge.SubscribeReply{}, nil)
		})
	})
	if err := node.Run(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{PingPongConfig: pings}))
	var ticking sync.WaitGroup
	stopped, end := context.WithCancel(context.Background())
	ticking.Go(func() {
		for tick := time.NewTicker(500 * time.Millisecond); ; {
			select {
			case <-tick.C:
				_, _ = node.Publish("ticks", []byte(`{"tick":1}`))
			case <-stopped.Done():
				tick.Stop()
				return
			}
		}
	})
	stop := func(*testing.T) { _ = node.Shutdown(context.Background()) }
	t.Cleanup(func() {
		end()
		ticking.Wait()
		stop(t)
		server.Close()
	})
	return deployed{addr: server.Listener.Addr().String(), stop: stop}
}

package e2e

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge"
)

// startCentrifuge starts a server on the library that Centrifugo is made of, with shorter times: 3 s for the connect
// command, a ping every 2 s, and 1 s for its answer.
func startCentrifuge(t *testing.T) deployed {
	t.Helper()
	node, err := centrifuge.New(centrifuge.Config{ClientStaleCloseDelay: 3 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{}}, nil
	})
	if err := node.Run(); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/held", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		PingPongConfig: centrifuge.PingPongConfig{PingInterval: 2 * time.Second, PongTimeout: time.Second},
	}))
	server := httptest.NewServer(mux)
	stop := func(*testing.T) { _ = node.Shutdown(context.Background()) }
	t.Cleanup(func() {
		stop(t)
		server.Close()
	})
	return deployed{addr: server.Listener.Addr().String(), stop: stop}
}

#!/usr/bin/env bash
# Go 1.26.8, net/http: Transport calls DialContext with a context that has no deadline and that does not end with the
# request, neither for a request whose context has a deadline nor for a Client with a Timeout. The call to Do returns
# in time, and the dial goes on. A DialContext that relies on its context alone waits as long as the kernel retries.
#
# Input: a request of half a second, by its context or by Client.Timeout, and a DialContext that takes a second.
#
# Seen:
#   deadline of the context: dial has a deadline: false; Do: context deadline exceeded; then the dial's context: <nil>
#   timeout of the client: dial has a deadline: false; Do: context deadline exceeded; then the dial's context: <nil>
#
# Needs Go. Exits with 1 when the behaviour is another one.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOTOOLCHAIN=go1.26.8

cat >main.go <<'EOF'
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"time"
)

func get(url string, within, timeout time.Duration) string {
	dialed := make(chan string, 1)
	var bounded bool
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		_, bounded = ctx.Deadline()
		time.Sleep(time.Second)
		dialed <- fmt.Sprint(ctx.Err())
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	ctx := context.Background()
	if within > 0 {
		limited, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		ctx = limited
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		panic(err)
	}
	_, err = (&http.Client{Transport: transport, Timeout: timeout}).Do(request)
	cause := fmt.Sprint(err)
	if errors.Is(err, context.DeadlineExceeded) {
		cause = context.DeadlineExceeded.Error()
	}
	then := <-dialed
	return fmt.Sprintf("dial has a deadline: %v; Do: %s; then the dial's context: %s", bounded, cause, then)
}

func main() {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	fmt.Println("deadline of the context:", get(server.URL, time.Second/2, 0))
	fmt.Println("timeout of the client:", get(server.URL, 0, time.Second/2))
}
EOF

got=$(go run main.go)
want="deadline of the context: dial has a deadline: false; Do: context deadline exceeded; then the dial's context: <nil>
timeout of the client: dial has a deadline: false; Do: context deadline exceeded; then the dial's context: <nil>"
printf '%s\n' "$got"
[ "$got" = "$want" ]

package probe_test

import (
	"fmt"
	"io"
	"os"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// serving asks TestMain to be the endpoint of the benchmarks, of the scheme that it names.
const serving = "WSPROBE_TEST_SERVE"

// serveHere is that endpoint: it prints its URL and serves until its standard input ends.
func serveHere(scheme string) {
	start := wstest.Start
	if scheme == "wss" {
		start = startTLS
	}
	s := start(wstest.Reply(pong))
	defer s.Close()
	fmt.Println(s.URL)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

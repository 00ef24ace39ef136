package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/logtest"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestStopWhileDown: an agent that stops while a session is down has told why, in a log record and a span for each end.
func TestStopWhileDown(t *testing.T) {
	cuts := 0
	server := wstest.Start(func(c *wstest.Conn) { // one at a time
		c.Accept()
		cuts++
		c.FIN()
	})
	var points receiver.Inbox[receiver.Point]
	var records receiver.Inbox[receiver.Record]
	var spans receiver.Inbox[receiver.Span]
	back, err := receiver.Start(&receiver.Receiver{Point: points.Add, Record: records.Add, Span: spans.Add})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse("wsprobe.yaml", fmt.Appendf(nil, `
agent: {listen: ""}
otlp: {endpoint: "http://%s", interval: 1s, logs: true, traces: true}
probes:
  - {name: held, url: "%s", session: {reconnect: {min: 1h, max: 1h}}}
`, back.Address, server.URL))
	if err != nil {
		t.Fatal(err)
	}
	var log logtest.Log
	_, stop := runAgent(t, cfg, &log)
	awaitPoints(t, &points, 1, receiver.Of("wsprobe.session.duration", "held"))
	stop()
	_ = back.Stop()
	server.Close()
	told := 0
	for _, r := range records.All() {
		told += count(r.Event == "wsprobe.session.ended")
	}
	traced := 0
	for _, s := range spans.All() {
		traced += count(strings.HasPrefix(s.Name, "session "))
	}
	if told != cuts || traced != cuts {
		t.Errorf("%d records and %d spans of %d ends\n%s", told, traced, cuts, log.String())
	}
}

package stream

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/wsprobe/wsprobe/probe"
)

// TestRestart: what a stream could not deliver before it stopped is delivered by the next one with the same directory,
// once, in order, and as sent before.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	run := func(url string) *rig {
		r := &rig{t: t}
		o := options(r)
		o.Opening, o.Drain, o.Buffer.Dir = probe.Opening{URL: url}, 50*ms, dir
		o.Reconnect.Min, o.Reconnect.Max = ms, 10*ms
		r.run(o)
		return r
	}
	dead := httptest.NewServer(nil)
	dead.Close()
	before := run("ws" + strings.TrimPrefix(dead.URL, "http"))
	for i := range 50 {
		before.observe("p", fmt.Sprintf("%03d", i))
	}
	before.stop()
	if c := before.stream.Counts(); c.Sent != 0 || len(c.Discarded) > 0 || before.stream.State().Waiting.Events != 50 {
		t.Fatalf("%+v", c)
	}
	if log := before.logged(); !strings.Contains(log, `msg="stopped with events in the buffer: the next start delivers them" stream=wall events=50`) {
		t.Error(log)
	}
	var calm sync.Map
	calm.Store("now", true)
	var after *rig
	ready := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		<-ready
		after.receive(w, req, Pong, &calm)
	}))
	defer server.Close()
	after = run("ws" + strings.TrimPrefix(server.URL, "http"))
	close(ready)
	await(t, func() bool { return after.stream.Counts().Sent >= 50 })
	after.stop()
	var want []string
	for i := range 50 {
		want = append(want, fmt.Sprintf("1:%03d*1", i))
	}
	if got := after.arrived(); got != strings.Join(want, " ") || after.stream.Counts().Events != 50 {
		t.Errorf("%s, %+v", got, after.stream.Counts())
	}
}

package e2e

import (
	"fmt"
	"math"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// TestEndsBehindProxies holds three sessions through each proxy: one without traffic, one with Pings, and a feed. The
// proxy has its idle limit, is reloaded, loses its back end, drains and is killed. Each end that is told is the one that
// the packets have.
func TestEndsBehindProxies(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(t *testing.T, upstream string) *front{
		"nginx": frontNginx, "haproxy": frontHAProxy, "apache": frontApache, "caddy": frontCaddy,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upstream := lab.FreeAddr(t)
			s := &siege{upstream: upstream, server: startHeldServer(t, upstream), front: start(t, upstream)}
			s.front.serve(t)
			packets := startCapture(t, s.front.addr)
			base := "ws://" + s.front.addr
			s.quiet = startHold(t, base+"/quiet")
			s.pinged = startHold(t, base+"/pinged", "--ping-interval", "500ms")
			s.feed = startHold(t, base+"/feed", "--sequence", "seq", "--sent-at", "ts")
			for _, h := range s.all() {
				h.await(t, 0, "an open", opens)
			}
			s.idle(t)
			s.reload(t)
			s.loseBackend(t)
			s.drain(t)
			s.kill(t)
			conns := s.stop(t, packets)
			for _, h := range s.all() {
				h.checkAgainst(t, conns[h.path])
			}
		})
	}
}

// siege is what happens to a proxy, with the sessions that are held through it.
type siege struct {
	upstream            string
	server              *lab.Process
	front               *front
	quiet, pinged, feed *holding
}

func (s *siege) all() []*holding { return []*holding{s.quiet, s.pinged, s.feed} }

// busy are the sessions that no idle limit ends.
func (s *siege) busy() []*holding { return []*holding{s.pinged, s.feed} }

// idle waits until the idle limit has shown itself thrice. It must be told as that, with the proxy as a likely owner.
func (s *siege) idle(t *testing.T) {
	t.Helper()
	if s.front.idles {
		n := s.quiet.await(t, 0, "an idle limit", habitual("idle"))
		told := s.quiet.events(t)[n-1]
		if !told.names(s.front.owner) || math.Abs(told.AlikeMS-3000) > millis(apart) {
			t.Errorf("an idle limit of 3 s of %s is told as %+v", s.front.owner, told)
		}
	} else {
		lab.Wait(t, 4*time.Second)
		s.none(t, s.quiet)
	}
	s.none(t, s.busy()...)
}

// none fails the test if one of the sessions has ended.
func (s *siege) none(t *testing.T, held ...*holding) {
	t.Helper()
	for _, h := range held {
		if got := h.ended(t); len(got) > 0 {
			t.Errorf("%s ended: %+v", h.path, got)
		}
	}
}

// reload has the proxy read a changed configuration.
func (s *siege) reload(t *testing.T) {
	t.Helper()
	marks := s.marks(t)
	s.front.reload(t)
	if s.front.keeps {
		lab.Wait(t, 3*time.Second)
		s.none(t, s.busy()...)
		return
	}
	verdict := "replaced"
	if s.front.cut == byGoingAway {
		verdict = "drained"
	}
	for _, h := range s.busy() {
		h.await(t, marks[h], "the end by a reload", s.front.cut.is)
		h.await(t, marks[h], "the verdict "+verdict, explains(verdict))
		h.await(t, marks[h], "an open after the reload", opens)
	}
}

// marks are how many events each session has told.
func (s *siege) marks(t *testing.T) map[*holding]int {
	t.Helper()
	marks := map[*holding]int{}
	for _, h := range s.all() {
		marks[h] = len(h.events(t))
	}
	return marks
}

// loseBackend kills the back end and starts it anew.
func (s *siege) loseBackend(t *testing.T) {
	t.Helper()
	marks := s.marks(t)
	s.server.Kill(t)
	for _, h := range s.busy() {
		h.await(t, marks[h], "the end of the back end", byFIN.is)
		h.await(t, marks[h], "the verdict backend_gone", explains("backend_gone"))
		h.await(t, marks[h], "a refusal by the proxy", refused("http_502", "http_503"))
	}
	s.server = startHeldServer(t, s.upstream)
	s.reopen(t, marks)
}

// reopen waits until every session is open again, with a downtime.
func (s *siege) reopen(t *testing.T, marks map[*holding]int) {
	t.Helper()
	for _, h := range s.all() {
		h.await(t, marks[h], "an open", func(e heldEvent) bool { return opens(e) && e.DowntimeMS > 0 })
	}
}

// drain ends the proxy in good order, and starts it anew.
func (s *siege) drain(t *testing.T) {
	t.Helper()
	marks := s.marks(t)
	s.front.process.Signal(t, s.front.drain)
	s.refused(t, marks, s.front.cut)
	s.front.process.Exit(t, 30*time.Second)
	s.front.serve(t)
	s.reopen(t, marks)
}

// refused waits until every session has ended and knows that nothing listens any more.
func (s *siege) refused(t *testing.T, marks map[*holding]int, by ending) {
	t.Helper()
	for _, h := range s.all() {
		h.await(t, marks[h], fmt.Sprintf("an end %v", by), by.is)
		h.await(t, marks[h], "the verdict stopped", explains("stopped"))
		h.await(t, marks[h], "a refused connection", refused("connection_refused"))
	}
}

// kill ends the proxy as an accident does.
func (s *siege) kill(t *testing.T) {
	t.Helper()
	marks := s.marks(t)
	s.front.process.Kill(t)
	s.refused(t, marks, byFIN)
	s.front.serve(t)
	s.reopen(t, marks)
}

// stop ends the sessions on purpose. The server must have seen the end of each connection that it opened, and that of the
// last ones with 1001.
func (s *siege) stop(t *testing.T, packets *capture) map[string][]*wireConn {
	t.Helper()
	for _, h := range s.all() {
		h.process.Signal(t, syscall.SIGINT)
	}
	for _, h := range s.all() {
		h.process.Exit(t, lab.StopLimit)
		lab.Eventually(t, 10*time.Second, "the server to see 1001 on "+h.path, func() (bool, string) {
			output := s.server.Output()
			i := strings.LastIndex(output, "closed "+h.path)
			return strings.Count(output, "closed "+h.path) == strings.Count(output, "opened "+h.path) &&
				strings.HasPrefix(output[max(i, 0):], "closed "+h.path+" 1001\n"), output
		})
	}
	return packets.connections(t)
}

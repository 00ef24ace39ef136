package e2e

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// judged is a stream to a receiver, with the probes whose events it has.
type judged struct {
	*receiver
	name  string
	every func(probe string) bool
}

// losses is a day of four streams in a minute.
type losses struct {
	agent    *streaming
	endpoint *lab.Endpoint // of the probes
	witness  *witness
	network  toxic // in front of direct
	haproxy  *front
	nginx    *front
	caddy    *front

	direct, answering, idle, batched judged
}

func (l *losses) streams() []judged { return []judged{l.direct, l.answering, l.idle, l.batched} }

// TestStreamLosesNothing streams the results of many probes to receivers on the libraries of others, through proxies.
// The agent and the receivers are killed, the network flaps, stands still and resets, and proxies are reloaded or have
// their idle limits. Every event comes at least once, and in order.
func TestStreamLosesNothing(t *testing.T) {
	t.Parallel()
	l := startLosses(t)
	rounds := 1
	if long() {
		rounds = 8 // of about 12,000 events
	}
	for range rounds {
		l.day(t)
	}
	l.settle(t)
	stopAgent(t, l.agent.process)
	all := l.witness.events()
	if len(all) < 1000*rounds {
		t.Errorf("%d events in all, want a thousand", len(all))
	}
	l.checkWitness(t, all)
	for _, s := range l.streams() {
		t.Run(s.name, func(t *testing.T) {
			judge(s.of(all), deliveries(t, s.messages(t)), l.agent.kills).check(t)
		})
	}
}

func startLosses(t *testing.T) *losses {
	t.Helper()
	isSlow := func(probe string) bool { return probe == "slow" }
	notSlow := func(probe string) bool { return probe != "slow" }
	l := &losses{
		witness:   newWitness(t),
		direct:    judged{newReceiver(t, "ws", ""), "direct", notSlow},
		answering: judged{newReceiver(t, "websockets", "answer"), "answering", notSlow},
		idle:      judged{newReceiver(t, "gorilla", ""), "idle", isSlow},
		batched:   judged{newReceiver(t, "aiohttp", "answer"), "batched", notSlow},
	}
	l.network = startToxic(t, l.direct.addr)
	l.haproxy, l.nginx, l.caddy = frontHAProxy(t, l.answering.addr), frontNginx(t, l.idle.addr), frontCaddy(t, l.batched.addr)
	for _, f := range []*front{l.haproxy, l.nginx, l.caddy} {
		f.serve(t)
	}
	l.endpoint = lab.NewEndpoint(t)
	n := 40
	if long() {
		n = 400
	}
	probes := l.endpoint.Many(n)
	slow := l.endpoint.RoundTrip("slow", lab.Echo)
	slow["interval"] = "5s"
	probes = append(probes, slow)
	fast := map[string]any{"probes": []string{"p*"}}
	l.agent = startStreaming(t, probes, l.witness.stream(),
		with(onDisk(t, "direct", "ws://"+l.network.Listen, "pong"), fast),
		with(with(onDisk(t, "answering", "ws://"+l.haproxy.addr, "message"), fast), map[string]any{"workers": 3}),
		with(onDisk(t, "idle", "ws://"+l.nginx.addr, "pong"), map[string]any{"probes": []string{"slow"}, "ping_interval": "1h"}),
		with(with(onDisk(t, "batched", "ws://"+l.caddy.addr, "message"), fast), map[string]any{
			"batch": map[string]any{"max_events": 50, "linger": "200ms"}, "compression": "on",
		}),
	)
	return l
}

// day has everything that may happen to a stream.
func (l *losses) day(t *testing.T) {
	t.Helper()
	pause := func() { lab.Wait(t, 2*time.Second) }
	l.direct.awaitEvents(t, 40)
	l.batched.awaitEvents(t, 40)
	l.network.flap(t)
	pause()
	l.direct.process.Kill(t)
	l.answering.process.Kill(t)
	pause()
	l.agent.kill(t) // while nobody takes its events
	l.direct.start(t)
	pause()
	l.answering.start(t)
	l.network.poison(t, `{"type":"timeout","stream":"upstream","attributes":{"timeout":0}}`, 5*time.Second) // stands still
	l.agent.kill(t)
	lab.Wait(t, 300*time.Millisecond)
	l.agent.kill(t) // before it has done much
	l.network.poison(t, `{"type":"reset_peer","stream":"upstream","attributes":{"timeout":200}}`, 2*time.Second)
	l.haproxy.reload(t)
	l.nginx.process.Signal(t, syscall.SIGHUP)
	pause()
	change(t, l.haproxy.config, "timeout tunnel 2900ms", "timeout tunnel 3s") // for the next day; it has read the file
	l.network.poison(t, `{"type":"latency","stream":"downstream","attributes":{"latency":1000,"jitter":500}}`, 4*time.Second)
	l.batched.process.Kill(t)
	l.caddy.process.Kill(t)
	pause()
	l.batched.start(t)
	l.caddy.serve(t)
	l.idle.process.Kill(t)
	l.idle.start(t)
	pause()
	l.agent.kill(t)
	pause()
}

// settle waits until every stream has caught up, and compares its counts.
func (l *losses) settle(t *testing.T) {
	t.Helper()
	limit := time.Now().Add(30 * time.Second)
	for _, s := range l.streams() {
		want := s.of(l.witness.events())
		for time.Now().Before(limit) && len(judge(want, deliveries(t, s.messages(t)), l.agent.kills).Lost) > 0 {
			lab.Wait(t, 500*time.Millisecond)
		}
	}
	for name, c := range l.agent.checkCounts(t) {
		if c.discarded > 0 {
			t.Errorf("%s: %v events given up", name, c.discarded)
		}
	}
}

// checkWitness wants an event of each run that the endpoint of the probes saw, but for the last one before each end of
// the agent, which can have been cut.
func (l *losses) checkWitness(t *testing.T, all []streamEvent) {
	t.Helper()
	told := map[string]int{}
	for _, e := range all {
		told[e.Probe]++
	}
	for probe, visits := range l.endpoint.Visits() {
		if cut := len(visits) - told[probe]; cut > len(l.agent.kills)+1 {
			t.Errorf("%s: %d runs at the endpoint, %d events, after %d kills", probe, len(visits), told[probe], len(l.agent.kills))
		}
	}
}

// TestStreamSurvivesKills kills the agent again and again while its receiver is away, at times that are not related to
// anything. What it had for half a second is on disk. It comes once the receiver is back, in the order of its probe.
func TestStreamSurvivesKills(t *testing.T) {
	t.Parallel()
	w, r, kills := newWitness(t), newReceiver(t, "ws", ""), 10
	if long() {
		kills = 100
	}
	r.process.Kill(t)
	agent := startStreaming(t, lab.NewEndpoint(t).Many(40), w.stream(), onDisk(t, "away", "ws://"+r.addr, "pong"))
	for range kills {
		lab.Wait(t, 700*time.Millisecond+rand.N(1500*time.Millisecond))
		agent.kill(t)
	}
	r.start(t)
	lab.Eventually(t, serverLimit, "an empty buffer", func() (bool, string) {
		c := agent.counts(t)["away"]
		return c != nil && c.buffered == 0 && c.received > 0, "not empty"
	})
	agent.checkCounts(t)
	stopAgent(t, agent.process)
	judge(w.events(), deliveries(t, r.messages(t)), agent.kills).check(t)
}

// of picks the events that the stream has.
func (s judged) of(all []streamEvent) (picked []streamEvent) {
	for _, e := range all {
		if s.every(e.Probe) {
			picked = append(picked, e)
		}
	}
	return picked
}

package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/reasons"
)

// bound is how long a step of a test may take on real sockets before it hangs.
const bound = 60 * time.Second

// plain encodes an event as tests read it.
func plain(e *event.Event) []byte {
	return fmt.Appendf(nil, `{"id":%q,"event":%q,"probe":%q}`, e.ID, e.Kind, e.Observation.Probe.Name())
}

// message is any message of the stream.
type message struct {
	ID    *string `json:"id"`
	Event string  `json:"event"`
	Since *string `json:"since"`
	Probe string  `json:"probe"`
}

// String is the message in a word.
func (m message) String() string {
	switch {
	case m.Event == "stream.opened" && m.Since != nil:
		return "opened " + *m.Since
	case m.Event == "stream.opened":
		return "opened"
	case m.Event == "stream.live" && m.ID == nil:
		return "live"
	case m.Event == "stream.live":
		return "live " + *m.ID
	}
	return *m.ID
}

// served is a feed behind a server.
type served struct {
	*Feed
	url  string // http://host:port
	dial func(context.Context, string, string) (net.Conn, error)
	stop func() // returns when everything has ended
}

// start runs a feed on a listener.
func start(l net.Listener, f *Feed) *served {
	server := &http.Server{Handler: f, WriteTimeout: time.Minute, ReadTimeout: time.Minute}
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() { _ = server.Serve(l) })
	tasks.Go(func() { f.Run(ctx) })
	return &served{Feed: f, url: "http://" + l.Addr().String(), stop: func() {
		cancel()
		_ = server.Close()
		tasks.Wait()
	}}
}

// serve runs a feed until the test ends.
func serve(t *testing.T, l net.Listener, o Options) *served {
	if o.Encode == nil {
		o.Encode = plain
	}
	s := start(l, New(o))
	t.Cleanup(s.stop)
	return s
}

// overTCP serves on a real port.
func overTCP(t *testing.T, o Options) *served {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, l, o)
}

// pipes is a listener in memory, for bubbles.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9464} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p.conns <- server
	return client, nil
}

// inMemory serves in a bubble.
func inMemory(t *testing.T, o Options) *served {
	l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	s := serve(t, l, o)
	s.dial = l.dial
	return s
}

// happens has an event of a probe happen.
func (s *served) happens(first, last int) {
	probes := identities(3)
	for n := first; n <= last; n++ {
		s.Observe(happen(n, probes[n%3], reasons.OK))
	}
}

// whatever stands for a number of messages that a test does not know, because its clients go.
const whatever = -1

// counts waits until the counts are these. A client may have read a message before it is counted.
func (s *served) counts(t *testing.T, want Stats) {
	t.Helper()
	for deadline := time.Now().Add(bound); ; runtime.Gosched() {
		got := s.Stats()
		if want.Messages == whatever {
			got.Messages = whatever
		}
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v, want %+v", got, want)
		}
	}
}

// reader is a client.
type reader struct {
	t  *testing.T
	ws *websocket.Conn
}

// try connects, and returns the refusal if there is one.
func (s *served) try(t *testing.T, query string, o websocket.DialOptions) (*reader, *http.Response, error) {
	transport := &http.Transport{DialContext: s.dial, DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	o.HTTPClient = &http.Client{Transport: transport}
	ws, response, err := websocket.Dial(t.Context(), s.url+"/api/v1/stream?"+query, &o)
	if err != nil {
		return nil, response, err
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	return &reader{t, ws}, nil, nil
}

// with connects with options.
func (s *served) with(t *testing.T, o websocket.DialOptions) *reader {
	t.Helper()
	r, _, err := s.try(t, "", o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (s *served) connect(t *testing.T, query string) *reader {
	t.Helper()
	r, _, err := s.try(t, query, websocket.DialOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// next returns the next message in a word, or how the connection ended.
func (r *reader) next() string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.t.Context()), bound)
	defer cancel()
	_, text, err := r.ws.Read(ctx)
	var closed websocket.CloseError
	switch {
	case errors.As(err, &closed):
		return fmt.Sprintf("%d %s", closed.Code, closed.Reason)
	case err != nil:
		return "error " + err.Error()
	}
	var m message
	if err := json.Unmarshal(text, &m); err != nil {
		return "error " + err.Error()
	}
	return m.String()
}

// wants reads messages and compares them.
func (r *reader) wants(words ...string) {
	r.t.Helper()
	for i, want := range words {
		if got := r.next(); got != want {
			r.t.Fatalf("message %d is %q, want %q", i, got, want)
		}
	}
}

// TestStream holds what a client gets: what has been, and then each event.
func TestStream(t *testing.T) {
	s := overTCP(t, Options{})
	empty := s.connect(t, "")
	empty.wants("opened", "live")
	s.happens(1, 4)
	empty.wants(span(1, 4)...)
	late := s.connect(t, "")
	late.wants("opened", id(2), id(3), id(4), "live "+id(4))
	again, lost, core := s.connect(t, "since="+id(2)), s.connect(t, "since=x"), s.connect(t, "label=team=core&since="+id(1))
	again.wants("opened known", id(3), id(4), "live "+id(4))
	lost.wants("opened unknown", id(1), id(2), id(3), id(4), "live "+id(4))
	core.wants("opened known", id(3), "live "+id(4))
	s.happens(5, 6)
	for _, r := range []*reader{empty, late, again, lost} {
		r.wants(span(5, 6)...)
	}
	core.wants(id(6))
	s.Forget("p0")
	s.connect(t, "").wants("opened", id(4), id(5), "live "+id(6))
	s.counts(t, Stats{Clients: 6, Accepted: 6, Messages: 8 + 7 + 6 + 8 + 4 + 4})
}

// TestRefusals holds the answers to requests that are not accepted: a line each.
func TestRefusals(t *testing.T) {
	s := overTCP(t, Options{Origins: func() []string { return []string{"https://wall.example.com"} }})
	for _, c := range []struct {
		name, query string
		header      http.Header
		code        int
		line        string
	}{
		{"a parameter that there is not", "prob=x", nil, 400, "prob is no parameter: there are probe, label, reason, events and since\n"},
		{"a label without a value", "label=team", nil, 400, "label is KEY=VALUE, as in label=team=core\n"},
		{"a reason that there is not", "reason=timeout", nil, 400,
			"timeout is no reason: there are ok, ws_open_failed, ws_handshake_timeout, ws_reply_timeout, ws_closed_early, ws_reply_mismatch\n"},
		{"events that there are not", "events=some", nil, 400, "events is all or changes\n"},
		{"both kinds of events", "events=all&events=changes", nil, 400, "events is all or changes\n"},
		{"two places to go on", "since=a&since=b", nil, 400, "since is one ID\n"},
		{"a query that is none", "probe=%zz", nil, 400, "the query cannot be read: invalid URL escape \"%zz\"\n"},
		{"a text that a terminal would obey", "%1b[2J=1", nil, 400, `\x1b[2J is no parameter: there are probe, label, reason, events and since` + "\n"},
		{"a foreign page", "", http.Header{"Origin": {"https://evil.example.com"}}, 403,
			"pages of https://evil.example.com may not read this (agent.origins can name it)\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, response, err := s.try(t, c.query, websocket.DialOptions{HTTPHeader: c.header})
			if response == nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(response.Body)
			if response.StatusCode != c.code || string(body) != c.line {
				t.Errorf("%d %q, want %d %q", response.StatusCode, body, c.code, c.line)
			}
		})
	}
	t.Run("no WebSocket", func(t *testing.T) {
		response, err := http.Get(s.url + "/api/v1/stream")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode != 426 || response.Header.Get("Upgrade") != "websocket" ||
			string(body) != "this is a WebSocket: connect to it, for example with websocat "+strings.Replace(s.url, "http", "ws", 1)+"/api/v1/stream\n" {
			t.Errorf("%d %q", response.StatusCode, body)
		}
	})
	s.counts(t, Stats{Foreign: 1})
}

// TestOrigins holds which pages may read.
func TestOrigins(t *testing.T) {
	f := New(Options{Encode: plain, Origins: func() []string {
		return []string{"https://Wall.example.com", "http://other.example.com:8080", "https://far.example.com:443/"}
	}})
	for _, c := range []struct {
		host, origin string
		want         bool
	}{
		{"mon:9464", "", true},
		{"mon:9464", "http://mon:9464", true},
		{"MON:9464", "http://mon:9464", true},
		{"mon:9464", "https://mon:9464", true}, // a proxy speaks TLS
		{"mon", "https://mon", true},
		{"mon:443", "https://mon", true},
		{"mon:80", "http://mon", true},
		{"mon:80", "https://mon", false},
		{"mon:9464", "http://mon", false},
		{"mon:9464", "http://mon:9465", false},
		{"[::1]:9464", "http://[::1]:9464", true},
		{"mon:9464", "https://wall.example.com", true},
		{"mon:9464", "https://WALL.example.com:443", true},
		{"mon:9464", "http://wall.example.com", false},
		{"mon:9464", "https://wall.example.com:8443", false},
		{"mon:9464", "https://sub.wall.example.com", false},
		{"mon:9464", "https://wall.example.com.evil.example.com", false},
		{"mon:9464", "http://other.example.com:8080", true},
		{"mon:9464", "http://other.example.com", false},
		{"mon:9464", "https://far.example.com", true},
		{"mon:9464", "null", false},
		{"mon:9464", "file://", false},
		{"", "http://", false},
		{"mon:9464", "mon:9464", false},
	} {
		r := &http.Request{Host: c.host, Header: http.Header{}}
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if got := f.welcome(r); got != c.want {
			t.Errorf("%s for %s: %v", c.origin, c.host, got)
		}
	}
	if f.welcome(&http.Request{Host: "mon", Header: http.Header{"Origin": {"http://mon", "http://evil"}}}) {
		t.Error("two origins are none")
	}
}

// TestSeam has clients come and go while events happen, each of them after the last event that it got. None misses an
// event, and none gets one twice.
func TestSeam(t *testing.T) {
	s := overTCP(t, Options{})
	const last, breath = 8000, 200
	s.happens(1, 1)
	var tasks sync.WaitGroup
	var places [4]atomic.Int64 // of the clients, up to which they got all events
	follow := func(place *atomic.Int64) {
		defer place.Store(last)
		for at := 1; at < last; place.Store(int64(at)) {
			r, _, err := s.try(t, "since="+id(at), websocket.DialOptions{})
			if err != nil {
				t.Error(err)
				return
			}
			r.wants("opened known")
			for end := min(at+breath, last); at < end; {
				got := r.next()
				if strings.HasPrefix(got, "live ") {
					continue
				}
				if at++; got != id(at) {
					t.Errorf("got %s, want %s", got, id(at))
					return
				}
			}
			_ = r.ws.CloseNow()
		}
	}
	for i := range places {
		tasks.Go(func() { follow(&places[i]) })
	}
	deadline := time.Now().Add(bound)
	for n := 2; n <= last; n++ {
		s.happens(n, n)
		for i := 0; i < len(places); { // nobody gets so late that it cannot go on
			if at := places[i].Load(); at+900 > int64(n) {
				i++
			} else if runtime.Gosched(); time.Now().After(deadline) {
				t.Fatalf("a client hangs at %d", at)
			}
		}
	}
	tasks.Wait()
}

// TestPings wants a client that answers to stay, and one that does not to be dropped.
func TestPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inMemory(t, Options{})
		awake := s.connect(t, "")
		awake.wants("opened", "live")
		read := make(chan string)
		go func() { // whoever reads answers Pings
			_, text, _ := awake.ws.Read(t.Context())
			read <- string(text)
		}()
		mute := s.with(t, websocket.DialOptions{OnPingReceived: func(context.Context, []byte) bool { return false }})
		mute.wants("opened", "live")
		start := time.Now()
		mute.wants("1008 no Pong within 10 s")
		if took := time.Since(start); took != pingInterval+pingTimeout {
			t.Errorf("a mute client stayed for %v", took)
		}
		dead := s.connect(t, "")
		dead.wants("opened", "live") // and does not even read
		time.Sleep(pingInterval + pingTimeout)
		if got := s.Stats(); got.Clients != 1 || got.Mute != 2 {
			t.Errorf("%+v", got)
		}
		time.Sleep(time.Hour)
		s.happens(1, 1)
		if got := <-read; !strings.Contains(got, id(1)) {
			t.Errorf("got %s", got)
		}
	})
}

// TestStop wants every client to be told that the agent stops, and the feed to end in time whatever they do.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		server := &http.Server{Handler: New(Options{Encode: plain})}
		s := &served{Feed: server.Handler.(*Feed), url: "http://" + l.Addr().String(), dial: l.dial}
		go func() { _ = server.Serve(l) }()
		defer server.Close()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()

		polite, deaf := s.connect(t, ""), s.connect(t, "")
		polite.wants("opened", "live")
		deaf.wants("opened", "live") // and nothing more
		start := time.Now()
		stop()
		polite.wants("1001 the agent stops")
		<-done
		if took := time.Since(start); took > 500*time.Millisecond {
			t.Errorf("the stop took %v", took)
		}
		if got := s.Stats(); got.Clients != 0 {
			t.Errorf("%+v", got)
		}
		_, response, _ := s.try(t, "", websocket.DialOptions{})
		if response == nil || response.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("after the end: %v", response)
		}
	})
}

// TestNoise wants clients that send too much to be dropped, and others to be heard out.
func TestNoise(t *testing.T) {
	s := overTCP(t, Options{})
	send := func(r *reader, size, count int) {
		for range count {
			if r.ws.Write(t.Context(), websocket.MessageText, make([]byte, size)) != nil {
				return
			}
		}
	}
	chatty := s.connect(t, "")
	chatty.wants("opened", "live")
	send(chatty, 100, 100)
	s.happens(1, 1)
	chatty.wants(id(1))

	flood := s.connect(t, "")
	flood.wants("opened", id(1), "live "+id(1))
	go send(flood, 1000, 1000)
	flood.wants("1008 this stream takes no messages")

	long := s.connect(t, "")
	long.wants("opened", id(1), "live "+id(1))
	go send(long, maxMessage+1, 1)
	if got := long.next(); !strings.HasPrefix(got, "1009 ") {
		t.Errorf("a long message: %s", got)
	}
	if got := s.Stats(); got.Noisy != 1 || got.Slow+got.Mute != 0 {
		t.Errorf("%+v", got)
	}
}

// TestManyClients has 1,000 clients come at once: 100 of them are served. Nothing is left of them when they have gone.
func TestManyClients(t *testing.T) {
	s := overTCP(t, Options{})
	before := runtime.NumGoroutine()
	var mu sync.Mutex
	var in []*reader
	var refused int
	var tasks sync.WaitGroup
	for range 1000 {
		tasks.Go(func() {
			r, response, err := s.try(t, "", websocket.DialOptions{})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				in = append(in, r)
			case response == nil:
				t.Error(err)
			case response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") == "10":
				refused++
			default:
				t.Errorf("refused with %d", response.StatusCode)
			}
		})
	}
	tasks.Wait()
	if len(in) != MaxClients || refused != 1000-MaxClients {
		t.Fatalf("%d in, %d refused", len(in), refused)
	}
	for _, r := range in {
		r.wants("opened", "live")
	}
	s.happens(1, 3)
	for _, r := range in {
		r.wants(span(1, 3)...)
	}
	s.counts(t, Stats{Clients: MaxClients, Accepted: MaxClients, Full: 1000 - MaxClients, Messages: 5 * MaxClients})
	for _, r := range in {
		_ = r.ws.CloseNow()
	}
	for deadline := time.Now().Add(bound); s.Stats().Clients > 0 || runtime.NumGoroutine() > before+5; runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d clients, %d goroutines, %d before\n%s", s.Stats().Clients, runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
	s.connect(t, "").wants(append(append([]string{"opened"}, span(1, 3)...), "live "+id(3))...)
	s.mu.Lock()
	defer s.mu.Unlock()
	members := 0
	for l := s.past.order.behind; l != &s.past.order; l = l.behind {
		members++
	}
	if members != 3 {
		t.Errorf("%d members in the list of 3 probes", members)
	}
}

// TestSlowReader wants a client that falls behind to be dropped with 1013, and one that reads nothing at all to be cut.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inMemory(t, Options{})
		slow, stuck := s.connect(t, ""), s.connect(t, "")
		slow.wants("opened", "live")
		stuck.wants("opened", "live")
		s.happens(1, 1) // its write waits for the clients, because a pipe keeps nothing
		synctest.Wait()
		s.happens(2, 1001)
		time.Sleep(writeTimeout - time.Second)
		if got := s.Stats(); got.Slow != 0 || got.Clients != 2 {
			t.Errorf("%+v", got)
		}
		slow.wants(span(1, 1001)...)
		s.happens(1002, 1002)
		synctest.Wait()
		s.happens(1003, 2003)
		slow.wants(id(1002), "1013 too slow: the next events are gone")
		time.Sleep(time.Second)
		synctest.Wait()
		if got := s.Stats(); got.Slow != 2 || got.Clients != 0 {
			t.Errorf("%+v", got)
		}
		if got := stuck.next(); !strings.HasPrefix(got, "error ") {
			t.Errorf("got %s", got)
		}
	})
}

// TestSlowReaderHarmsNobody has a client that reads nothing beside one that does, over real sockets.
func TestSlowReaderHarmsNobody(t *testing.T) {
	long := strings.Repeat("x", 20<<10)
	s := overTCP(t, Options{Encode: func(e *event.Event) []byte {
		return fmt.Appendf(nil, `{"id":%q,"probe":%q}`, e.ID, long)
	}})
	slow, fast := s.connect(t, ""), s.connect(t, "")
	slow.wants("opened", "live")
	fast.wants("opened", "live")
	const last = 1500 // 30 MB, more than a past and two kernels keep
	for n := 1; n <= last; n += 50 {
		s.happens(n, n+49)
		fast.wants(span(n, n+49)...)
	}
	for at := 1; ; at++ {
		got := slow.next()
		if strings.HasPrefix(got, "1013 ") || strings.HasPrefix(got, "error ") { // the latter after 10 s, on a busy machine
			break
		}
		if got != id(at) || at == last {
			t.Fatalf("got %s, want %s", got, id(at))
		}
	}
	if got := s.Stats(); got.Slow != 1 {
		t.Errorf("%+v", got)
	}
	s.connect(t, "since="+id(last-10)).wants(slices.Concat([]string{"opened known"}, span(last-9, last))...)
}

package examine

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// catalogue serves the ready-made endpoints, and some others.
func catalogue(others map[string]wstest.Script) wstest.Script {
	scripts := make(map[string]wstest.Script)
	for _, c := range wstest.Catalogue("answer") {
		scripts["/"+c.Name] = c.Script
	}
	for name, script := range others {
		scripts["/"+name] = script
	}
	return wstest.ByPath(scripts)
}

// lines are the findings about some things, each with its advice.
func (r *Report) lines(abouts string) string {
	var b strings.Builder
	for _, f := range r.Findings {
		if !strings.Contains(abouts, f.About) {
			continue
		}
		b.WriteString(f.Text)
		if f.Advice != "" {
			b.WriteString(" -> " + f.Advice)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// examined examines the endpoint at a path of a script, in a bubble.
func examined(t *testing.T, script wstest.Script, path string, o Options) *Report {
	t.Helper()
	server := wstest.Memory(script)
	defer server.Close()
	o.Spec.URL, o.Spec.Dial = server.URL+path, server.Dial
	o.Progress = func(text string) { t.Log(text) }
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// says compares what was found.
func says(t *testing.T, got string, want ...string) {
	t.Helper()
	if want := strings.Join(want, "\n") + "\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestHeld holds what sessions tell, with exact times.
func TestHeld(t *testing.T) {
	beat := &session.Heartbeat{Send: "hello"}
	for name, test := range map[string]struct {
		path string
		beat *session.Heartbeat
		want []string
	}{
		"idle limit": {"idle-cut?after=60s", nil, []string{
			`A session without traffic is ended after 60 s, by FIN without a close frame (2 sessions).`,
			`This is the default of nginx 1.22.1 (proxy_read_timeout); Apache httpd 2.4.71 (Timeout, ProxyTimeout); nghttpx 1.52 (its read timeout).`,
			`Pings every 5 s keep it open: such a session lasted 5m0s. -> set ping_interval to 30s or less`,
			`Whether messages keep it open was not tried. -> give one with --send`,
			`The server sent no Ping within 60 s.`,
			`The oldest session was still open after 5m0s: no limit on the age was met.`,
		}},
		"idle limit, with messages": {"idle-cut?after=10s", beat, []string{
			`A session without traffic is ended after 10 s, by FIN without a close frame (2 sessions).`,
			`Such an end comes from a setting of what serves it: nginx (proxy_read_timeout); Apache httpd (Timeout, ProxyTimeout); nghttpx (its read timeout); HAProxy (timeout tunnel, or timeout client and timeout server); Mojolicious (its inactivity timeout).`,
			`Pings every 5 s keep it open: such a session lasted 5m0s. -> set ping_interval to 5s or less`,
			`Messages every 5 s keep it open: such a session lasted 5m0s.`,
			`The server sent no Ping within 10 s.`,
			`The oldest session was still open after 5m0s: no limit on the age was met.`,
		}},
		"idle limit shorter than the time between Pings": {"idle-cut?after=3s", beat, []string{
			`A session without traffic is ended after 3 s, by FIN without a close frame (2 sessions).`,
			`Such an end comes from a setting of what serves it: nginx (proxy_read_timeout); Apache httpd (Timeout, ProxyTimeout); nghttpx (its read timeout); HAProxy (timeout tunnel, or timeout client and timeout server); Mojolicious (its inactivity timeout).`,
			`Pings every 1 s keep it open: such a session lasted 4m57s. -> set ping_interval to 1s or less`,
			`Messages every 1 s keep it open: such a session lasted 4m57s.`,
			`The server sent no Ping within 3 s.`,
			`The oldest session was still open after 4m57s: no limit on the age was met.`,
		}},
		"idle limit for which only messages count": {"idle-cut-messages?after=62s", beat, []string{
			`A session without traffic is ended after 62 s, by FIN without a close frame (2 sessions).`,
			`Such an end comes from a setting of what serves it: nginx (proxy_read_timeout); Apache httpd (Timeout, ProxyTimeout); nghttpx (its read timeout); HAProxy (timeout tunnel, or timeout client and timeout server); Mojolicious (its inactivity timeout).`,
			`Pings do not keep it open: with one every 5 s it ended after 62 s all the same.`,
			`Messages every 5 s keep it open: such a session lasted 5m0s. -> set heartbeat with an interval of 30s or less, because Pings do not do`,
			`The server sent no Ping within 62 s.`,
			`The oldest session was still open after 5m0s: no limit on the age was met.`,
		}},
		"the same without a message": {"idle-cut-messages?after=62s", nil, []string{
			`A session is ended after 62 s, with Pings or without, by FIN without a close frame: a limit on the age, or an idle limit for which Pings do not count (2 sessions).`,
			`Such an end comes from a setting of what serves it: nginx (proxy_read_timeout); Apache httpd (Timeout, ProxyTimeout); nghttpx (its read timeout); HAProxy (timeout tunnel, or timeout client and timeout server); Mojolicious (its inactivity timeout).`,
			`Whether messages keep it open was not tried. -> give a message that the endpoint understands with --send, to tell the two apart`,
			`The server sent no Ping within 62 s.`,
		}},
		"idle limit with a close frame": {"idle-close?after=60s", nil, []string{
			`A session without traffic is ended after 60 s, by close frame 1000 (2 sessions).`,
			`This is the default of RabbitMQ web_mqtt and web_stomp 3.10.8 (their idle timeout).`,
			`Pings every 5 s keep it open: such a session lasted 5m0s. -> set ping_interval to 30s or less`,
			`Whether messages keep it open was not tried. -> give one with --send`,
			`The server sent no Ping within 60 s.`,
			`The oldest session was still open after 5m0s: no limit on the age was met.`,
		}},
		"limit on the age": {"lifetime-1001?after=90s", beat, []string{
			`A session without traffic stays open for 90 s at least: no idle limit was met.`,
			`The server sent no Ping within 90 s.`,
			`No session gets older than 90 s, whatever it says: it is ended by close frame 1001 "going away". -> set max_lifetime below that, so that sessions are renewed in time`,
		}},
		"drain": {"drain-1012?every=70s", nil, []string{
			`A session without traffic stays open for 70 s at least: no idle limit was met.`,
			`The server sent no Ping within 70 s.`,
			`3 sessions of several ages ended at the same moment, by close frame 1012 "service restart": a restart, a reload or a drain, and no limit. -> examine it again when nothing is deployed`,
		}},
		"Pings of the server": {"server-pings?every=20s&within=20s", nil, []string{
			`No session was without traffic for longer than 20 s, because the server pings: it met no idle limit.`,
			`The server pings after 20 s, and then every 20 s.`,
			`A client that does not answer is ended after 40 s, that is 20 s after the first Ping, by close frame 1011 "keepalive ping timeout". -> answer Pings, as browsers and most libraries do: a client that is busy for longer loses its session`,
			`Such an end is known of websockets and Uvicorn 10.4 and 0.17.6 (their Pings were not answered).`,
			`The oldest session was still open after 5m0s: no limit on the age was met.`,
		}},
		"messages of the server": {"feed?every=7s", nil, []string{
			`No session was without traffic for longer than 7 s, because the server sends messages: it met no idle limit.`,
			`The server sent no Ping within 5m0s.`,
			`The oldest session was still open after 5m0s: no limit on the age was met.`,
		}},
		"mute": {"half-open?after=12s", nil, []string{
			`A session without traffic stays open for 5m0s at least: no idle limit was met. -> try longer with --for, if sessions end later`,
			`A Ping had no answer for 4m50s, and the connection stood: 2 of 3 Pings were answered. -> set ping_interval and ping_timeout: only they find out that such a connection is dead`,
			`The server sent no Ping within 5m0s.`,
			`The oldest session was still open after 5m0s: no limit on the age was met.`,
		}},
		"no limit": {"echo", beat, []string{
			`A session without traffic stays open for 5m0s at least: no idle limit was met. -> try longer with --for, if sessions end later`,
			`The server sent no Ping within 5m0s.`,
			`The oldest session was still open after 5m0s: no limit on the age was met.`,
		}},
		"closed at once": {"close-at-open", nil, []string{
			`Every session is ended as soon as it is open, after 0 ms, by close frame 1008 "go away". -> look for what the endpoint wants: credentials, a subprotocol, or a first message, which --exchange can send`,
		}},
		"ended by a Ping": {"hates-pings", nil, []string{
			`A session without traffic stays open for 5m0s at least: no idle limit was met. -> try longer with --for, if sessions end later`,
			`The server sent no Ping within 5m0s.`,
			`The oldest session was still open after 5m0s: no limit on the age was met.`,
			`A Ping ends the connection: FIN without a close frame. -> set no ping_interval`,
		}},
		"ended by a message": {"drop", beat, []string{
			`A session without traffic stays open for 5m0s at least: no idle limit was met. -> try longer with --for, if sessions end later`,
			`The server sent no Ping within 5m0s.`,
			`The oldest session was still open after 5m0s: no limit on the age was met.`,
			`The message of --send ends the connection: FIN without a close frame. -> give a message that the endpoint understands`,
		}},
		"idle limit of a sweep": {"sweeps", nil, []string{
			`A session without traffic is ended after 61 s to 92 s, by FIN without a close frame (2 sessions).`,
			`Such an end comes from a setting of what serves it: nginx (proxy_read_timeout); Apache httpd (Timeout, ProxyTimeout); nghttpx (its read timeout); HAProxy (timeout tunnel, or timeout client and timeout server); Mojolicious (its inactivity timeout).`,
			`Pings every 5 s keep it open: such a session lasted 5m0s. -> set ping_interval to 30s or less`,
			`Whether messages keep it open was not tried. -> give one with --send`,
			`The server sent no Ping within 61 s.`,
			`The oldest session was still open after 5m0s: no limit on the age was met.`,
		}},
		"limit on the silence of the client": {"wants-words", nil, []string{
			`A session whose client says nothing is ended after 35 s, although the server sends messages, by FIN without a close frame (2 sessions).`,
			`Pings every 5 s keep it open: such a session lasted 5m0s. -> set ping_interval to 15s or less`,
			`Whether messages keep it open was not tried. -> give one with --send`,
			`The server sent no Ping within 35 s.`,
			`The oldest session was still open after 5m0s: no limit on the age was met.`,
		}},
		"named": {"named", nil, []string{
			`A session is ended after 60 s, with Pings or without, by FIN without a close frame: a limit on the age, or an idle limit for which Pings do not count (2 sessions).`,
			`This is the default of nginx 1.22.1 (proxy_read_timeout), which the response names; Apache httpd 2.4.71 (Timeout, ProxyTimeout); nghttpx 1.52 (its read timeout).`,
			`Whether messages keep it open was not tried. -> give a message that the endpoint understands with --send, to tell the two apart`,
			`The server sent no Ping within 60 s.`,
		}},
		"one connection only": {"once", nil, []string{
			`No session without traffic could be held, so that nothing is known about idle times.`,
			`The session without traffic did not open: http_429.`,
			`The session without Pongs did not open: http_429.`,
			`The session with Pings did not open: http_429.`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				script := catalogue(map[string]wstest.Script{"hates-pings": func(c *wstest.Conn) {
					c.Accept()
					for c.Read().Opcode != wstest.OpPing {
					}
				}, "wants-words": wantsWords, "sweeps": sweeps(), "once": once(), "named": func(c *wstest.Conn) {
					c.Accept("Server: nginx/1.27.0")
					c.Pause(time.Minute)
				}})
				r := examined(t, script, test.path, Options{Spec: session.Spec{Heartbeat: test.beat}, For: DefaultFor})
				says(t, r.lines("idle pings lifetime messages"), test.want...)
			})
		})
	}
}

// wantsWords sends messages, and ends a session whose client has said nothing for 30 s.
func wantsWords(c *wstest.Conn) {
	c.Accept()
	heard := time.Now()
	for {
		f, came := c.ReadBy(time.Now().Add(7 * time.Second))
		switch {
		case came && f.Opcode == wstest.OpPing:
			c.Send(wstest.Pong(f.Payload))
		case !came:
			c.Send(wstest.Text("news"))
		}
		if came {
			heard = time.Now()
		} else if time.Since(heard) > 30*time.Second {
			return
		}
	}
}

// sweeps ends sessions without traffic when it looks at them: those of the first second earlier than others.
func sweeps() wstest.Script {
	began := time.Now()
	return func(c *wstest.Conn) {
		limit := 61 * time.Second
		if time.Since(began) >= stagger {
			limit += 31 * time.Second
		}
		c.Accept()
		for {
			f, came := c.ReadBy(time.Now().Add(limit))
			switch {
			case !came:
				return
			case f.Opcode == wstest.OpPing:
				c.Send(wstest.Pong(f.Payload))
			case f.Opcode == wstest.OpClose:
				c.Send(wstest.Close(1000, ""))
				return
			}
		}
	}
}

// once takes one connection, and refuses all others.
func once() wstest.Script {
	var opened atomic.Bool
	return func(c *wstest.Conn) {
		if opened.Swap(true) {
			c.Refuse(429, "")
		}
		wstest.Silent(c)
	}
}

// TestNotOpen holds that an endpoint that does not open is not examined, and its run is told.
func TestNotOpen(t *testing.T) {
	server := wstest.Memory(wstest.Refuse(403, ""))
	defer server.Close()
	s := session.Spec{Opening: probe.Opening{URL: server.URL, Dial: server.Dial}}
	r, err := Run(t.Context(), Options{Spec: s, For: MinFor})
	if !errors.Is(err, ErrNotOpen) || r.First.HTTPStatus != 403 || r.Handshake != nil || server.Connections() != 1 {
		t.Errorf("%v, %+v", err, r)
	}
}

// TestInterrupted holds that the end of the context ends it at once, with what is known by then.
func TestInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := wstest.Memory(catalogue(nil))
		defer server.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 45*time.Second)
		defer cancel()
		s := session.Spec{Opening: probe.Opening{URL: server.URL + "idle-cut?after=20s", Dial: server.Dial}}
		r, err := Run(ctx, Options{Spec: s, For: time.Hour})
		if err != nil || !r.Interrupted || r.Lasted != 45 || r.Idle == nil || r.Idle.After != 20 {
			t.Errorf("%v, %+v", err, r)
		}
	})
}

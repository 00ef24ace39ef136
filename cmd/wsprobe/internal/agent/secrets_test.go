package agent

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// guests is what endpoints and receivers learn of the secrets of those that come, the last one of each, by the way that
// it comes.
type guests struct {
	mu     sync.Mutex
	shown  map[string]string
	opens  map[string]int
	cuts   map[string]chan struct{} // closed to end the connections of an endpoint
	ca     *wstest.CA
	folder string
}

func (g *guests) show(way, secret string) {
	if secret == "" {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shown[way] = secret
}

// saw returns the last secret of each way.
func (g *guests) saw() map[string]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.shown)
}

// opened returns how often an endpoint was opened.
func (g *guests) opened(way string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.opens[way]
}

// serve is the endpoint of each way, which stands in its path.
func (g *guests) serve(c *wstest.Conn) {
	r := c.Request()
	way := strings.Trim(r.URL.Path, "/")
	g.mu.Lock()
	g.opens[way]++
	cut := g.cuts[way]
	g.mu.Unlock()
	if state := c.TLS(); len(state.PeerCertificates) > 0 {
		g.show(way, state.PeerCertificates[0].DNSNames[0])
	}
	_, password, _ := r.BasicAuth()
	for _, secret := range []string{r.Header.Get("Token"), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), password, r.URL.Query().Get("token")} {
		if !strings.HasPrefix(secret, "Basic ") {
			g.show(way, secret)
		}
	}
	c.Accept()
	if cut != nil {
		go func() { <-cut; c.FIN() }()
	}
	for {
		switch f := c.Read(); f.Opcode {
		case wstest.OpPing:
			c.Send(wstest.Pong(f.Payload))
		case wstest.OpText:
			var e struct{ Secret string }
			if json.Unmarshal([]byte(f.Payload), &e) == nil {
				g.show(way, e.Secret)
			}
			if way == "message" {
				c.Send(wstest.Text(f.Payload))
			}
		case wstest.OpClose:
			c.Send(f)
			return
		}
	}
}

// export is a receiver of exports that wants a certificate of its client.
func (g *guests) export(t *testing.T) string {
	t.Helper()
	running, err := receiver.Start(&receiver.Receiver{
		Answer: func(ctx context.Context, _ *receiver.Request) (*receiver.PartialSuccess, error) {
			if md, ok := metadata.FromIncomingContext(ctx); ok && len(md.Get("token")) > 0 {
				g.show("otlp headers", md.Get("token")[0])
			}
			if p, ok := peer.FromContext(ctx); ok {
				g.show("otlp certificate", p.AuthInfo.(credentials.TLSInfo).State.PeerCertificates[0].DNSNames[0])
			}
			return nil, nil
		},
		TLS: &tls.Config{Certificates: []tls.Certificate{g.ca.Issue(wstest.Cert{})}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: g.ca.Pool()},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = running.Stop() })
	return "https://" + running.Address
}

// rotate writes another secret into every file.
func (g *guests) rotate(t *testing.T, secret string) {
	t.Helper()
	cert, key := keyPair(t, g.ca, secret)
	for name, content := range map[string]string{"secret": secret, "cert.pem": string(cert) + string(key), "ca.pem": string(g.ca.PEM())} {
		if err := os.WriteFile(filepath.Join(g.folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRotatedSecrets rotates the content of every kind of secret at once. The endpoint of each sees the new one at the
// next run, open, event or export, and nothing else changes: no connection ends, and probes keep what is known of them.
func TestRotatedSecrets(t *testing.T) {
	g := &guests{shown: make(map[string]string), opens: make(map[string]int), ca: wstest.NewCA(), folder: t.TempDir(),
		cuts: map[string]chan struct{}{"session": make(chan struct{}), "stream": make(chan struct{})}}
	g.rotate(t, "one")
	plain := wstest.Start(g.serve)
	defer plain.Close()
	mutual := wstest.StartTLS(g.serve, &tls.Config{
		Certificates: []tls.Certificate{g.ca.Issue(wstest.Cert{})}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: g.ca.Pool()})
	defer mutual.Close()
	file := filepath.Join(g.folder, "secret")
	ref := "${file:" + file + "}"
	pem := filepath.Join(g.folder, "cert.pem")
	trust := tree{"ca_file": filepath.Join(g.folder, "ca.pem"), "cert_file": pem, "key_file": pem}
	at := func(way string, more tree) map[string]any {
		all := map[string]any{"name": way, "url": plain.URL + way}
		maps.Copy(all, more)
		return all
	}
	text := tree{
		"agent.listen": "", "defaults.interval": "1s",
		"otlp": tree{"endpoint": g.export(t), "interval": "1s", "headers": tree{"token": ref}, "tls": trust},
		"probes": []any{
			at("header", tree{"headers": tree{"Token": ref}}),
			at("query", tree{"url": plain.URL + "query?token=" + ref}),
			at("message", tree{"interpretation": "round_trip_latency", "send_message": `{"secret":"` + ref + `"}`}),
			at("token", tree{"auth": tree{"strategy": "bearer", "token": ref}}),
			at("token-file", tree{"auth": tree{"strategy": "bearer", "token_file": file}}),
			at("password-file", tree{"auth": tree{"strategy": "basic", "user": "me", "password_file": file}}),
			at("certificate", tree{"url": mutual.URL + "certificate", "tls": trust}),
			at("session", tree{"headers": tree{"Token": ref}, "session": tree{"reconnect": tree{"min": "100ms", "max": "100ms"}}}),
		},
		"streams": []any{
			at("stream", tree{"headers": tree{"Token": ref}, "reconnect": tree{"min": "100ms", "max": "100ms"}}),
			at("static", tree{"encoding": tree{"static": tree{"secret": ref}}}),
		},
	}.yaml(t)
	load := func() *Agent {
		a, err := New(loadText(t, text), Options{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := load()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	ways := []string{"header", "query", "message", "token", "token-file", "password-file", "certificate", "session", "stream", "static",
		"otlp headers", "otlp certificate"}
	all := func(secret string) map[string]string {
		want := make(map[string]string)
		for _, way := range ways {
			want[way] = secret
		}
		return want
	}
	awaitSecrets(t, g, all("one"))
	members := maps.Clone(a.fleet.current())

	g.rotate(t, "two")
	read := all("one")
	read["token-file"], read["password-file"] = "two", "two" // each run reads these
	awaitSecrets(t, g, read)
	if restart, err := a.Reload(loadText(t, text)); err != nil || len(restart) > 0 {
		t.Fatalf("restart %q, %v", restart, err)
	}
	rotated := all("two")
	rotated["session"], rotated["stream"] = "one", "one" // open, and not opened anew
	awaitSecrets(t, g, rotated)
	for _, way := range []string{"session", "stream", "static"} {
		if n := g.opened(way); n != 1 {
			t.Errorf("%s was opened %d times", way, n)
		}
	}
	for _, cut := range g.cuts {
		close(cut)
	}
	awaitSecrets(t, g, all("two"))
	if !maps.Equal(members, a.fleet.current()) {
		t.Error("probes began anew")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// awaitSecrets returns once each way has shown its secret last.
func awaitSecrets(t *testing.T, g *guests, want map[string]string) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("got %v", g.saw())
		}
	}()
	await(t, fmt.Sprint(want), func() bool { return maps.Equal(g.saw(), want) })
}

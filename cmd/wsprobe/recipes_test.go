package main

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

const examples = "../../deploy/examples"

// notRecipes are the examples that are not about a protocol.
var notRecipes = map[string]bool{"target.yaml": true, "target-held.yaml": true, "wsprobe.yaml": true,
	"streams.yaml": true, "target-streams.yaml": true}

// TestRecipes runs the recipes for servers that cannot be had for a test against scripts that speak as these do.
// deploy/e2e runs the others against their servers.
func TestRecipes(t *testing.T) {
	for file, script := range map[string]wstest.Script{
		"ethereum.yaml": wstest.EthereumNode, "phoenix.yaml": wstest.Phoenix, "signalr.yaml": wstest.SignalR,
	} {
		server := wstest.Start(script)
		t.Cleanup(server.Close)
		for _, recipe := range probesOf(t, filepath.Join(examples, file)) {
			t.Run(file+"/"+recipe.Name, func(t *testing.T) {
				r := runAt(t, recipe.Spec, server.URL)
				if _, measured := recipe.Spec.Interpretation.Value(r); r.Reason != reasons.OK || !measured {
					t.Errorf("%v, %s (%s), want a value", r.Reason, r.ErrorType, r.Detail)
				}
				server.Wait()
				if code := server.Last().CloseCode; code != 1000 {
					t.Errorf("the server saw close code %d, want 1000", code)
				}
			})
		}
	}
}

// TestRecipesMeasureSomething points every recipe at an endpoint that opens, takes the subprotocol, greets and
// answers everything, but does not speak the protocol: that must not be good enough.
func TestRecipesMeasureSomething(t *testing.T) {
	files, err := filepath.Glob(examples + "/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	server := wstest.Start(func(c *wstest.Conn) {
		if offered := c.Request().Header.Get("Sec-WebSocket-Protocol"); offered == "" {
			c.Accept()
		} else {
			first, _, _ := strings.Cut(offered, ",")
			c.Accept("Sec-WebSocket-Protocol: " + first)
		}
		for {
			c.Send(wstest.Text("who is asking?"))
			c.Message()
		}
	})
	t.Cleanup(server.Close)
	for _, path := range files {
		for _, recipe := range probesOf(t, path) {
			if notRecipes[filepath.Base(path)] {
				continue
			}
			t.Run(filepath.Base(path)+"/"+recipe.Name, func(t *testing.T) {
				t.Parallel()
				recipe.Spec.Timeout = time.Second
				want := reasons.ReplyMismatch
				if recipe.Spec.Prepare != nil { // which is answered with 101
					want = reasons.OpenFailed
				}
				if r := runAt(t, recipe.Spec, server.URL); r.Reason != want {
					t.Errorf("%v, %s (%s), want %v", r.Reason, r.ErrorType, r.Detail, want)
				}
			})
		}
	}
}

func probesOf(t *testing.T, file string) []config.Probe {
	t.Helper()
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Probes
}

// runAt runs a probe against another server, with the path and query that it has.
func runAt(t *testing.T, spec probe.Spec, server string) probe.Result {
	t.Helper()
	u, err := url.Parse(spec.URL)
	if err != nil {
		t.Fatal(err)
	}
	spec.URL = strings.TrimSuffix(server, "/") + u.RequestURI()
	prober, err := probe.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	r, err := prober.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

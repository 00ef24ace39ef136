package e2e

import (
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// toxic is toxiproxy in front of a server: a network with faults to order.
type toxic struct{ *toxiproxy.Proxy }

func startToxic(t *testing.T, upstream string) toxic {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxic{toxiproxy.NewProxy(server, "network", lab.FreeAddr(t), upstream)}
	proxy.up(t)
	t.Cleanup(proxy.Stop)
	return proxy
}

// up lets connections through again after Stop, which cuts all.
func (p toxic) up(t *testing.T) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
}

// flap goes down and up ten times in a second.
func (p toxic) flap(t *testing.T) {
	t.Helper()
	for range 10 {
		p.Stop()
		lab.Wait(t, 50*time.Millisecond)
		p.up(t)
		lab.Wait(t, 50*time.Millisecond)
	}
}

// poison adds a fault, in toxiproxy's words, for some time.
func (p toxic) poison(t *testing.T, toxic string, lasts time.Duration) {
	t.Helper()
	added, err := p.Toxics.AddToxicJson(strings.NewReader(toxic))
	if err != nil {
		t.Fatal(err)
	}
	lab.Wait(t, lasts)
	if err := p.Toxics.RemoveToxic(t.Context(), added.Name); err != nil {
		t.Fatal(err)
	}
}

package e2e

import (
	"net"
	"syscall"
	"testing"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// TestDiscoverDNS lets a hundred pods come and go behind one name, in the answers of real name servers.
func TestDiscoverDNS(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(t *testing.T, addresses []string) *nameServer{"dnsmasq": startDnsmasq, "knot": startKnot} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pods, all := startPods(t, 130)
			server := start(t, all[:100])
			host := net.JoinHostPort(podName, pods.port)
			agent := lab.StartAgent(t, discovering(t, map[string]any{
				"url": "ws://" + host + "/", "dns": map[string]any{"server": server.addr}, "refresh": "1s",
			}))
			pods.await(t, all[:100])
			if got := pods.at(all[0]).host; got != host {
				t.Errorf("Host %s, want %s", got, host)
			}
			server.publish(all[60:]) // sixty go, thirty come
			pods.await(t, all[60:])

			server.Signal(t, syscall.SIGSTOP) // no answer ends no probe
			lab.Eventually(t, lab.StopLimit, "a line about the name server", func() (bool, string) {
				return said(agent, "no answer from "+server.addr), agent.Output()
			})
			pods.await(t, all[60:])
			server.Signal(t, syscall.SIGCONT)

			server.publish(nil) // the name has no address
			pods.await(t, nil)
			server.publish(all)
			pods.await(t, all)
			agent.Stop(t, lab.StopLimit)
		})
	}
}

// TestDiscoverServices finds pods by the SRV records of a service, each at its own name.
func TestDiscoverServices(t *testing.T) {
	t.Parallel()
	pods, all := startPods(t, 60)
	server := startKnot(t, nil)
	server.serve(all[:50], pods.port)
	agent := lab.StartAgent(t, discovering(t, map[string]any{
		"url":     "ws://{{target.host}}:{{target.port}}/",
		"dns":     map[string]any{"server": server.addr, "names": []string{"_ws._tcp." + podName}, "type": "SRV"},
		"refresh": "1s",
	}))
	pods.await(t, all[:50])
	for _, address := range all[:50] {
		if got, want := pods.at(address).host, net.JoinHostPort(podHost(address)+".test", pods.port); got != want {
			t.Errorf("Host %s, want %s", got, want)
		}
	}
	server.serve(all[30:], pods.port)
	pods.await(t, all[30:])
	agent.Stop(t, lab.StopLimit)
}

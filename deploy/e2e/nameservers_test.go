package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// podName is the name that has the addresses of all pods.
const podName = "chat.test"

// nameServer is a real one, whose answers a test changes.
type nameServer struct {
	*lab.Process
	addr string
	// publish makes these the addresses of podName.
	publish func(addresses []string)
	// serve makes these the pods of the service _ws._tcp.podName at a port. dnsmasq has no such records here.
	serve func(addresses []string, port string)
}

// startDnsmasq serves a hosts file. A hundred addresses do not fit into a datagram of its, so it truncates.
func startDnsmasq(t *testing.T, addresses []string) *nameServer {
	t.Helper()
	program := need(t, "dnsmasq", "dnsmasq-base")
	s := &nameServer{addr: lab.FreeAddr(t)}
	_, port, _ := net.SplitHostPort(s.addr)
	hosts := fileWith(t, "hosts", "")
	write := func(addresses []string) {
		var text strings.Builder
		for _, address := range addresses {
			fmt.Fprintf(&text, "%s %s\n", address, podName)
		}
		replaceFile(t, hosts, text.String())
	}
	write(addresses)
	s.Process = lab.Start(t, program, "--no-daemon", "--conf-file=/dev/null", "--pid-file=", "--user="+owner(), "--group=",
		"--port="+port, "--listen-address=127.0.0.1", "--bind-interfaces", "--no-resolv", "--no-hosts",
		"--addn-hosts="+hosts, "--local=/test/")
	s.publish = func(addresses []string) {
		write(addresses)
		s.Signal(t, syscall.SIGHUP)
	}
	listening(t, s.Process, s.addr)
	return s
}

// owner is the user of the test, because dnsmasq becomes another one otherwise, who may not read its files.
func owner() string {
	if os.Getuid() == 0 {
		return "root"
	}
	return ""
}

// knotConfig is a server of one zone. The first value is its port, the second its folder.
const knotConfig = `
server:
  listen: 127.0.0.1@%[1]s
  rundir: %[2]s
  pidfile: %[2]s/pid
database:
  storage: %[2]s
control:
  listen: %[2]s/sock
log:
  - target: stderr
    any: warning
zone:
  - domain: test
    storage: %[2]s
    file: test.zone
    zonefile-sync: -1
    zonefile-load: difference-no-serial
    journal-content: all
`

// startKnot serves a zone, which transactions change.
func startKnot(t *testing.T, addresses []string) *nameServer {
	t.Helper()
	program, control := need(t, "knotd", "knot"), need(t, "knotc", "knot")
	dir := t.TempDir()
	s := &nameServer{addr: lab.FreeAddr(t)}
	_, port, _ := net.SplitHostPort(s.addr)
	var zone strings.Builder
	zone.WriteString("$ORIGIN test.\n$TTL 1\n@ SOA ns hostmaster 1 3600 600 86400 1\n@ NS ns\nns A 127.0.0.1\n")
	for _, address := range addresses {
		fmt.Fprintf(&zone, "chat A %s\n", address)
	}
	must(t, os.WriteFile(filepath.Join(dir, "test.zone"), []byte(zone.String()), 0o600))
	s.Process = lab.Start(t, program, "-c", fileWith(t, "knot.conf", knotConfig, port, dir))
	listening(t, s.Process, s.addr)
	socket := filepath.Join(dir, "sock")
	lab.Eventually(t, serverLimit, "knotd to take commands", func() (bool, string) {
		out, err := exec.Command(control, "--socket", socket, "zone-status", "test").CombinedOutput()
		return err == nil, string(out)
	})
	s.publish = func(addresses []string) {
		t.Helper()
		var records [][]string
		for _, address := range addresses {
			records = append(records, []string{"chat", "1", "A", address})
		}
		editZone(t, control, socket, []string{"chat", "A"}, records)
	}
	s.serve = func(addresses []string, port string) {
		t.Helper()
		var records [][]string
		for _, address := range addresses {
			host := podHost(address)
			records = append(records, []string{host, "1", "A", address}, []string{"_ws._tcp.chat", "1", "SRV", "0 0 " + port + " " + host})
		}
		editZone(t, control, socket, []string{"_ws._tcp.chat", "SRV"}, records)
	}
	return s
}

// podHost is the name of one pod in the zone.
func podHost(address string) string { return "pod-" + strings.ReplaceAll(address, ".", "-") }

// editZone replaces records in one transaction. There may be none to take away, and some of the new ones before.
func editZone(t *testing.T, control, socket string, gone []string, records [][]string) {
	t.Helper()
	run := func(arguments ...string) ([]byte, error) {
		return exec.Command(control, append([]string{"--socket", socket}, arguments...)...).CombinedOutput()
	}
	steps := [][]string{{"zone-begin", "test"}, append([]string{"zone-unset", "test"}, gone...)}
	for _, record := range records {
		steps = append(steps, append([]string{"zone-set", "test"}, record...))
	}
	for i, step := range append(steps, []string{"zone-commit", "test"}) {
		if out, err := run(step...); err != nil && i != 1 && !strings.Contains(string(out), "already exists") {
			t.Fatalf("knotc %v: %v\n%s", step, err, out)
		}
	}
}

// replaceFile writes a file as a whole, by a rename.
func replaceFile(t *testing.T, name, text string) {
	t.Helper()
	must(t, os.WriteFile(name+".new", []byte(text), 0o600))
	must(t, os.Rename(name+".new", name))
}

package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// names is a DNS by script. Names that it does not have do not exist.
type names struct {
	mu      sync.Mutex
	addrs   map[string][]string // by network and name, "ip4 a."; an entry without any has nothing of this type
	records map[string][]*net.SRV
	broken  map[string]error // by the same
}

// become changes the answers.
func (n *names) become(addrs map[string][]string, broken map[string]error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addrs, n.broken = addrs, broken
}

func (n *names) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	question := network + " " + host
	if err := n.broken[question]; err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	for _, text := range n.addrs[question] {
		addrs = append(addrs, netip.MustParseAddr(text))
	}
	if len(addrs) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return addrs, nil
}

func (n *names) LookupSRV(_ context.Context, _, _, name string) (string, []*net.SRV, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.broken["srv "+name]; err != nil {
		return "", nil, err
	}
	if records := n.records[name]; len(records) > 0 {
		return name, records, nil
	}
	return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// broken is the error of a server that fails.
func broken(reason string) error {
	return &net.DNSError{Err: reason, Server: "192.0.2.1:53", IsTemporary: true, IsTimeout: reason == "i/o timeout"}
}

// kubernetes is the resolv.conf of a pod.
const kubernetes = "# pod\nsearch default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5 edns0\n"

// dnsSource makes a source that asks a DNS by script.
func dnsSource(t *testing.T, script *names, conf string, change func(*DNS)) *Source {
	t.Helper()
	options := DNS{Names: []string{"chat.default.svc"}, Type: "A", Port: 8080, Refresh: 30 * time.Second, Timeout: 5 * time.Second}
	if change != nil {
		change(&options)
	}
	source, err := New(Options{MaxTargets: 100, DNS: &options})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	looker := source.looker.(*dnsLooker)
	looker.resolver, looker.conf = script, file
	return source
}

func TestDNSTargets(t *testing.T) {
	script := &names{
		addrs: map[string][]string{
			"ip4 chat.default.svc.cluster.local.": {"10.0.0.2", "10.0.0.1", "10.0.0.2"},
			"ip6 chat.default.svc.cluster.local.": {"fd00::1"},
			"ip4 pod-0.chat.":                     {"::ffff:10.0.0.1"},
			"ip6 pod-0.chat.":                     {"fd00::1"},
			"ip4 pod-1.chat.":                     {"10.0.0.2"},
		},
		records: map[string][]*net.SRV{"_ws._tcp.chat.default.svc.cluster.local.": {
			{Target: "pod-1.chat.", Port: 9001}, {Target: "pod-0.chat.", Port: 9000}, {Target: "pod-0.chat.", Port: 9000, Priority: 1},
			{Target: "gone.chat.", Port: 1}, {Target: ".", Port: 1},
		}},
	}
	at := func(address, host string, labels map[string]string) Target {
		return Target{Address: address, Host: host, ConnectTo: address, Labels: labels}
	}
	chat := map[string]string{"__meta_dns_name": "chat.default.svc"}
	pod := func(n string) map[string]string {
		return map[string]string{"__meta_dns_name": "_ws._tcp.chat.default.svc", "__meta_dns_srv_record_target": "pod-" + n + ".chat.", "__meta_dns_srv_record_port": "900" + n}
	}
	for kind, want := range map[string][]Target{
		"A":    {at("10.0.0.1:8080", "chat.default.svc", chat), at("10.0.0.2:8080", "chat.default.svc", chat)},
		"AAAA": {at("[fd00::1]:8080", "chat.default.svc", chat)},
		"SRV":  {at("10.0.0.1:9000", "pod-0.chat", pod("0")), at("10.0.0.2:9001", "pod-1.chat", pod("1")), at("[fd00::1]:9000", "pod-0.chat", pod("0"))},
	} {
		source := dnsSource(t, script, kubernetes, func(d *DNS) {
			d.Type = kind
			if kind == "SRV" {
				d.Names = []string{"_ws._tcp.chat.default.svc"}
			}
		})
		source.take(source.looker.look(t.Context()), time.Now())
		if got := source.Targets(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v (%s)\nwant %v", kind, got, source.State().Problem, want)
		}
	}
}

func TestDNSNameThatIsGoneEndsItsTargetsAndAFailureDoesNot(t *testing.T) {
	const first, second = "ip4 chat.default.svc.default.svc.cluster.local.", "ip4 chat.default.svc.svc.cluster.local."
	const found = "ip4 chat.default.svc.cluster.local."
	for name, test := range map[string]struct {
		broken  map[string]error
		gone    bool
		changes int
		want    string // the problem
	}{
		"the same answer":               {},
		"no such name":                  {gone: true, changes: 1},
		"server failure":                {broken: map[string]error{found: broken("server misbehaving")}, want: "chat.default.svc.cluster.local.: server misbehaving from 192.0.2.1:53"},
		"no answer":                     {broken: map[string]error{found: broken("i/o timeout")}, want: "chat.default.svc.cluster.local.: no answer from 192.0.2.1:53"},
		"failure of an earlier domain":  {broken: map[string]error{first: broken("server misbehaving")}}, // the later one has it
		"gone, with a failure before":   {gone: true, broken: map[string]error{second: broken("server misbehaving")}, want: "chat.default.svc.svc.cluster.local.: server misbehaving"},
		"gone, and the resolver closed": {gone: true, broken: map[string]error{first: errors.New("closed")}, want: first[4:] + ": closed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				script := &names{addrs: map[string][]string{found: {"10.0.0.1", "10.0.0.2"}}}
				source := dnsSource(t, script, kubernetes, nil)
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				var changes atomic.Int32
				go func() {
					defer close(done)
					source.Run(ctx, func() { changes.Add(1) })
				}()
				time.Sleep(time.Second)
				synctest.Wait()
				if got := addresses(source.Targets()); got != "10.0.0.1:8080 10.0.0.2:8080" || changes.Load() != 1 {
					t.Fatalf("targets %q, %d changes, %+v", got, changes.Load(), source.State())
				}
				if test.gone {
					script.become(nil, test.broken)
				} else {
					script.become(script.addrs, test.broken)
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				state, want := source.State(), 2
				if test.changes > 0 {
					want = 0
				}
				if int(changes.Load()) != 1+test.changes || len(source.Targets()) != want || state.Targets != want {
					t.Errorf("%d changes, targets %v", changes.Load()-1, source.Targets())
				}
				if !strings.HasPrefix(state.Problem, test.want) || (test.want == "") != (state.Problem == "") {
					t.Errorf("problem %q, want %q", state.Problem, test.want)
				}
				if looks := state.Succeeded + state.Failed; looks != 121 {
					t.Errorf("%d looks in an hour", looks)
				}
				script.become(map[string][]string{found: {"10.0.0.3"}}, nil)
				time.Sleep(30 * time.Second)
				synctest.Wait()
				if got := addresses(source.Targets()); got != "10.0.0.3:8080" || source.State().Problem != "" {
					t.Errorf("targets %q, %+v", got, source.State())
				}
				cancel()
				<-done
			})
		})
	}
}

func TestDNSNamesAreGroups(t *testing.T) {
	script := &names{addrs: map[string][]string{"ip4 a.": {"10.0.0.1"}, "ip4 b.": {"10.0.0.2"}, "ip4 c.": {"10.0.0.3"}}}
	source := dnsSource(t, script, "", func(d *DNS) { d.Names = []string{"a.", "b.", "c.", "a."} })
	source.take(source.looker.look(t.Context()), time.Now())
	script.broken = map[string]error{"ip4 a.": broken("server misbehaving"), "ip4 c.": broken("server misbehaving")}
	script.addrs = map[string][]string{"ip4 b.": {"10.0.0.4"}}
	source.take(source.looker.look(t.Context()), time.Now())
	if got := addresses(source.Targets()); got != "10.0.0.1:8080 10.0.0.4:8080 10.0.0.3:8080" {
		t.Errorf("targets %q", got)
	}
	if got := source.State().Problem; got != "a.: server misbehaving from 192.0.2.1:53 (and 1 more names)" {
		t.Errorf("problem %q", got)
	}
}

func TestDNSServiceWithAHostThatFailsKeepsAll(t *testing.T) {
	script := &names{
		addrs:   map[string][]string{"ip4 a.": {"10.0.0.1"}, "ip4 b.": {"10.0.0.2"}},
		records: map[string][]*net.SRV{"srv.": {{Target: "a.", Port: 1}, {Target: "b.", Port: 2}}},
	}
	source := dnsSource(t, script, "", func(d *DNS) { d.Names, d.Type = []string{"srv."}, "SRV" })
	source.take(source.looker.look(t.Context()), time.Now())
	for _, question := range []string{"srv srv.", "ip4 b.", "ip6 b."} {
		script.broken = map[string]error{question: broken("server misbehaving")}
		source.take(source.looker.look(t.Context()), time.Now())
		if got := addresses(source.Targets()); got != "10.0.0.1:1 10.0.0.2:2" || source.State().Problem == "" {
			t.Errorf("%s fails: targets %q, problem %q", question, got, source.State().Problem)
		}
	}
}

func TestSearchList(t *testing.T) {
	for name, test := range map[string]struct {
		conf, name string
		want       []string
	}{
		"a pod":            {kubernetes, "chat.default.svc", []string{"chat.default.svc.default.svc.cluster.local.", "chat.default.svc.svc.cluster.local.", "chat.default.svc.cluster.local.", "chat.default.svc."}},
		"many dots":        {kubernetes, "a.b.c.d.e.f", []string{"a.b.c.d.e.f.", "a.b.c.d.e.f.default.svc.cluster.local.", "a.b.c.d.e.f.svc.cluster.local.", "a.b.c.d.e.f.cluster.local."}},
		"a full name":      {kubernetes, "chat.", []string{"chat."}},
		"an address":       {kubernetes, "10.0.0.1", []string{"10.0.0.1"}},
		"no search":        {"nameserver ::1\nsearch .\n", "a.b", []string{"a.b."}},
		"one dot":          {"search example.com.\n", "a.b", []string{"a.b.", "a.b.example.com."}},
		"no dot":           {"search example.com\n", "a", []string{"a.example.com.", "a."}},
		"the last wins":    {"search example.org\ndomain example.com example.net\noptions rotate ndots:x ndots:-1\n", "a", []string{"a.", "a.example.com."}},
		"too long to be":   {"search " + strings.Repeat("a.", 120) + "\n", strings.Repeat("b", 20), []string{strings.Repeat("b", 20) + "."}},
		"ndots is bounded": {"search x\noptions ndots:99\n", strings.Repeat("a.", 15) + "b", []string{strings.Repeat("a.", 15) + "b.", strings.Repeat("a.", 15) + "b.x."}},
	} {
		file := filepath.Join(t.TempDir(), "resolv.conf")
		if err := os.WriteFile(file, []byte(test.conf), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := readSearch(file).names(test.name); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	if got := readSearch("no such file").names("a.b"); fmt.Sprint(got) != "[a.b.]" {
		t.Errorf("without resolv.conf: %q", got)
	}
}

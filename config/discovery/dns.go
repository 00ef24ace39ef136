package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// lookupsAtOnce bounds the names that are asked for at a time, and the hosts of each.
	lookupsAtOnce = 8
	// resolvConf is where systems other than Windows keep their search domains.
	resolvConf = "/etc/resolv.conf"
)

// dnsLooker asks the DNS. A name without an address, or one that does not exist, is a group without targets; a server
// that fails, refuses or does not answer says nothing about the name, so the targets stay.
//
// net.Resolver asks: it takes servers, the hosts file, EDNS and TCP from the system as every other name of a probe
// does. But of a search list it returns the last error alone. A server failure for one domain and "no such name" for
// the next are "no such name" to its caller, which would end all targets. So the search list is walked here, and the
// resolver is asked for full names only.
type dnsLooker struct {
	DNS
	resolver resolver
	conf     string              // resolv.conf
	known    map[string][]Target // by name, of the last good answer
}

// resolver is the part of net.Resolver that is used. Tests have another.
type resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, records []*net.SRV, err error)
}

func newDNSLooker(options DNS) (*dnsLooker, error) {
	if len(options.Names) == 0 || options.Refresh <= 0 || options.Timeout <= 0 {
		return nil, errors.New("dns needs a name, a refresh and a timeout")
	}
	switch options.Type {
	case "A", "AAAA":
		if options.Port < 1 || options.Port > 65535 {
			return nil, errors.New("port must be 1 to 65535 unless type is SRV")
		}
	case "SRV":
	default:
		return nil, errors.New("type must be A, AAAA or SRV")
	}
	names := slices.Clone(options.Names)
	slices.Sort(names)
	options.Names = slices.Compact(names)
	// PreferGo, because the resolver of C hides the reason of an error.
	asks := &net.Resolver{PreferGo: true, Dial: dialer{server: options.Server, most: options.Timeout / 4}.dial}
	return &dnsLooker{DNS: options, resolver: asks, conf: resolvConf, known: make(map[string][]Target)}, nil
}

func (l *dnsLooker) close() {}

func (l *dnsLooker) look(ctx context.Context) view {
	search := readSearch(l.conf)
	problems := make([]error, len(l.Names))
	found := make([][]Target, len(l.Names))
	atOnce(len(l.Names), func(i int) {
		ctx, cancel := context.WithTimeout(ctx, l.Timeout)
		defer cancel()
		found[i], problems[i] = l.name(ctx, l.Names[i], search)
	})
	seen := view{wait: l.Refresh}
	failed := 0
	for i, name := range l.Names {
		if problems[i] == nil {
			l.known[name] = found[i]
		} else if failed++; failed == 1 {
			seen.problem = problems[i].Error()
		}
		seen.groups = append(seen.groups, group{name: name, targets: l.known[name]})
	}
	if failed > 1 {
		seen.problem += fmt.Sprintf(" (and %d more names)", failed-1)
	}
	return seen
}

// name returns the targets of one name.
func (l *dnsLooker) name(ctx context.Context, name string, search search) ([]Target, error) {
	var failed error
	for _, full := range search.names(name) {
		targets, err := l.fullName(ctx, name, full)
		if err != nil {
			// A later domain may have the name, but that it is nowhere can no longer be said.
			if failed == nil {
				failed = err
			}
			continue
		}
		if len(targets) > 0 {
			return targets, nil
		}
	}
	return nil, failed
}

// fullName returns the targets of a name that ends in a dot.
func (l *dnsLooker) fullName(ctx context.Context, name, full string) ([]Target, error) {
	if l.Type == "SRV" {
		return l.services(ctx, name, full)
	}
	network := "ip4"
	if l.Type == "AAAA" {
		network = "ip6"
	}
	addrs, err := l.addresses(ctx, network, full)
	if err != nil {
		return nil, err
	}
	list := list{most: len(addrs)}
	labels := newLabelSet(map[string]string{"__meta_dns_name": name})
	for _, addr := range addrs {
		if err := list.add(targetAt(strings.TrimSuffix(name, "."), addr, l.Port), labels); err != nil {
			return nil, err
		}
	}
	return list.sorted(), nil
}

// services returns the targets of SRV records: all addresses of their hosts.
func (l *dnsLooker) services(ctx context.Context, name, full string) ([]Target, error) {
	_, records, err := l.resolver.LookupSRV(ctx, "", "", full)
	if none(err) {
		return nil, nil
	}
	if err != nil && len(records) == 0 { // with records, some of their names are invalid
		return nil, l.told(full, err)
	}
	records = slices.DeleteFunc(records, func(r *net.SRV) bool { return r.Target == "." }) // not served, says RFC 2782
	networks := []string{"ip4", "ip6"}
	found := make([][]netip.Addr, len(records)*len(networks))
	problems := make([]error, len(found))
	atOnce(len(found), func(i int) {
		found[i], problems[i] = l.addresses(ctx, networks[i%len(networks)], records[i/len(networks)].Target)
	})
	if err := errors.Join(problems...); err != nil {
		return nil, slices.DeleteFunc(problems, func(err error) bool { return err == nil })[0]
	}
	list := list{most: maxAddresses}
	for i, addrs := range found {
		record := records[i/len(networks)]
		labels := newLabelSet(map[string]string{
			"__meta_dns_name":              name,
			"__meta_dns_srv_record_target": record.Target,
			"__meta_dns_srv_record_port":   strconv.Itoa(int(record.Port)),
		})
		for _, addr := range addrs {
			if err := list.add(targetAt(strings.TrimSuffix(record.Target, "."), addr, int(record.Port)), labels); err != nil {
				return nil, fmt.Errorf("%s: %w", full, err)
			}
		}
	}
	return list.sorted(), nil
}

// maxAddresses bounds the addresses behind the SRV records of a name.
const maxAddresses = 100_000

// addresses returns the addresses of a full name, and none if it has none.
func (l *dnsLooker) addresses(ctx context.Context, network, full string) ([]netip.Addr, error) {
	addrs, err := l.resolver.LookupNetIP(ctx, network, full)
	if none(err) {
		return nil, nil
	}
	if err != nil {
		return nil, l.told(full, err)
	}
	return addrs, nil
}

// targetAt is the target at one address.
func targetAt(host string, addr netip.Addr, port int) Target {
	at := netip.AddrPortFrom(addr.Unmap(), uint16(port)).String()
	return Target{Address: at, Host: host, ConnectTo: at}
}

// none reports whether a server said that there is no such name, or nothing of the type that was asked for.
func none(err error) bool {
	var failed *net.DNSError
	return errors.As(err, &failed) && failed.IsNotFound
}

// told is an error of the resolver with the name and the server that were asked. The one in the error of the
// resolver is that of the system also if another was asked.
func (l *dnsLooker) told(full string, err error) error {
	var failed *net.DNSError
	if !errors.As(err, &failed) {
		return fmt.Errorf("%s: %w", full, err)
	}
	reason, server := failed.Err, failed.Server
	if i := strings.LastIndex(reason, ": "); i >= 0 {
		reason = reason[i+2:] // without the port of this agent, which is another one at each look
	}
	if failed.IsTimeout {
		reason = "no answer"
	}
	if l.Server != "" {
		server = l.Server
	}
	if server == "" {
		return fmt.Errorf("%s: %s", full, reason)
	}
	return fmt.Errorf("%s: %s from %s", full, reason, server)
}

// atOnce calls do for 0 to n-1, a few at a time, and returns after the last.
func atOnce(n int, do func(i int)) {
	places := make(chan struct{}, lookupsAtOnce)
	var all sync.WaitGroup
	for i := range n {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			do(i)
		})
	}
	all.Wait()
}

// dialer connects to name servers.
type dialer struct {
	server string        // in place of that of the system, or ""
	most   time.Duration // for one question, so that a dead server leaves time for the next
}

func (d dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if d.server != "" {
		address = d.server
	}
	conn, err := new(net.Dialer{Timeout: d.most}).DialContext(ctx, network, address)
	switch conn := conn.(type) {
	case *net.UDPConn: // the resolver tells datagrams from a stream by the methods
		return hastyUDP{UDPConn: conn, most: d.most}, err
	case *net.TCPConn:
		return hastyTCP{TCPConn: conn, most: d.most}, err
	}
	return conn, err
}

// hastyUDP and hastyTCP are connections whose deadlines are never far away.
type (
	hastyUDP struct {
		*net.UDPConn
		most time.Duration
	}
	hastyTCP struct {
		*net.TCPConn
		most time.Duration
	}
)

func (c hastyUDP) SetDeadline(at time.Time) error { return c.UDPConn.SetDeadline(hasty(at, c.most)) }
func (c hastyTCP) SetDeadline(at time.Time) error { return c.TCPConn.SetDeadline(hasty(at, c.most)) }

// hasty returns the earlier one of a deadline and a time from now.
func hasty(at time.Time, most time.Duration) time.Time {
	if soon := time.Now().Add(most); at.IsZero() || soon.Before(at) {
		return soon
	}
	return at
}

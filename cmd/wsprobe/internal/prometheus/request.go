package prometheus

import (
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe"
)

const (
	// timeoutHeader is how long the scrape of Prometheus may take.
	timeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"
	// timeoutOffset is what remains of it for the answer, as in blackbox_exporter.
	timeoutOffset = 500 * time.Millisecond
	// defaultModule is the name of the module of a request that names none.
	defaultModule = "default"
	// maxName is the length of the name of a probe in bytes.
	maxName = 128
)

// asked is what a request asks for: a probe that may run.
type asked struct {
	Probe
	module string
	shown  string // the configuration of the module
	debug  bool
	limit  time.Duration // of the run
}

// read reads a request, in the order in which blackbox_exporter does. Its errors are refusals.
func (s *setting) read(r *http.Request) (*asked, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the query cannot be read: parameters must be percent-encoded")
	}
	a := &asked{debug: query.Get("debug") == "true"}
	module, err := s.moduleOf(query.Get("module"), &a.module)
	if err != nil {
		return nil, err
	}
	a.shown = module.Shown
	scrape, err := scrapeTimeout(r.Header.Get(timeoutHeader))
	if err != nil {
		return nil, err
	}
	target, err := targetURL(query.Get("target"))
	if err != nil {
		return nil, err
	}
	name := a.module + "/" + target.Host
	connectTo := ""
	if hostname := query.Get("hostname"); hostname != "" {
		if connectTo, err = rename(target, hostname); err != nil {
			return nil, err
		}
	}
	if a.Probe, err = module.Probe(strings.ToValidUTF8(name[:min(len(name), maxName)], ""), target.String()); err != nil {
		return nil, refuse(http.StatusBadRequest, "target: %s", err)
	}
	if connectTo != "" {
		if a.Spec.ConnectTo != "" {
			return nil, refuse(http.StatusBadRequest, "hostname: module %q has connect_to, so its targets are names already", a.module)
		}
		a.Spec.ConnectTo = connectTo
	}
	if a.limit = a.Spec.Timeout; scrape > 0 {
		a.limit = min(a.limit, scrape)
	}
	return a, a.permit(s, connectTo)
}

// moduleOf returns the module of a name. Without a name it is the only one, or the one with the default name.
func (s *setting) moduleOf(asked string, name *string) (Module, error) {
	if *name = asked; asked == "" {
		*name = defaultModule
		for only := range s.Modules {
			if len(s.Modules) == 1 {
				*name = only
			}
		}
	}
	module, there := s.Modules[*name]
	switch {
	case there:
		return module, nil
	case asked == "":
		return Module{}, refuse(http.StatusBadRequest, "the parameter module is missing: there are %s", s.names())
	default:
		return Module{}, refuse(http.StatusBadRequest, "unknown module %q: there are %s", asked, s.names())
	}
}

// names lists the modules.
func (s *setting) names() string {
	if len(s.Modules) == 0 {
		return "none in the configuration"
	}
	return strings.Join(slices.Sorted(maps.Keys(s.Modules)), ", ")
}

// scrapeTimeout is how long the run of a scrape may take, 0 if it is not said. As in blackbox_exporter, a time that is
// too short to leave anything for the answer says nothing.
func scrapeTimeout(header string) (time.Duration, error) {
	if header == "" {
		return 0, nil
	}
	seconds, err := strconv.ParseFloat(header, 64)
	if err != nil || !(seconds >= 0 && seconds < 1e6) {
		return 0, refuse(http.StatusBadRequest, "%s must be a number of seconds, got %q", timeoutHeader, header)
	}
	return max(0, time.Duration(seconds*float64(time.Second))-timeoutOffset), nil
}

// targetURL reads a target. One without a scheme is ws://, and http is ws, as in a browser.
func targetURL(target string) (*url.URL, error) {
	if target == "" {
		return nil, refuse(http.StatusBadRequest, "the parameter target is missing")
	}
	if !strings.Contains(target, "://") {
		target = "ws://" + target
	}
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		return nil, refuse(http.StatusBadRequest, "target: must be host, host:port or a URL")
	}
	switch u.Scheme {
	case "http":
		u.Scheme = "ws"
	case "https":
		u.Scheme = "wss"
	case "ws", "wss":
	default:
		return nil, refuse(http.StatusBadRequest, "target: must be ws:// or wss://")
	}
	return u, nil
}

// rename puts another name into the URL of a target, and returns where to connect to in place of that.
func rename(target *url.URL, hostname string) (connectTo string, err error) {
	if strings.ContainsAny(hostname, ":/?#@[] ") {
		return "", refuse(http.StatusBadRequest, "hostname: must be a name without a port, got %q", hostname)
	}
	port := portOf(target)
	connectTo = net.JoinHostPort(target.Hostname(), port)
	if target.Host = hostname; port != defaultPorts[target.Scheme] {
		target.Host += ":" + port
	}
	return connectTo, nil
}

// defaultPorts are those of RFC 6455 3.
var defaultPorts = map[string]string{"ws": "80", "wss": "443"}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return defaultPorts[strings.ToLower(u.Scheme)]
}

// permit asks whether the target is allowed, and has its addresses asked for before they are connected to. What a
// request names is the host of the URL, or else the place to connect to. The connect_to of a module is the operator's,
// but what it resolves to must be permitted, too.
func (a *asked) permit(s *setting, connectTo string) error {
	host, port := "", ""
	if connectTo != "" {
		host, port, _ = net.SplitHostPort(connectTo)
	} else {
		u, err := url.Parse(a.Spec.URL)
		if err != nil {
			return refuse(http.StatusBadRequest, "target: must be a URL")
		}
		host, port = u.Hostname(), portOf(u)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return refuse(http.StatusBadRequest, "target: must have a port between 1 and 65535")
	}
	if a.Spec.Permit, err = s.Targets.Target(host, uint16(number), a.Spec.Proxy != nil); err != nil {
		return refuse(http.StatusForbidden, "target: %s (agent.probe_endpoint.targets)", err)
	}
	return nil
}

// prober returns the probe, whose run has the time that is left after a wait.
func (a *asked) prober(waited time.Duration) (*probe.Probe, error) {
	spec := a.Spec
	spec.Timeout = max(a.limit-waited.Truncate(time.Millisecond), probe.MinTimeout)
	p, err := probe.New(spec)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "module %q cannot run within %v: %s", a.module, spec.Timeout.Round(time.Millisecond), err)
	}
	return p, nil
}

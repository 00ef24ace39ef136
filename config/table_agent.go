package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

var agentSection = newSection("agent", "agent.", true, []field[Config]{
	{Field: Field{Path: "listen", Kind: Text, Default: "127.0.0.1:9464",
		Doc: `host:port of the status page, of health checks and of /metrics; "" for none`},
		value: textAt(func(c *Config) *string { return &c.Agent.Listen }, listenProblem), secret: public},
	{Field: Field{Path: "hosts", Kind: List, Max: maxHosts,
		Doc: "names that requests for the status page may use, beside localhost, addresses and the host of url; " +
			"by default any name, " +
			"but no other if listen is a loopback address"},
		value: listAt(func(c *Config) *[]string { return &c.Agent.Hosts }), secret: public},
	{Field: Field{Path: "origins", Kind: List, Max: maxHosts,
		Doc: "origins of pages on other hosts, scheme://host or scheme://host:port, that may connect to /api/v1/stream from a browser; by default " +
			"none may"},
		value: listAt(func(c *Config) *[]string { return &c.Agent.Origins }), secret: public},
	{Field: Field{Path: "max_concurrent", Kind: Integer, Default: "256", Min: 1, Max: 100_000,
		Doc: "maximum number of concurrent runs, and of sessions that open at a time; a run beyond it is skipped and counted, " +
			"a first run waits"},
		value: integerAt(func(c *Config) *int { return &c.Agent.MaxConcurrent })},
	{Field: Field{Path: "max_sessions", Kind: Integer, Min: 1, Max: 1_000_000,
		Doc: "maximum number of open sessions, those included that are renewed and open twice for a moment; probes that need more " +
			"are an error; by default the limit of open files decides"},
		value: integerAt(func(c *Config) *int { return &c.Agent.MaxSessions })},
	{Field: Field{Path: "location", Kind: Text, Max: 256,
		Doc: "location of this agent: the attribute wsprobe.location of all its metrics"},
		value: textAt(func(c *Config) *string { return &c.Agent.Location }, printableProblem), secret: public},
	{Field: Field{Path: "id", Kind: Text, Max: 256,
		Doc: "identity of this agent, the same after a restart: the attribute service.instance.id; the default is " +
			"host:port of listen, " +
			"without a port host:otlp.spool.dir, else a random one"},
		value: textAt(func(c *Config) *string { return &c.Agent.ID }, printableProblem), secret: public},
	{Field: Field{Path: "url", Kind: Text, Max: 2048, Pattern: "^$|^[Hh][Tt][Tt][Pp][Ss]?://",
		Doc: "URL under which people reach the status page, for links in alerts: the attribute wsprobe.agent.url " +
			"of wsprobe.agent.build.info"},
		value: textAt(func(c *Config) *string { return &c.Agent.URL }, urlProblem), secret: public},
	{Field: Field{Path: "log_level", Kind: Choice, Default: "info", Allowed: []string{"debug", "info", "warn", "error"},
		Doc: "lowest severity that is logged"},
		value: levelAt(func(c *Config) *slog.Level { return &c.Agent.LogLevel })},
	{Field: Field{Path: "log_format", Kind: Choice, Default: "text", Allowed: []string{"text", "json"},
		Doc: "format of log records"},
		value: wordAt(func(c *Config) *string { return &c.Agent.LogFormat })},
	{Field: Field{Path: "watch", Kind: Duration, Default: "1s", Max: int64(time.Hour),
		Doc: "time between two looks at the files of the configuration, at least 100ms; files that have changed, and then stayed the same for " +
			"2s, are loaded; 0s for no looks"},
		value: durationAt(func(c *Config) *time.Duration { return &c.Agent.Watch })},
	{Field: Field{Path: "shard", Kind: Section, Doc: "the part of the probes that this agent of a set runs"}},
	{Field: Field{Path: "metrics", Kind: Section, Doc: "what /metrics has, which Prometheus scrapes"}},
	{Field: Field{Path: "probe_endpoint", Kind: Section, Doc: "what /probe may do, which runs a module against a target when Prometheus asks"}},
})

var shardSection = newSection("agent.shard", "agent.shard.", true, []field[Shard]{
	{Field: Field{Path: "index", Kind: Integer, Max: maxShards - 1,
		Doc: "number of this agent, from 0; the pod-index of a StatefulSet, for instance"},
		value: integerAt(func(s *Shard) *int { return &s.Index })},
	{Field: Field{Path: "count", Kind: Integer, Min: 1, Max: maxShards,
		Doc: "number of agents that share the probes of this file, the same for all; the name of a probe decides " +
			"which agent runs it"},
		value: integerAt(func(s *Shard) *int { return &s.Count })},
})

var scrapeSection = newSection("agent.metrics", "agent.metrics.", true, []field[Metrics]{
	{Field: Field{Path: "histograms", Kind: Choice, Default: "classic", Allowed: []string{"classic", "native", "none"},
		Doc: "form of the histograms of /metrics: classic buckets; native ones wherever Prometheus asks for protobuf, as with " +
			"scrape_native_histograms, and classic ones in text; or no histograms"},
		value: wordAt(func(m *Metrics) *string { return &m.Histograms })},
})

// maxShards is how many agents may share a file.
const maxShards = 10_000

// listenProblem checks an address to listen on. The host may be missing, for all addresses; port
// 0 lets the system choose.
func listenProblem(address string) string {
	if address == "" {
		return ""
	}
	host, port, err := net.SplitHostPort(address)
	switch {
	case err == nil && host == "*":
		return fmt.Sprintf("must be host:port or :port, got %s: write :%s for all addresses", excerpt.Quote(address), excerpt.Of(port))
	case err != nil || strings.ContainsFunc(host, notOfHost):
		return fmt.Sprintf("must be host:port or :port, got %s", excerpt.Quote(address))
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Sprintf("must have a port between 0 and 65535, got %s", excerpt.Quote(address))
	}
	return ""
}

// hostNameProblem checks a name as it stands in a Host field, without a port.
func hostNameProblem(host string) string {
	if host == "" || strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`:/?#@[]*\,"<>`, r) }) {
		return fmt.Sprintf("must be the name of a host, without scheme and port, got %s", excerpt.Quote(host))
	}
	return ""
}

// originOf reads an origin as a browser sends it (RFC 6454 6.2): scheme and host, with a port unless it is the default.
func originOf(text string) (origin, problem string) {
	u, err := url.Parse(strings.ToLower(text))
	if err != nil || u.Scheme == "" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || strings.ContainsAny(text, "?#*") ||
		strings.ContainsFunc(u.Host, func(r rune) bool { return notOfHost(r) && r != '[' && r != ']' }) {
		return "", fmt.Sprintf("must be an origin, such as https://wall.example.com or http://localhost:8080, got %s", excerpt.Quote(text))
	}
	if port := u.Port(); port != "" && port == map[string]string{"http": "80", "https": "443"}[u.Scheme] {
		u.Host = strings.TrimSuffix(u.Host, ":"+port)
	}
	return u.Scheme + "://" + u.Host, ""
}

// notOfHost reports what neither a name nor an address has in it. Letters beyond ASCII have to be those of the DNS.
func notOfHost(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(".:-_%", r)
}

// urlProblem checks the URL of a page, which may be missing. It stands in alerts for everybody, so it has no password.
func urlProblem(text string) string {
	u, err := url.Parse(text)
	if text != "" && (err != nil || u.Hostname() == "" || u.User != nil) {
		return "must be http:// or https://, then a host, without user information"
	}
	return printableProblem(text)
}

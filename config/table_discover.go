package config

import (
	"time"

	"github.com/wsprobe/wsprobe/config/discovery"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// Limits of targets that come and go.
const (
	maxModules         = 100
	maxDiscover        = 100
	maxPatterns        = 100
	maxTargetsOfSource = 100_000
	maxLookedUp        = 100 // names of one source
	minRefresh         = time.Second
	lookupTimeout      = 5 * time.Second
)

// The types of records that dns asks for.
const (
	dnsA    = "A"
	dnsAAAA = "AAAA"
	dnsSRV  = "SRV"
)

var discoverSection = newSection("discover", "discover[].", false, []field[discoverEntry]{
	{Field: Field{Path: "name", Kind: Text, Min: 1, Max: 128,
		Doc: "name of the source, unique; the attribute wsprobe.discovery.name; the default is the name of the module"},
		value: textAt(func(d *discoverEntry) *string { return &d.Name }, nameProblem), secret: public},
	{Field: Field{Path: "module", Kind: Text, Required: true, Doc: "name of the module that makes a probe of each target"},
		value: textAt(func(d *discoverEntry) *string { return &d.module }, nil), secret: public},
	{Field: Field{Path: "url", Kind: Text,
		Doc: "endpoint of each target, with placeholders; the default is {{target.address}} if that is a ws:// or wss:// URL, else " +
			"ws://{{target.address}}, and with dns ws://{{target.host}}:{{target.port}}"},
		value: textAt(func(d *discoverEntry) *string { return &d.url }, nil), secret: sentInURL},
	{Field: Field{Path: "probe_name", Kind: Text, Min: 1, Max: 512,
		Doc: "name of each probe, with placeholders; the default is the name of the source, a slash and {{target.address}}"},
		value: textAt(func(d *discoverEntry) *string { return &d.probeName }, nil), secret: public},
	{Field: Field{Path: "files", Kind: List, Max: maxPatterns,
		Doc: "patterns of files in the format of Prometheus' file_sd, JSON or YAML; * stands for any text but a slash; exactly one of " +
			"files, http and dns is required"},
		value: listAt(func(d *discoverEntry) *[]string { return &d.files }), secret: public},
	{Field: Field{Path: "http", Kind: Section, Doc: "a server that answers in the format of Prometheus' http_sd"}},
	{Field: Field{Path: "dns", Kind: Section, Doc: "names whose addresses are the targets, one probe an address"}},
	{Field: Field{Path: "refresh", Kind: Duration, Default: "30s", Min: int64(minRefresh), Max: int64(24 * time.Hour),
		Doc: "time between two looks; changed files are seen within about a second besides"},
		value: durationAt(func(d *discoverEntry) *time.Duration { return &d.refresh })},
	{Field: Field{Path: "max_targets", Kind: Integer, Default: "10000", Min: 1, Max: maxTargetsOfSource,
		Doc: "maximum number of targets of the source; an update with more is refused as a whole"},
		value: integerAt(func(d *discoverEntry) *int { return &d.maxTargets })},
})

// httpSection is the mapping http of a source.
var httpSection = newSection("http", "discover[].http.", false, []field[discoverEntry]{
	{Field: Field{Path: "url", Kind: Text, Required: true, Pattern: "^[Hh][Tt][Tt][Pp][Ss]?://",
		Doc: "URL of the list, http:// or https://, without user information"},
		value: textAt(func(d *discoverEntry) *string { return &d.httpURL }, listURLProblem), secret: sent, spec: "URL"},
	ofHTTP("headers", "headers of the requests"),
	ofHTTP("auth", "credentials of the requests, with the fields of auth of a probe"),
	ofHTTP("tls", "certificates of the server and of this agent, with the fields of tls of a probe; https:// only"),
	ofHTTP("proxy_url", "proxy of the requests, as proxy_url of a probe"),
	ofHTTP("timeout_ms", "deadline of a request, with its answer"),
})

// ofHTTP is the field of a probe with this key, for the requests of a source.
func ofHTTP(key, doc string) field[discoverEntry] {
	f := lifted(probeSection.fields[probeSection.index[key]], func(d *discoverEntry) *Probe { return &d.way })
	f.Path, f.Doc = key, doc
	return f
}

// dnsSection is the mapping dns of a source.
var dnsSection = newSection("dns", "discover[].dns.", false, []field[discoverEntry]{
	{Field: Field{Path: "names", Kind: List, Max: maxLookedUp,
		Doc: "names to look up; the default is the host of url"},
		value: listAt(func(d *discoverEntry) *[]string { return &d.dns.Names }), secret: public},
	{Field: Field{Path: "type", Kind: Choice, Default: dnsA, Allowed: []string{dnsA, dnsAAAA, dnsSRV},
		Doc: "records to ask for; those of SRV have ports, and hosts whose addresses are looked up, too"},
		value: wordAt(func(d *discoverEntry) *string { return &d.dns.Type })},
	{Field: Field{Path: "port", Kind: Integer, Min: 1, Max: 65535,
		Doc: "port of the addresses; the default is that of url; not with SRV"},
		value: integerAt(func(d *discoverEntry) *int { return &d.dns.Port })},
	{Field: Field{Path: "server", Kind: Text,
		Doc: "host:port of the name server; by default those of the system are asked"},
		value: textAt(func(d *discoverEntry) *string { return &d.dns.Server }, dnsServerProblem), secret: public},
})

// discoverEntry is a source as a file has it.
type discoverEntry struct {
	Discover
	module, url, probeName, httpURL string
	files                           []string
	dns                             discovery.DNS
	way                             Probe // has the headers, credentials, TLS, proxy and timeout of http
	refresh                         time.Duration
	maxTargets                      int

	at     yamltree.Pair   // the entry
	pairs  []yamltree.Pair // by field
	where  yamltree.Path
	reader *reader // of its file
	faulty bool    // and reported
}

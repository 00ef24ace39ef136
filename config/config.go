package config

import (
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/maintenance"
	"github.com/wsprobe/wsprobe/probe/redact"
	"github.com/wsprobe/wsprobe/probe/session"
)

// Config is a valid configuration, with defaults filled in. Treat it as read-only, because equal maps and strings in it
// are shared.
type Config struct {
	Agent  Agent
	OTLP   OTLP
	Probes []Probe // in the order of the files; none if there are only sources of targets, or disabled ones
	// Streams are the endpoints of others that results go to as events, in the order of the file.
	Streams []Stream
	// Modules are probes without a name and a URL, for targets that come later.
	Modules []*Module
	// Discover are the sources of targets, in the order of the files.
	Discover []Discover
	// Disabled are the names of probes with enabled: false, which are not among Probes.
	Disabled []string
	// Sources are the files with the configuration itself, in the order read. Their names may be shown.
	Sources []string
	// Files are the files and directories that were read or looked for, each once and as it is named: those of Sources,
	// of the references ${file:PATH}, of certificates, keys, passwords and tokens. Names are relative to the working
	// directory. A name may be substituted, so do not show it.
	Files []string
	// Warnings are valid values that can hardly be meant so, in the order of their places.
	Warnings []Fault
}

// Agent is the section agent: how the agent itself behaves.
type Agent struct {
	Listen        string   // address of status and health, "" for none
	Hosts         []string // names that requests for status and metrics may use, empty for the default
	MaxConcurrent int      // maximum number of concurrent runs, and of sessions that open at a time
	MaxSessions   int      // maximum number of open sessions; 0 for as many as the process may open files for
	Origins       []string // of pages on other hosts that may use /api/v1/stream, in lower case and without default ports
	Location      string   // of this agent, may be empty
	ID            string   // identity of this agent, empty for the default
	URL           string   // of the status page as people reach it, may be empty
	LogLevel      slog.Level
	LogFormat     string // "text" or "json"
	Shard         Shard  // the part of the probes that this agent runs
	Metrics       Metrics
	// Watch is the time between two looks at the files of the configuration, 0 for none.
	Watch time.Duration
	// ProbeEndpoint is what /probe may do.
	ProbeEndpoint ProbeEndpoint
}

// Metrics is the section agent.metrics: how the agent answers scrapes.
type Metrics struct {
	Histograms string // "classic", "native" or "none"
}

// ProbeEndpoint is the section agent.probe_endpoint.
type ProbeEndpoint struct {
	// Targets are patterns of hosts and networks that may be probed, such as *.example.com, 10.0.0.0/8 or
	// chat.example.com:443. Empty turns the endpoint off.
	Targets       []string
	MaxConcurrent int // runs at a time
}

// OTLP is the section otlp: where results are exported to, and how.
type OTLP struct {
	Preset      string // name of a [Preset], or empty
	Protocol    string // "grpc", "http/protobuf", or "none" for no export
	Endpoint    Endpoint
	Interval    time.Duration // between two exports
	Timeout     time.Duration // of one export
	Compression string        // "gzip" or "none"
	Temporality string        // "cumulative", "delta" or "lowmemory"
	Histograms  string        // "explicit" or "exponential"
	MaxScale    int           // of exponential histograms
	Headers     map[string]string
	Logs        bool        // whether log records are exported, too
	EndMarkers  bool        // whether a series that has no value any more ends with a point that says so
	TLS         *tls.Config // nil if the endpoint is http://
	Spool       Spool
	// Traces says whether runs are traced: the share TraceRatio of successful ones, and all that fail.
	Traces     bool
	TraceRatio float64
	Resource   Resource
	// ByPreset are the values that hold because the preset has them.
	ByPreset []PresetValue
}

// Exports reports whether anything is exported.
func (o OTLP) Exports() bool { return o.Protocol != protocolNone }

// Exponential reports whether histograms have exponential buckets.
func (o OTLP) Exponential() bool { return o.Histograms == histogramsExponential }

// Destination returns the URL of the receiver as it may be shown, or "none".
func (o OTLP) Destination() string {
	if !o.Exports() {
		return o.Protocol
	}
	return o.Endpoint.String()
}

// Spool is where exports wait while the receiver does not accept them.
type Spool struct {
	Dir      string // "" for memory
	MaxBytes int64  // of the exports that wait, compressed
	MaxAge   time.Duration
	Order    string // "strict" or "interleave"
}

// Interleaves reports whether new exports alternate with those that wait.
func (s Spool) Interleaves() bool { return s.Order == orderInterleave }

// Endpoint is an OTLP receiver.
type Endpoint struct {
	Address string // host:port; over HTTP the port can be absent
	Path    string // of the requests, over HTTP
	Secure  bool   // https://
}

// URL returns the URL of the endpoint.
func (e Endpoint) URL() string {
	if e.Secure {
		return "https://" + e.Address + e.Path
	}
	return "http://" + e.Address + e.Path
}

// String returns the URL as it may be shown. It hides a path of the receiver's own, because that can have a key in it.
func (e Endpoint) String() string {
	if e.Path != "" && e.Path != metricsPath {
		e.Path = "/..."
	}
	return e.URL()
}

// Resource describes the entity that produces the telemetry, as the environment has it.
type Resource struct {
	ServiceName string            // OTEL_SERVICE_NAME, or service.name of the attributes, or "wsprobe"
	Location    string            // wsprobe.location of the attributes
	Attributes  map[string]string // the rest of OTEL_RESOURCE_ATTRIBUTES
}

// Probe is one probe of the file, with the values that it inherits from the defaults.
type Probe struct {
	Name     string            // unique
	Interval time.Duration     // between the starts of two runs, or between two reports on a session
	Labels   map[string]string // extra attributes of its metrics
	Health   health.Rules      // how its headline values are judged, empty by default
	// Maintenance is when its results count neither as successes nor as failures; nil for never. Probes may share it. It is
	// not in the Digest.
	Maintenance *maintenance.Schedule
	Spec        probe.Spec    // valid, defaults filled in; of a held probe, that of a run which opens it
	Session     *session.Spec // how it is held open, complete and valid; nil for a probe that runs
	Digest      Digest        // of the meaning of the probe, without the content of secrets

	shownURL string
	authAt   *Fault // the place of its credentials, if it has any
	enabled  bool
	origin   *keptProbe // nil for a probe that no Loader keeps
	// connections are those of its exchange, as the file has them.
	connections map[string]connection
}

// Headline returns the interpretation of the probe, whether it runs or is held. The Spec of a held probe has another one
// if no single run has its value.
func (p Probe) Headline() probe.Interpretation {
	if p.Session != nil {
		return p.Session.Interpretation
	}
	return p.Spec.Interpretation
}

// Origin is what a [Loader] made a probe of. It is comparable.
type Origin struct{ kept *keptProbe }

// Known reports whether there is an origin.
func (o Origin) Known() bool { return o.kept != nil }

// Origin returns what a Loader made the probe of. Two probes with the same Origin, if it is known, are the same in
// everything, secrets included: what was made of one of them serves the other, too.
func (p *Probe) Origin() Origin {
	if p.Spec.TLS != nil {
		return Origin{} // files of certificates were read again
	}
	return Origin{p.origin}
}

// SetUserAgent changes the User-Agent of the probe's requests, unless its headers have one.
func (p *Probe) SetUserAgent(name string) {
	p.Spec.UserAgent = name
	if p.Session != nil {
		p.Session.UserAgent = name
	}
}

// ShownURL returns the URL as it may be shown: without its query, and without the texts that were substituted in its
// path.
func (p Probe) ShownURL() string { return shownURL(p.shownURL, p.Spec.URL) }

// shownURL returns the text that stands for a URL, or the URL without what is always secret.
func shownURL(shown, url string) string {
	if shown != "" {
		return shown
	}
	return redact.URL(url)
}

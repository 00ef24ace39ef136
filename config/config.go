package config

import (
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/redact"
)

// Config is what a configuration says, complete and valid. Equal maps and strings in it are shared: treat it
// as read-only.
type Config struct {
	Agent  Agent
	OTLP   OTLP
	Probes []Probe // in the order of the file, at least one
	// Warnings are what is valid and can hardly be meant so, in the order of their places.
	Warnings []Fault
}

// Agent is how the agent itself behaves.
type Agent struct {
	Listen        string   // address of status and health, "" for none
	Hosts         []string // names under which status and metrics may be asked for, empty for the default
	MaxConcurrent int      // runs in flight at most
	Location      string   // where this agent stands, may be empty
	ID            string   // who this agent is, empty for the default
	URL           string   // of the status page as people reach it, may be empty
	LogLevel      slog.Level
	LogFormat     string // "text" or "json"
	Shard         Shard  // which of the probes are this agent's
}

// OTLP is where results are exported to, and how.
type OTLP struct {
	Protocol    string // "grpc", "http/protobuf", or "none" for no export
	Endpoint    Endpoint
	Interval    time.Duration // between two exports
	Timeout     time.Duration // of one export
	Compression string        // "gzip" or "none"
	Headers     map[string]string
	Logs        bool        // log records, too
	EndMarkers  bool        // a series without a value any more ends with a point that says so
	TLS         *tls.Config // nil if the endpoint is http://
	Spool       Spool
	// Traces says that runs are traced: a share TraceRatio of them, and all that fail.
	Traces     bool
	TraceRatio float64
	Resource   Resource
}

// Exports reports whether anything is exported.
func (o OTLP) Exports() bool { return o.Protocol != protocolNone }

// Destination returns where results go, as it may be shown.
func (o OTLP) Destination() string {
	if !o.Exports() {
		return o.Protocol
	}
	return o.Endpoint.String()
}

// Spool is where exports wait that the receiver does not take.
type Spool struct {
	Dir      string // "" for memory
	MaxBytes int64
	MaxAge   time.Duration
	Order    string // "strict" or "interleave"
}

// Interleaves reports whether news are exported between what waits.
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

// String returns the URL as it may be shown: a path of the receiver's own can have a key in it.
func (e Endpoint) String() string {
	if e.Path != "" && e.Path != metricsPath {
		e.Path = "/..."
	}
	return e.URL()
}

// Resource is what the environment says about the entity that produces the telemetry.
type Resource struct {
	ServiceName string            // OTEL_SERVICE_NAME, or service.name of the attributes, or "wsprobe"
	Location    string            // wsprobe.location of the attributes
	Attributes  map[string]string // the rest of OTEL_RESOURCE_ATTRIBUTES
}

// Probe is one probe of the file, with what it inherits from the defaults.
type Probe struct {
	Name     string // unique
	Interval time.Duration
	Labels   map[string]string // extra attributes of its metrics
	Health   health.Rules      // how its headline values are judged, nothing by default
	Spec     probe.Spec        // valid, defaults filled in
	Digest   Digest            // of what the probe means, without the content of secrets

	shownURL string
	authAt   *Fault // where its credentials are told, if it has any
}

// ShownURL is the url as it may be shown: without its query, and without what was substituted in its path.
func (p Probe) ShownURL() string {
	if p.shownURL != "" {
		return p.shownURL
	}
	return redact.URL(p.Spec.URL)
}

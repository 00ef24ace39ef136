package telemetry

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Defaults of [Options].
const (
	DefaultEndpoint     = "http://127.0.0.1:4317"
	DefaultHTTPEndpoint = "http://127.0.0.1:4318" + metricsPath
	DefaultInterval     = 10 * time.Second
	DefaultTimeout      = 10 * time.Second
	DefaultStopBudget   = 2 * time.Second
	DefaultQueueBytes   = 32 << 20
	DefaultSpoolBytes   = 256 << 20
	DefaultQueueAge     = 24 * time.Hour
	DefaultPendingRuns  = 100_000
	DefaultServiceName  = "wsprobe"
)

// metricsPath is where requests with metrics go by default (OTLP specification, OTLP/HTTP request).
const metricsPath = "/v1/metrics"

// Protocol is how export requests travel.
type Protocol string

// The protocols, by their names in OTEL_EXPORTER_OTLP_PROTOCOL, and the word for none.
const (
	ProtocolGRPC Protocol = "grpc"
	ProtocolHTTP Protocol = "http/protobuf"
	// ProtocolNone exports nothing, of no signal: [Telemetry.Scrapes] is all that there is.
	ProtocolNone Protocol = "none"
)

// Compression is how export requests are compressed.
type Compression string

// The compressions.
const (
	CompressionGzip Compression = "gzip"
	CompressionNone Compression = "none"
)

// Options say where the telemetry goes and how. The zero value of each field is its default. What is set here
// is not changed by OTEL_ environment variables: whoever makes the Options decides about these.
type Options struct {
	// Protocol of the receiver. Default: ProtocolGRPC.
	Protocol Protocol
	// Endpoint is the OTLP receiver, http:// in plain text or https:// with TLS. For gRPC it is http://host:port,
	// the port defaults to 4317, and the default is DefaultEndpoint. For HTTP it is the whole URL that requests go
	// to, and the default is DefaultHTTPEndpoint.
	Endpoint string
	// TLS is used for https, nil for the system's authorities and no client certificate.
	TLS *tls.Config
	// Headers go with every request. Their values appear in no log line and in no error.
	Headers map[string]string
	// Compression of the requests. Default: CompressionGzip.
	Compression Compression

	// Interval is the time between two collections. Default: DefaultInterval.
	Interval time.Duration
	// FirstAfter is the time from the first run to an export ahead of the Interval, 0 for none: for people who wait for it.
	FirstAfter time.Duration
	// Timeout bounds one export request. Default: DefaultTimeout.
	Timeout time.Duration
	// StopBudget bounds what Run still does after its context has ended. Default: DefaultStopBudget.
	StopBudget time.Duration
	// SpoolDir is the directory in which batches wait for another try, so that they outlive this process. It is
	// made if it is absent, and no two agents can share one. While it cannot be used, as when its file system is
	// full, batches wait in memory. Empty: always in memory.
	SpoolDir string
	// QueueBytes bounds the batches that wait for another try. Default: DefaultSpoolBytes with a SpoolDir, else
	// DefaultQueueBytes. No more than DefaultQueueBytes are in memory beside a SpoolDir.
	QueueBytes int64
	// QueueAge bounds how long a batch waits. Default: DefaultQueueAge.
	QueueAge time.Duration
	// PendingRuns bounds the runs that wait for a collection; half as many cause one ahead of the Interval.
	// Default: DefaultPendingRuns.
	PendingRuns int

	// ServiceName is the resource's service.name. Default: that of Attributes, else DefaultServiceName.
	ServiceName string
	// ServiceVersion is the resource's service.version.
	ServiceVersion string
	// InstanceID is the resource's service.instance.id: who this agent is, the same after a restart. Default: a random one.
	InstanceID string
	// Location is the attribute wsprobe.location of every point: where this agent stands. Log records and traces have it in
	// their resource.
	Location string
	// PageURL is where people find the status page, the attribute wsprobe.agent.url of wsprobe.agent.build.info.
	PageURL string
	// Attributes are more attributes of the resource. They replace what the agent finds out by itself
	// (service.version, service.instance.id, host.name), but not ServiceName and Location.
	Attributes map[string]string

	// EndMarkers ends the series of a latency with a point that has the flag for "no recorded value" once a run has
	// none, and all of them at the stop.
	EndMarkers bool
	// Interleave sends every other request from the present while a backlog is delivered. Without it all requests are in the
	// order of time, on which some back ends insist.
	Interleave bool

	// Logs exports a log record of each failed run and of each change of state, see [Events]. Of those that wait for
	// the receiver, 8 MiB are kept in memory.
	Logs bool

	// Traces exports the traces of runs, see [Telemetry.Trace]: of all that fail, and of a share TraceRatio, from 0 to 1,
	// of those that are ok. Of those that wait for the receiver, some 8,000 are kept in memory.
	Traces     bool
	TraceRatio float64

	// Scrapes keeps what [Telemetry.Scrapes] needs: the last run of each probe.
	Scrapes bool

	// InFlight returns the number of runs under way, or is nil.
	InFlight func() int
	// Logger is told about exports that fail, a line a minute at most for each kind. Default: none.
	Logger *slog.Logger
}

// filled returns the options with the defaults in place of zero values, and with maps of its own.
func (o Options) filled() Options {
	o.Headers, o.Attributes = maps.Clone(o.Headers), maps.Clone(o.Attributes)
	setDefault(&o.Protocol, ProtocolGRPC)
	switch o.Protocol {
	case ProtocolHTTP:
		setDefault(&o.Endpoint, DefaultHTTPEndpoint)
	case ProtocolNone:
		o.Logs, o.Traces, o.SpoolDir = false, false, ""
	}
	setDefault(&o.Endpoint, DefaultEndpoint)
	setDefault(&o.Compression, CompressionGzip)
	setDefault(&o.Interval, DefaultInterval)
	setDefault(&o.Timeout, DefaultTimeout)
	setDefault(&o.StopBudget, DefaultStopBudget)
	if o.SpoolDir != "" {
		setDefault(&o.QueueBytes, DefaultSpoolBytes)
	}
	setDefault(&o.QueueBytes, DefaultQueueBytes)
	setDefault(&o.QueueAge, DefaultQueueAge)
	setDefault(&o.PendingRuns, DefaultPendingRuns)
	setDefault(&o.InstanceID, uuid.NewString())
	setDefault(&o.Logger, slog.New(slog.DiscardHandler))
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// check returns everything that is wrong with filled options. Header values are in no error.
func (o Options) check() error {
	var errs []error
	switch o.Protocol {
	case ProtocolGRPC, ProtocolHTTP:
		if _, err := o.target(); err != nil {
			errs = append(errs, err)
		}
	case ProtocolNone:
	default:
		errs = append(errs, fmt.Errorf("protocol must be grpc, http/protobuf or none, got %q", o.Protocol))
	}
	if o.Compression != CompressionGzip && o.Compression != CompressionNone {
		errs = append(errs, fmt.Errorf("compression must be gzip or none, got %q", o.Compression))
	}
	for what, d := range map[string]time.Duration{
		"interval": o.Interval, "timeout": o.Timeout, "stop budget": o.StopBudget, "queue age": o.QueueAge,
	} {
		if d < 0 {
			errs = append(errs, fmt.Errorf("%s must be positive, got %v", what, d))
		}
	}
	if !(o.TraceRatio >= 0 && o.TraceRatio <= 1) {
		errs = append(errs, fmt.Errorf("trace ratio must be from 0 to 1, got %v", o.TraceRatio))
	}
	if o.QueueBytes < 0 || o.PendingRuns < 0 {
		errs = append(errs, errors.New("bounds must be positive"))
	}
	for name, value := range o.Headers {
		if !validHeader(name, value) {
			errs = append(errs, fmt.Errorf("header %q is not valid gRPC metadata", name))
		}
	}
	return errors.Join(errs...)
}

// target returns the endpoint with its port.
func (o Options) target() (*url.URL, error) {
	origin, wants := "http://host:port or https://host:port", "endpoint must be "
	if o.Protocol == ProtocolHTTP {
		origin = "http://host:port/path or https://host:port/path"
	}
	wants += origin
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.User != nil {
		// The parser's error quotes the text, in which there can be a password.
		return nil, errors.New(wants + ", without user information")
	}
	plain := u.Hostname() != "" && u.RawQuery == "" && (o.Protocol == ProtocolHTTP || strings.Trim(u.Path, "/") == "")
	if !plain || u.Scheme != "http" && u.Scheme != "https" {
		u.RawQuery, u.Fragment = "", ""
		return nil, fmt.Errorf("%s, got %s", wants, u)
	}
	if o.Protocol != ProtocolHTTP {
		u.Host, u.Path = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "4317")), ""
	}
	return u, nil
}

// userAgent is what requests say about the agent and the version of an exporter.
func (o Options) userAgent(exporter string) string {
	return strings.TrimSuffix("wsprobe/"+o.ServiceVersion, "/") + " OTel-OTLP-Exporter-Go/" + exporter
}

// validHeader reports whether gRPC would send the header. It refuses the whole request otherwise, every time.
func validHeader(name, value string) bool {
	name = strings.ToLower(name)
	valid := name != "" && !strings.HasPrefix(name, "grpc-")
	for _, c := range name {
		valid = valid && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.ContainsRune("-_.", c))
	}
	if strings.HasSuffix(name, "-bin") {
		return valid
	}
	for _, c := range []byte(value) {
		valid = valid && c >= 0x20 && c <= 0x7e
	}
	return valid
}

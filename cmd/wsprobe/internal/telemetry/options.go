package telemetry

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/google/uuid"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// Defaults of [Options].
const (
	DefaultEndpoint     = otlp.DefaultEndpoint
	DefaultHTTPEndpoint = otlp.DefaultHTTPEndpoint
	DefaultInterval     = 10 * time.Second
	DefaultTimeout      = otlp.DefaultTimeout
	DefaultStopBudget   = 2 * time.Second
	DefaultQueueBytes   = 32 << 20
	DefaultSpoolBytes   = 256 << 20
	DefaultQueueAge     = 24 * time.Hour
	DefaultPendingRuns  = 100_000
	DefaultServiceName  = "wsprobe"
)

// Protocol is how export requests travel.
type Protocol = otlp.Protocol

// The protocols, by their names in OTEL_EXPORTER_OTLP_PROTOCOL, and the word for none.
const (
	ProtocolGRPC = otlp.GRPC
	ProtocolHTTP = otlp.HTTP
	// ProtocolNone exports nothing, of no signal: only [Telemetry.MetricsHandler] has the results then.
	ProtocolNone Protocol = "none"
)

// Compression is how export requests are compressed.
type Compression = otlp.Compression

// The compressions.
const (
	CompressionGzip = otlp.Gzip
	CompressionNone = otlp.Uncompressed
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
	// FirstAfter is the time from the first run to an export ahead of the Interval, 0 for none: for people who wait for
	// it.
	FirstAfter time.Duration
	// Timeout bounds one export request. Default: DefaultTimeout.
	Timeout time.Duration
	// StopBudget bounds what Run still does after its context has ended. Default: DefaultStopBudget.
	StopBudget time.Duration
	// SpoolDir is the directory in which batches wait for another try, so that they outlive this process. It is
	// made if it is absent, and no two agents can share one. While it cannot be used, as when its file system is
	// full, batches wait in memory. Empty: always in memory.
	SpoolDir string
	// QueueBytes bounds the batches that wait for another try, of all signals. Log records and traces may take a
	// quarter each, if they are exported, and metrics the rest. Default: DefaultSpoolBytes with a SpoolDir, else
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
	// InstanceID is the resource's service.instance.id: who this agent is, the same after a restart. Default: a random
	// one.
	InstanceID string
	// Location is the attribute wsprobe.location of every point: where this agent stands. Log records and traces have
	// it in their resource.
	Location string
	// PageURL is where people find the status page, the attribute wsprobe.agent.url of wsprobe.agent.build.info.
	PageURL string
	// Attributes are more attributes of the resource. They replace what the agent finds out by itself
	// (service.version, service.instance.id, host.name), but not ServiceName and Location.
	Attributes map[string]string

	// Temporality says over which time the totals of the export count. Default: TemporalityCumulative.
	Temporality Temporality
	// Exponential exports histograms with exponential buckets, from MaxScale on, -10 to 20. The zero value of MaxScale is
	// 0 and no other default: buckets between powers of two.
	Exponential bool
	MaxScale    int

	// EndMarkers ends the series of a latency with a point that has the flag for "no recorded value" once a run has
	// none, and all of them at the stop. It ends series of the agent itself that a collection has no longer, too.
	EndMarkers bool
	// Interleave sends every other request from the present while a backlog is delivered. Without it all requests are
	// in the order of time, on which some back ends insist.
	Interleave bool

	// Logs exports a log record of each failed run and of each change of state, see [Events].
	Logs bool

	// Traces exports the traces of runs, see [Telemetry.Trace]: of all that fail, and of a share TraceRatio, from 0 to
	// 1, of those that are ok.
	Traces     bool
	TraceRatio float64

	// Exposition keeps what [Telemetry.MetricsHandler] needs: the last run of each probe.
	Exposition bool
	// Scraped is the form of its histograms. Default: ScrapedClassic.
	Scraped Scraped

	// InFlight returns the number of runs under way, or is nil.
	InFlight func() int
	// Streams returns the numbers of the agent's streams, and Feed those of its own one, at each collection. They are nil
	// without any.
	Streams func() []StreamStats
	Feed    func() FeedStats
	// Discovery returns the numbers of the sources of targets at each collection, or is nil.
	Discovery func() []DiscoveryStats
	// Logger is told about exports that fail, a line a minute at most for each kind. Default: none.
	Logger *slog.Logger
}

// filled returns the options with the defaults in place of zero values, and with maps of its own.
func (o Options) filled() Options {
	o.Headers, o.Attributes = maps.Clone(o.Headers), maps.Clone(o.Attributes)
	setDefault(&o.Protocol, ProtocolGRPC)
	if o.Protocol == ProtocolNone {
		o.Logs, o.Traces, o.SpoolDir, o.Exponential = false, false, "", false
	}
	setDefault(&o.Temporality, TemporalityCumulative)
	setDefault(&o.Scraped, ScrapedClassic)
	setDefault(&o.Interval, DefaultInterval)
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
	if o.Protocol != ProtocolNone {
		errs = append(errs, o.client().Check())
	}
	for what, d := range map[string]time.Duration{
		"interval": o.Interval, "stop budget": o.StopBudget, "queue age": o.QueueAge,
	} {
		if d < 0 {
			errs = append(errs, fmt.Errorf("%s must be positive, got %v", what, d))
		}
	}
	if !(o.TraceRatio >= 0 && o.TraceRatio <= 1) {
		errs = append(errs, fmt.Errorf("trace ratio must be from 0 to 1, got %v", o.TraceRatio))
	}
	if !o.Temporality.delta() && o.Temporality != TemporalityCumulative {
		errs = append(errs, fmt.Errorf("temporality must be cumulative, delta or lowmemory, got %q", o.Temporality))
	}
	if o.Exponential && (o.MaxScale < metrics.MinScale || o.MaxScale > metrics.MaxScale) {
		errs = append(errs, fmt.Errorf("scale must be from %d to %d, got %d", metrics.MinScale, metrics.MaxScale, o.MaxScale))
	}
	if o.Scraped != ScrapedClassic && o.Scraped != ScrapedNative && o.Scraped != ScrapedNone {
		errs = append(errs, fmt.Errorf("histograms of scrapes must be classic, native or none, got %q", o.Scraped))
	}
	if o.QueueBytes < 0 || o.PendingRuns < 0 {
		errs = append(errs, errors.New("bounds must be positive"))
	}
	return errors.Join(errs...)
}

// client says what the client needs to know.
func (o Options) client() otlp.Options {
	return otlp.Options{
		Protocol: o.Protocol, Endpoint: o.Endpoint, TLS: o.TLS, Headers: o.Headers, Compression: o.Compression,
		Timeout: o.Timeout, Version: o.ServiceVersion,
	}
}

// share returns the part of a bound of bytes that is for one signal: for log records and traces a quarter each, if they
// are exported, and for metrics the rest, which is half or more.
func (o Options) share(s otlp.Signal, bytes int64) int64 {
	quarter := bytes / 4
	if s != otlp.Metrics {
		return quarter
	}
	for _, other := range []bool{o.Logs, o.Traces} {
		if other {
			bytes -= quarter
		}
	}
	return bytes
}

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
)

// Defaults of [Options].
const (
	DefaultEndpoint    = "http://127.0.0.1:4317"
	DefaultInterval    = 10 * time.Second
	DefaultTimeout     = 10 * time.Second
	DefaultStopBudget  = 2 * time.Second
	DefaultQueueBytes  = 32 << 20
	DefaultPendingRuns = 100_000
	DefaultServiceName = "wsprobe"
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
	// Endpoint is the OTLP/gRPC receiver, http://host:port in plain text or https://host:port with TLS. The
	// port defaults to 4317. Default: DefaultEndpoint.
	Endpoint string
	// TLS is used for https, nil for the system's authorities and no client certificate.
	TLS *tls.Config
	// Headers go with every request. Their values appear in no log line and in no error.
	Headers map[string]string
	// Compression of the requests. Default: CompressionGzip.
	Compression Compression

	// Interval is the time between two collections. Default: DefaultInterval.
	Interval time.Duration
	// Timeout bounds one export request. Default: DefaultTimeout.
	Timeout time.Duration
	// StopBudget bounds what Run still does after its context has ended. Default: DefaultStopBudget.
	StopBudget time.Duration
	// QueueBytes bounds the packed batches that wait for another try. Default: DefaultQueueBytes.
	QueueBytes int64
	// PendingRuns bounds the runs that wait for a collection; half as many cause one ahead of the Interval.
	// Default: DefaultPendingRuns.
	PendingRuns int

	// ServiceName is the resource's service.name. Default: that of Attributes, else DefaultServiceName.
	ServiceName string
	// ServiceVersion is the resource's service.version.
	ServiceVersion string
	// Location is the resource's wsprobe.location: where this agent stands.
	Location string
	// Attributes are more attributes of the resource. They replace what the agent finds out by itself
	// (service.version, service.instance.id, host.name), but not ServiceName and Location.
	Attributes map[string]string

	// InFlight returns the number of runs under way, or is nil.
	InFlight func() int
	// Logger is told about exports that fail, a line a minute at most for each kind. Default: none.
	Logger *slog.Logger
}

// filled returns the options with the defaults in place of zero values, and with maps of its own.
func (o Options) filled() Options {
	o.Headers, o.Attributes = maps.Clone(o.Headers), maps.Clone(o.Attributes)
	setDefault(&o.Endpoint, DefaultEndpoint)
	setDefault(&o.Compression, CompressionGzip)
	setDefault(&o.Interval, DefaultInterval)
	setDefault(&o.Timeout, DefaultTimeout)
	setDefault(&o.StopBudget, DefaultStopBudget)
	setDefault(&o.QueueBytes, DefaultQueueBytes)
	setDefault(&o.PendingRuns, DefaultPendingRuns)
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
	if _, _, err := o.target(); err != nil {
		errs = append(errs, err)
	}
	if o.Compression != CompressionGzip && o.Compression != CompressionNone {
		errs = append(errs, fmt.Errorf("compression must be gzip or none, got %q", o.Compression))
	}
	for what, d := range map[string]time.Duration{
		"interval": o.Interval, "timeout": o.Timeout, "stop budget": o.StopBudget,
	} {
		if d < 0 {
			errs = append(errs, fmt.Errorf("%s must be positive, got %v", what, d))
		}
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

// target returns host:port of the endpoint and whether it is reached with TLS.
func (o Options) target() (string, bool, error) {
	const want = "endpoint must be http://host:port or https://host:port"
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.User != nil {
		// The parser's error quotes the text, in which there can be a password.
		return "", false, errors.New(want + ", without user information")
	}
	origin := u.Hostname() != "" && strings.Trim(u.Path, "/") == "" && u.RawQuery == ""
	if !origin || u.Scheme != "http" && u.Scheme != "https" {
		u.RawQuery, u.Fragment = "", ""
		return "", false, fmt.Errorf("%s, got %s", want, u)
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "4317")), u.Scheme == "https", nil
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

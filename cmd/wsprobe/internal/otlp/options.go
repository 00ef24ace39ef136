package otlp

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"strings"
	"time"
)

// Defaults of [Options].
const (
	DefaultEndpoint     = "http://127.0.0.1:4317"
	DefaultHTTPEndpoint = "http://127.0.0.1:4318" + metricsPath
	DefaultTimeout      = 10 * time.Second
)

// metricsPath is the default path of requests with metrics (OTLP specification, OTLP/HTTP request).
const metricsPath = "/v1/metrics"

// Protocol is how requests travel.
type Protocol string

// The protocols, by their names in OTEL_EXPORTER_OTLP_PROTOCOL.
const (
	GRPC Protocol = "grpc"
	HTTP Protocol = "http/protobuf"
)

// Compression is how requests are compressed.
type Compression string

// The compressions.
const (
	Gzip         Compression = "gzip"
	Uncompressed Compression = "none"
)

// filled returns the options with the defaults in place of zero values, and with a map of its own.
func (o Options) filled() Options {
	o.Headers = maps.Clone(o.Headers)
	o.Protocol = cmp.Or(o.Protocol, GRPC)
	endpoint := DefaultEndpoint
	if o.Protocol == HTTP {
		endpoint = DefaultHTTPEndpoint
	}
	o.Endpoint = cmp.Or(o.Endpoint, endpoint)
	o.Compression = cmp.Or(o.Compression, Gzip)
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	return o
}

// Check returns everything that is wrong with the options. No value of a header is in the error.
func (o Options) Check() error {
	o = o.filled()
	var errs []error
	switch o.Protocol {
	case GRPC, HTTP:
		if _, err := o.target(); err != nil {
			errs = append(errs, err)
		}
	default:
		errs = append(errs, fmt.Errorf("protocol must be grpc, http/protobuf or none, got %q", o.Protocol))
	}
	if o.Compression != Gzip && o.Compression != Uncompressed {
		errs = append(errs, fmt.Errorf("compression must be gzip or none, got %q", o.Compression))
	}
	if o.Timeout < 0 {
		errs = append(errs, fmt.Errorf("timeout must be positive, got %v", o.Timeout))
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
	wants := "endpoint must be http://host:port or https://host:port"
	if o.Protocol == HTTP {
		wants = "endpoint must be http://host:port/path or https://host:port/path"
	}
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.User != nil {
		// The parser's error quotes the text, in which there can be a password.
		return nil, errors.New(wants + ", without user information")
	}
	plain := u.Hostname() != "" && u.RawQuery == "" && (o.Protocol == HTTP || strings.Trim(u.Path, "/") == "")
	if !plain || u.Scheme != "http" && u.Scheme != "https" {
		u.RawQuery, u.Fragment = "", ""
		return nil, fmt.Errorf("%s, got %s", wants, u)
	}
	if o.Protocol != HTTP {
		u.Host, u.Path = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "4317")), ""
	}
	return u, nil
}

// validHeader reports whether gRPC would send the header. Otherwise it refuses the whole request, every time.
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

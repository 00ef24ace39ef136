// Package discovery finds targets that come or go: in files, at an HTTP server, in the DNS.
//
// It knows no probe. A [Source] keeps the targets of its last good look: an update replaces them, and a look that fails
// leaves them as they are, as in Prometheus.
package discovery

import (
	"context"
	"crypto/tls"
	"net/url"
	"time"
)

// Target is one place to probe.
type Target struct {
	// Address is host:port or a URL, as the source has it. Of the DNS it is address:port.
	Address string
	// Host is the name that the DNS was asked for, or the target of an SRV record; else the host of Address.
	Host string
	// ConnectTo is address:port to connect to in place of that of the URL; only the DNS sets it.
	ConnectTo string
	// Labels are those of the source. Names that begin with __ are about the target, and become no label of a probe.
	Labels map[string]string
}

// Options say where targets come from. Exactly one of Files, HTTP and DNS is set.
type Options struct {
	Name       string // in the log and in metrics
	Files      *Files
	HTTP       *HTTP
	DNS        *DNS
	MaxTargets int // an update with more is refused as a whole
}

// Files are files in the format of Prometheus' file_sd, JSON or YAML. Each file is a group.
type Files struct {
	// Patterns are those of path/filepath.Match, and end in .json, .yaml or .yml. What matches none is no group, and
	// the targets of a file that is gone end.
	Patterns []string
	// Watch is the time between two looks at names, sizes and times, which read only files that changed. 0 is for none.
	Watch time.Duration
	// Refresh is the time after which all files are read again.
	Refresh time.Duration
}

// HTTP is a server with the format of Prometheus' http_sd.
type HTTP struct {
	URL       string
	Headers   map[string]string
	Authorize func(ctx context.Context) (string, error) // nil for none
	Proxy     *url.URL
	TLS       *tls.Config
	UserAgent string
	Refresh   time.Duration // after a failure up to a quarter longer, or as long as the server asks for
	Timeout   time.Duration // of one request with its answer
}

// DNS asks for the addresses of names. Each name is a group, whose targets end if it has no address.
type DNS struct {
	Names   []string // a name without a final dot is tried in the search domains of the system too
	Type    string   // A, AAAA or SRV
	Port    int      // of A and AAAA
	Server  string   // host:port, or "" for those of the system
	Refresh time.Duration
	Timeout time.Duration // of one look at one name
}

// State is how a source is.
type State struct {
	Targets int
	Updated time.Time // of the last good look, zero before it. A look is good if all groups could be read
	Failing time.Time // since when looks fail, zero while they succeed
	Problem string    // of the last look, redacted and fit to be shown
	// Looks are all looks by their outcome.
	Succeeded, Failed int64
}

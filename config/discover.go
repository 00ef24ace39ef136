package config

import (
	"errors"
	"net"
	"net/url"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/discovery"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// Discover is one entry of the list discover: a source of targets, and the module that makes a probe of each.
type Discover struct {
	Name   string            // unique
	Source discovery.Options // complete
	Module *Module
	// Digest is of the source, without the content of secrets, and not of what is made of a target. Two sources with the
	// same Digest find the same targets.
	Digest Digest

	report    *yamltree.Report // knows what was substituted in the module and in the two nodes
	url, name *yaml.Node       // as the file has them, or nil
	authAt    *Fault           // the place of the credentials, if there are any
}

// SetUserAgent changes the User-Agent of the requests of the source, unless its headers have one.
func (d *Discover) SetUserAgent(name string) {
	if d.Source.HTTP != nil {
		d.Source.HTTP.UserAgent = name
	}
}

// Kind is where the targets come from: files, http or dns.
func (d *Discover) Kind() string {
	switch {
	case d.Source.Files != nil:
		return "files"
	case d.Source.HTTP != nil:
		return "http"
	default:
		return "dns"
	}
}

// Probe returns the probe of a target. Its labels become labels of the probe, over those of the module, but for those
// whose names begin with __ and those without a value. The error is an [*Error] with the fields that are wrong for this
// target. It repeats neither a secret nor the query of a URL.
func (d *Discover) Probe(t discovery.Target) (Probe, error) {
	labels := make(map[string]string, len(t.Labels))
	for name, value := range t.Labels {
		if !strings.HasPrefix(name, "__") && value != "" {
			labels[name] = value
		}
	}
	host, port := hostPort(t)
	made := making{report: d.report, name: d.name, url: d.url, parts: &targetParts{labels: labels, connectTo: t.ConnectTo},
		texts: func(name string) (string, bool) {
			switch name {
			case "address":
				return t.Address, true
			case "host":
				return host, host != ""
			case "port":
				return port, port != ""
			}
			label, isLabel := strings.CutPrefix(name, "label.")
			value, known := t.Labels[label]
			return value, isLabel && known
		}}
	if made.name == nil {
		made.name = d.Module.text(d.Name + "/{{target.address}}")
	}
	switch scheme, _, isURL := strings.Cut(strings.ToLower(t.Address), "://"); {
	case made.url != nil:
	case d.Source.DNS != nil:
		made.url = d.Module.text("ws://{{target.host}}:{{target.port}}")
	case isURL && (scheme == "ws" || scheme == "wss"):
		made.url = d.Module.text("{{target.address}}")
	default:
		made.url = d.Module.text("ws://{{target.address}}")
	}
	p, err := d.Module.make(made)
	var faults *Error
	if errors.As(err, &faults) {
		for i := range faults.Faults {
			if f := &faults.Faults[i]; f.Path == "name" {
				f.Path = "probe_name"
			}
		}
	}
	return p, err
}

// hostPort returns the host and the port of a target, "" for none.
func hostPort(t discovery.Target) (host, port string) {
	address := t.Address
	if scheme, _, isURL := strings.Cut(address, "://"); isURL {
		if u, err := url.Parse(address); err == nil {
			host, port = u.Hostname(), u.Port()
			if port == "" {
				port = map[string]string{"ws": "80", "http": "80", "wss": "443", "https": "443"}[strings.ToLower(scheme)]
			}
		}
	} else if h, p, err := net.SplitHostPort(address); err == nil {
		host, port = h, p
	} else {
		host = strings.Trim(address, "[]")
	}
	if t.Host != "" {
		host = t.Host
	}
	return host, port
}

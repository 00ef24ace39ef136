package config

import (
	"errors"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/discovery"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe/redact"
)

// Module is one entry of the list modules: a probe without a name and a URL, for targets that are not known yet.
//
// A placeholder {{target.NAME}} may stand in every value, but not in keys. NAME is address, host, port, or label.X for
// the label X of the target. Other text in double braces stays as it is, because it belongs to an exchange. A value with
// a placeholder is whatever its field wants, a number for instance, in quotes or not.
//
// A text of a target means itself. In a pattern its characters have no special meaning, and in an exchange nothing is
// filled into it. References are resolved when the file is read, so that a target cannot ask for one.
//
// Several goroutines may use a Module.
type Module struct {
	Name string

	entry *yaml.Node // the mapping, without its name
	size  int        // of the file
	at    yamltree.Path
	// report knows what was substituted in the module and in the defaults of its file.
	report    *yamltree.Report
	files     *tlsFiles
	nameAt    *yaml.Node
	faulty    bool // and reported
	userAgent string
	taken     []string // names of attributes of the resource

	mu     sync.Mutex // of the rest, and of files
	reader *probeReader
}

// SetUserAgent changes the User-Agent of the probes that the module makes, unless its headers have one.
func (m *Module) SetUserAgent(name string) { m.userAgent = name }

// Probe returns the probe for a target, whose texts the placeholders name: "address" is for {{target.address}}. The
// error is an [*Error] with the fields that are wrong for this target. It repeats neither a secret nor the query of the
// URL. Two targets can get probes of the same name.
func (m *Module) Probe(name, url string, texts map[string]string) (Probe, error) {
	return m.make(making{report: m.report, name: m.text(name), url: m.text(url), literal: true, texts: func(name string) (string, bool) {
		value, known := texts[name]
		return value, known
	}})
}

// ProbeURL is [Module.Probe] for a target that is a URL, ws:// or wss://, whose host with its port, host, and port are the
// texts "address", "host" and "port".
func (m *Module) ProbeURL(name, target string) (Probe, error) {
	u, err := url.Parse(target)
	if err != nil {
		return Probe{}, errors.New("must be a URL, ws:// or wss://") // the error of url has all of it
	}
	host, port := hostPort(discovery.Target{Address: target})
	return m.Probe(name, target, map[string]string{"address": u.Host, "host": host, "port": port})
}

// making is what makes a probe of a module.
type making struct {
	report    *yamltree.Report // of the module and of the two nodes
	name, url *yaml.Node
	literal   bool                                        // nothing is filled into name and url
	texts     func(name string) (text string, known bool) // nil for stand-ins
	parts     *targetParts
}

// targetParts are the parts of a probe that its target has beside the placeholders.
type targetParts struct {
	labels    map[string]string // over those of the module
	connectTo string            // in place of that of the module, unless it is empty
}

// make reads the module with a name and a URL.
func (m *Module) make(made making) (Probe, error) {
	p, r := m.read(made)
	if err := errorOf(r); err != nil {
		return Probe{}, m.withoutPlace(err)
	}
	p.SetUserAgent(m.userAgent)
	return p, nil
}

// read fills the module in and reads it.
func (m *Module) read(made making) (Probe, *yamltree.Report) {
	var value func(name string, keys []string) (string, bool)
	if made.texts != nil {
		value = func(name string, keys []string) (string, bool) {
			text, known := made.texts(name)
			return suited(name, text, keys), known
		}
	}
	entry := m.entry
	if !made.literal {
		entry = m.named(entry, made)
	}
	r, item := yamltree.Fill(made.report, entry, value)
	if made.literal {
		item = m.named(item, made)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reader.begin(r, m.size)
	m.reader.target, m.reader.taken = made.parts, m.taken
	return m.reader.probe(item, m.at), r
}

// named returns the mapping of the module with a name and a URL.
func (m *Module) named(entry *yaml.Node, made making) *yaml.Node {
	named := *entry
	named.Content = append(named.Content[:len(named.Content):len(named.Content)], m.text("name"), made.name, m.text("url"), made.url)
	return &named
}

// text returns a text that the file does not have.
func (m *Module) text(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: yamltree.StrTag, Value: value, Line: m.entry.Line, Column: m.entry.Column}
}

// begin makes the reader ready for another probe, of which it keeps nothing.
func (r *probeReader) begin(report *yamltree.Report, size int) {
	r.reader.Reader = yamltree.NewReader(report, size)
	r.proxies.report = report
	clear(r.names)
	clear(r.maps)
	clear(r.texts)
	clear(r.guesses)
	r.doubts, r.noted = nil, secrets{}
}

// addTarget gives the probe at hand the parts of its target.
func (r *probeReader) addTarget(p *Probe, item *yaml.Node, where yamltree.Path) {
	if r.target.connectTo != "" {
		p.Spec.ConnectTo = r.target.connectTo
		r.dropped[probeSection.index["connect_to"]] = true
	}
	i := probeSection.index["labels"]
	at := func(name string, problem string) {
		if problem != "" {
			r.Used(yamltree.Follow(item), item, where.Field("labels").Name(name), "%s", problem)
		}
	}
	if len(r.target.labels) > 0 {
		r.dropped[i] = true
		labels := make(map[string]string, len(p.Labels)+len(r.target.labels))
		maps.Copy(labels, p.Labels)
		for name, value := range r.target.labels {
			wrongName, wrongValue := labelProblem(name, value)
			if wrongValue == "" {
				wrongValue = printableProblem(value) // a source is less trusted than a configuration
			}
			at(name, wrongName)
			at(name, wrongValue)
			labels[r.share(name)] = r.share(value)
		}
		p.Labels = labels
	}
	if len(p.Labels) > maxLabels {
		r.Used(yamltree.Follow(item), item, where.Field("labels"), "must be at most %d with those of the target, got %d", maxLabels, len(p.Labels))
	}
	for name := range p.Labels {
		if oneOf(name, r.taken) {
			at(name, "is an attribute of "+resourceVariable+", too: some back ends would have it twice")
		}
	}
}

// withoutPlace takes the place of the module in the file from the paths of faults, and leaves warnings out.
func (m *Module) withoutPlace(err error) error {
	var faults *Error
	if errors.As(err, &faults) {
		faults.Faults = slices.DeleteFunc(faults.Faults, func(f Fault) bool { return f.Warning })
		for i := range faults.Faults {
			f := &faults.Faults[i]
			f.Path = strings.TrimPrefix(strings.TrimPrefix(f.Path, m.at.String()), ".")
		}
	}
	return err
}

// suited returns a text of a target so that it means itself below these keys, and shows no secret there.
func suited(name, text string, keys []string) string {
	for len(keys) > 1 && keys[0] == "<<" {
		keys = keys[1:]
	}
	inSession := keys[0] == "session"
	filledIn := keys[0] == "exchange" || inSession && len(keys) > 1 && keys[1] == "heartbeat"
	switch last := keys[len(keys)-1]; {
	case name == "host" && strings.Contains(text, ":") && (len(keys) == 1 && (last == "url" || last == "connect_to")):
		return "[" + text + "]" // an address of IPv6 before a port
	case name == "address" && (keys[0] == "name" || keys[0] == "labels") && strings.Contains(text, "://"):
		return redact.URL(text) // its query is secret, and a name is not
	case last == "expect_pattern" && (filledIn || inSession || len(keys) == 1):
		return regexp.QuoteMeta(text)
	case filledIn:
		return strings.ReplaceAll(text, "{{", `{{"{{"}}`)
	default:
		return text
	}
}

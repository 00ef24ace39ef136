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
// filled into it. Where it would be a placeholder nevertheless, of a capture or together with the text around it, the
// target has no probe. References are resolved when the file is read, so that a target cannot ask for one.
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
	faulty    bool  // and reported
	sample    Probe // with stand-ins for its target
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
	return m.make(m.literally(name, url, texts))
}

// literally is what makes a probe whose name and URL mean themselves.
func (m *Module) literally(name, url string, texts map[string]string) making {
	return making{report: m.report, name: m.text(name), url: m.text(url), literal: true, texts: func(name string) (string, bool) {
		value, known := texts[name]
		return value, known
	}}
}

// ProbeURL is [Module.Probe] for a target that is a URL, ws:// or wss://, whose host with its port, host, and port are the
// texts "address", "host" and "port". The URL cannot have placeholders of captures: who asks decides where it leads.
func (m *Module) ProbeURL(name, target string) (Probe, error) {
	u, err := url.Parse(target)
	if err != nil {
		return Probe{}, errors.New("must be a URL, ws:// or wss://") // the error of url has all of it
	}
	host, port := hostPort(discovery.Target{Address: target})
	made := m.literally(name, target, map[string]string{"address": u.Host, "host": host, "port": port})
	made.foreign = true
	return m.make(made)
}

// making is what makes a probe of a module.
type making struct {
	report    *yamltree.Report // of the module and of the two nodes
	name, url *yaml.Node
	literal   bool                                        // nothing is filled into name and url
	foreign   bool                                        // url is of the target
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
	var p Probe
	m.reader.probe(item, m.at, &p)
	refuseTemplates(r, &p, made)
	return p, r
}

// refuseTemplates reports texts of a target that would be placeholders of an exchange, or of a capture: whoever lists
// targets could have a secret sent to a place of his choice. [suited] has made most of them harmless already.
func refuseTemplates(r *yamltree.Report, p *Probe, made making) {
	captures := len(p.Spec.CaptureNames()) > 0
	for _, b := range r.Blended() {
		filled := filledIn(b.Keys)
		never := b.Keys[0] == "name" || b.Keys[0] == "labels"
		if captures && !filled && !never || filled && !b.Quoted {
			r.At(b.At, b.Where, "would have a placeholder by the text of target.%s", b.Target)
		}
	}
	if captures && made.foreign && yamltree.Blank(made.url.Value) {
		r.At(made.url, yamltree.Path{Section: "url"}, "must not have a placeholder, because the module has captures")
	}
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

// filledIn reports whether texts below these keys have placeholders, whatever else the probe has.
func filledIn(keys []string) bool {
	for len(keys) > 1 && keys[0] == "<<" {
		keys = keys[1:]
	}
	return keys[0] == "exchange" || keys[0] == "session" && len(keys) > 1 && keys[1] == "heartbeat"
}

// suited returns a text of a target so that it means itself below these keys, and shows no secret there.
func suited(name, text string, keys []string) string {
	for len(keys) > 1 && keys[0] == "<<" {
		keys = keys[1:]
	}
	inSession := keys[0] == "session"
	filled := filledIn(keys)
	switch last := keys[len(keys)-1]; {
	case name == "host" && strings.Contains(text, ":") && (len(keys) == 1 && (last == "url" || last == "connect_to")):
		return "[" + text + "]" // an address of IPv6 before a port
	case name == "address" && (keys[0] == "name" || keys[0] == "labels") && strings.Contains(text, "://"):
		return redact.URL(text) // its query is secret, and a name is not
	case last == "expect_pattern" && (filled || inSession || len(keys) == 1):
		return regexp.QuoteMeta(text)
	case filled:
		return strings.ReplaceAll(text, "{{", `{{"{{"}}`)
	default:
		return text
	}
}

package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// refusedInModule are the fields of a probe that a module may not have.
var refusedInModule = map[string]string{
	"url":     "is not allowed in a module: the target has it",
	"enabled": "is not allowed in a module, which runs only where a target is",
}

// readModules reads the modules of a file, each over the defaults of the file, with stand-ins for what a target will
// fill in.
func readModules(r *reader, file fileTree, files *tlsFiles, size int) []*Module {
	list := listOf(r, file.pair("modules"), "modules", "mappings, each with a name", maxModules)
	defaults := file.pair("defaults")
	var modules []*Module
	for i, item := range list {
		if r.Exhausted() {
			break
		}
		if m := readModule(r, item, yamltree.Path{Section: "modules", Index: i + 1}); m != nil {
			m.size, m.files = size, files
			m.prepare(r, defaults)
			modules = append(modules, m)
		}
	}
	return modules
}

// readModule takes the name from the mapping of a module. It returns nil for what is no mapping.
func readModule(r *reader, item *yaml.Node, where yamltree.Path) *Module {
	entry := yamltree.Follow(item)
	if entry.Kind != yaml.MappingNode || entry.Tag != yamltree.MapTag {
		r.Used(entry, item, where, "must be a mapping, got %s", yamltree.Describe(entry))
		return nil
	}
	for _, p := range r.Pairs(entry, yamltree.AliasOf(item), where) {
		if reason := refusedInModule[p.Key.Value]; reason != "" {
			r.Used(p.Key, p.KeyAt, where.Field(p.Key.Value), "%s", reason)
		}
	}
	m := &Module{at: where}
	if p, ok := r.LookUp(entry, "name"); !ok {
		r.Used(entry, item, where.Field("name"), "is required")
	} else {
		f := &probeSection.fields[probeSection.index["name"]]
		problem := scalarProblem(&f.Field, p.Value)
		var named Probe
		if problem == "" {
			problem = f.value.store(&named, &f.Field, p.Value.Value)
		}
		if problem != "" {
			r.Used(p.Value, p.ValueAt, where.Field("name"), "%s", problem)
		}
		m.Name, m.nameAt = named.Name, p.ValueAt
	}
	own := *entry
	own.Anchor, own.Content = "", nil
	for i := 0; i+1 < len(entry.Content); i += 2 {
		if key := yamltree.Follow(entry.Content[i]).Value; key != "name" && refusedInModule[key] == "" {
			own.Content = append(own.Content, entry.Content[i], entry.Content[i+1])
		}
	}
	m.entry = &own
	return m
}

// prepare makes the module ready for targets, and reports what is wrong with it whatever the target is.
func (m *Module) prepare(r *reader, defaults yamltree.Pair) {
	m.report = r.Part(m.entry, defaults.Value)
	own := newReader(r.Part(m.entry, defaults.Value), m.size)
	own.tokens = r.tokens
	m.reader = newProbeReader(own, m.files)
	if defaults.Present() {
		m.reader.defaults(defaults) // whose faults are reported for the probes
	}
	missing := func() *yaml.Node { return yamltree.Missing(m.entry) }
	sample, found := m.read(making{report: m.report, name: missing(), url: missing(), literal: true})
	m.sample = sample
	m.faulty = found.Count() > 0
	r.Adopt(found, nil)
}

// uniqueModules reports modules of one name.
func uniqueModules(r *reader, modules []*Module) {
	first := make(map[string]*Module)
	for _, m := range modules {
		if m.Name == "" || r.Blind && r.Substituted(m.nameAt) {
			continue
		}
		if other := first[m.Name]; other != nil {
			r.At(m.nameAt, m.at.Field("name"), "must be unique, %s has it already", r.Seen(other.nameAt, m.nameAt))
			continue
		}
		first[m.Name] = m
	}
}

// link completes the sources of all files by the modules of all files.
func link(entries []*discoverEntry, modules []*Module) []Discover {
	var all []Discover
	names := make(map[string]*discoverEntry)
	for _, d := range entries {
		d.link(modules)
		d.unique(names)
		all = append(all, d.Discover)
	}
	return all
}

// link looks the module of a source up, and checks them together.
func (d *discoverEntry) link(modules []*Module) {
	pair := func(key string) yamltree.Pair { return d.pairs[discoverSection.index[key]] }
	at, r := pair("module"), d.reader
	if !at.Present() {
		return
	}
	known := make([]string, len(modules))
	for i, m := range modules {
		known[i] = m.Name
	}
	i := slices.Index(known, d.module)
	if i < 0 {
		if !r.Blind && !slices.Contains(known, "") {
			r.Used(at.Value, at.ValueAt, d.where.Field("module"), "names no entry of modules%s", didYouMean(suggest(d.module, known)))
		}
		return
	}
	d.Module = modules[i]
	if d.Name == "" {
		d.Name = d.Module.Name
		d.Source.Name = d.Name
	}
	if d.Module.faulty {
		return
	}
	if _, sets := d.Module.setsConnectTo(); sets && d.Source.DNS != nil {
		r.Used(at.Value, at.ValueAt, d.where.Field("module"), "must be a module without connect_to, because dns connects to each address")
		return
	}
	d.Discover.url, d.Discover.name = pair("url").Value, pair("probe_name").Value
	d.report = d.Module.report.With(r.Part(pair("url").Value, pair("probe_name").Value))
	if !d.faulty {
		d.try()
	}
}

// setsConnectTo returns the entry connect_to of a module.
func (m *Module) setsConnectTo() (yamltree.Pair, bool) {
	return yamltree.NewReader(yamltree.NewReport(""), m.size).LookUp(m.entry, "connect_to")
}

// try reports what is wrong with URL, name and module together, whatever the target is.
func (d *discoverEntry) try() {
	made := making{report: d.report, name: d.Discover.name, url: d.Discover.url}
	if made.name == nil {
		made.name = yamltree.Missing(d.Module.entry)
	}
	if made.url == nil || strings.HasPrefix(made.url.Value, "{{") { // the target has the scheme
		made.url = yamltree.Missing(d.Module.entry)
	}
	_, found := d.Module.read(made)
	d.reader.Adopt(found, func(path string) (string, bool) {
		field := strings.TrimPrefix(path, d.Module.at.String()+".")
		switch field {
		case "url":
			return d.where.Field("url").String(), true
		case "name":
			return d.where.Field("probe_name").String(), true
		}
		return path, false
	})
}

// unique checks that no other source has the name.
func (d *discoverEntry) unique(names map[string]*discoverEntry) {
	p, advice := d.pairs[discoverSection.index["name"]], ""
	if !p.Present() {
		p, advice = d.at, ": give one of them a name"
	}
	if d.Name == "" || d.reader.Unknown(p.Value) {
		return
	}
	if first := names[d.Name]; first != nil {
		d.reader.At(p.ValueAt, d.where.Field("name"), "must be unique, %s has it already%s", d.reader.Seen(first.at.ValueAt, p.ValueAt), advice)
		return
	}
	names[d.Name] = d
}

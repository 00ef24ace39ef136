package config

import (
	"context"
	"maps"
	"slices"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// TryCredentials reads the credentials of every probe, module, source of targets and stream, as a run, a look and an open
// do. It returns a warning for each that is not available now. It may be available later, because each of them reads them
// anew. It leaves out credentials of a module that a target fills in.
func (c Config) TryCredentials(ctx context.Context) []Fault {
	var faults []Fault
	seen := make(map[Fault]bool)
	try := func(reader string, authorize authorizer, at *Fault) {
		if authorize == nil || at == nil {
			return
		}
		if _, err := authorize(ctx); err != nil {
			f := *at
			f.Problem = reader + " would fail now: " + err.Error()
			if !seen[f] {
				seen[f] = true
				faults = append(faults, f)
			}
		}
	}
	tryProbe := func(p *Probe) {
		try("a run", p.Spec.Authorize, p.authAt)
		for _, name := range slices.Sorted(maps.Keys(p.connections)) {
			auth := p.connections[name].auth
			try("a run", auth.authorize, auth.at)
		}
	}
	for i := range c.Probes {
		tryProbe(&c.Probes[i])
	}
	for _, m := range c.Modules {
		if !m.fillsCredentials() {
			tryProbe(&m.sample)
		}
	}
	for _, d := range c.Discover {
		if d.Source.HTTP != nil {
			try("a look", d.Source.HTTP.Authorize, d.authAt)
		}
	}
	for _, s := range c.Streams {
		try("an open", s.Opening.Authorize, s.authAt)
	}
	return faults
}

// fillsCredentials reports whether credentials of the module can have placeholders in them.
func (m *Module) fillsCredentials() bool {
	for i := 0; i+1 < len(m.entry.Content); i += 2 {
		switch value := m.entry.Content[i+1]; yamltree.Follow(m.entry.Content[i]).Value {
		case "auth", "connections", "<<":
			if _, filled := yamltree.Fill(m.report, value, nil); filled != value {
				return true
			}
		}
	}
	return false
}

// place returns the place of the credentials of the probe at hand: in the probe, or in the defaults block.
func (a *authReader) place() *Fault {
	at, in := a.setAt, a.setIn
	for i := range authSection.fields {
		if key := authSection.fields[i].Key(); key == "password_file" || key == "token_file" || key == "client_secret_file" {
			switch {
			case a.sets(i):
				at, in = a.set.pairs[i], a.setIn.Field(key)
			case a.inheritsField(i):
				at, in = a.inherited.pairs[i], a.inheritedIn.Field(key)
			}
		}
	}
	if !at.Present() {
		at, in = a.inheritedAt, a.inheritedIn
	}
	f, _ := a.Renewed().Locate(yamltree.Fault{Warning: true}, at.Value, at.ValueAt, in)
	return (*Fault)(&f)
}

package config

import (
	"context"
	"maps"
	"slices"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// TryCredentials reads the credentials of every probe and of every stream, as a run and an open do. It returns a warning
// for each that is not available now. It may be available later, because every run and every open reads them anew.
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
	for _, p := range c.Probes {
		try("a run", p.Spec.Authorize, p.authAt)
		for _, name := range slices.Sorted(maps.Keys(p.connections)) {
			auth := p.connections[name].auth
			try("a run", auth.authorize, auth.at)
		}
	}
	for _, s := range c.Streams {
		try("an open", s.Opening.Authorize, s.authAt)
	}
	return faults
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

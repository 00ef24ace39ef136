package config

import (
	"context"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe"
)

// connection is what a configuration says about a connection of an exchange.
type connection struct {
	probe.Connection
	auth ownAuth
}

// ownAuth are credentials that inherit nothing.
type ownAuth struct {
	settings  authSettings
	authorize authorizer // nil if there is no mapping
	at        *Fault     // the place of the credentials, if there are any
}

// decodeNamed reads mappings by their names. One with a fault is kept, because others use its name. One without a value
// sets nothing.
func decodeNamed[E any](r *reader, s *section[E], p yamltree.Pair, where yamltree.Path, into *map[string]E, set *found) bool {
	n := p.Value
	if n.Kind != yaml.MappingNode || n.Tag != yamltree.MapTag {
		r.Used(n, p.ValueAt, where, "must be a mapping of names to %s, got %s", s.items(), yamltree.Describe(n))
		return false
	}
	all := make(map[string]E, len(n.Content)/2)
	for _, entry := range r.Pairs(n, yamltree.AliasOf(p.ValueAt), where) {
		name := r.share(entry.Key.Value)
		var c E
		if !yamltree.IsNull(entry.Value) && !decodeInner(r, s, entry.ValueAt, where.Member(name), &c) {
			set.markItem(where.Key, name)
		}
		all[name] = c
	}
	*into = all
	return true
}

// decodeOwnAuth reads credentials that inherit nothing.
func decodeOwnAuth(r *reader, p yamltree.Pair, where yamltree.Path, into *ownAuth) bool {
	a, faults := newAuthReader(r), r.Count()
	settings := a.base
	a.setAt, a.setIn = p, where.Inside()
	decode(r, authSection, p.Value, yamltree.AliasOf(p.ValueAt), a.setIn, &settings, a.set)
	a.reportAll(a.findings(settings.strategy))
	a.doubtTokenURL(&settings)
	into.settings, into.authorize = settings, settings.authorize(a.substituted, a.tokens)
	if into.at = a.place(); into.authorize == nil {
		into.authorize = func(context.Context) (string, error) { return "", nil }
	}
	return r.Count() == faults
}

// connectionsOf are the connections as a Spec has them.
func connectionsOf(all map[string]connection) map[string]probe.Connection {
	if all == nil {
		return nil
	}
	connections := make(map[string]probe.Connection, len(all))
	for name, c := range all {
		c.Authorize = c.auth.authorize
		connections[name] = c.Connection
	}
	return connections
}

// connectionFault returns the place of a fault of a connection.
func (r *reader) connectionFault(f probe.Fault, p yamltree.Pair, where yamltree.Path) (yamltree.Pair, yamltree.Path) {
	entry, at, found := r.Entry(p, f.Key, where.Name(f.Key))
	if !found || f.Sub == "" || yamltree.IsNull(entry.Value) {
		return entry, at
	}
	return entryOf(r, connectionSection, f, entry.ValueAt, where.Member(f.Key))
}

func connectionsAt[T any](at func(*T) *map[string]connection) value[T] {
	return collection(at, func(d *digester, all map[string]connection, path string) {
		addMap(d, all, path, func(d *digester, c connection, path string) { addInner(d, connectionSection, path+".", &c) })
	})
}

func ownAuthAt[T any](at func(*T) *ownAuth) value[T] {
	return collection(at, func(d *digester, auth ownAuth, path string) {
		if d.addBool(auth.authorize != nil); auth.authorize != nil {
			addInner(d, authSection, path+".", &auth.settings)
		}
	})
}

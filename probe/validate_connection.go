package probe

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// connectionFaults checks the connections of an exchange beside the main one.
func (s Spec) connectionFaults() []Fault {
	names := s.ConnectionNames()
	var faults []Fault
	if n := len(names); n > MaxConnections {
		faults = append(faults, Fault{Field: "Exchange", Problem: fmt.Sprintf("must use at most %d connections, got %d", MaxConnections, n)})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Connections)) {
		switch {
		case name == MainConnection:
			faults = append(faults, Fault{Field: "Connections", Key: name, NotAllowed: true,
				Problem: "is not allowed: this is the connection of the url itself"})
		case !slices.Contains(names, name):
			faults = append(faults, Fault{Field: "Connections", Key: name, Given: []string{"Exchange"},
				Problem: "must be used by a step, with on: " + name})
		default:
			faults = append(faults, s.openingFaults(name)...)
		}
	}
	return faults
}

// securesOther reports whether the TLS of a Spec is for the request of prepare, or for another connection than the main
// one, whose URL is ws://.
func (s Spec) securesOther() bool {
	if strings.HasPrefix(strings.ToLower(s.URL), "wss://") {
		return false
	}
	if s.Prepare != nil && strings.HasPrefix(strings.ToLower(s.prepareURL()), "https://") {
		return true
	}
	for _, c := range s.Connections {
		if strings.HasPrefix(strings.ToLower(c.URL), "wss://") {
			return true
		}
	}
	return false
}

// openingFaults checks what a connection has of its own.
func (s Spec) openingFaults(name string) []Fault {
	differs, o := s.Connections[name], s.openingOf(name)
	own := Opening{URL: differs.URL, Headers: differs.Headers, Protocols: differs.Protocols, Prepare: s.Prepare}
	faults := own.openingNameFaults()
	own = own.standIn()
	if differs.URL != "" {
		for _, problem := range urlProblems(own.URL) {
			faults = append(faults, Fault{Field: "URL", Problem: problem})
		}
	}
	faults = append(faults, headerFaults(own.Headers)...)
	if differs.Headers != nil || differs.Authorize != nil {
		faults = append(faults, o.authorizationFault()...)
	}
	faults = append(faults, protocolFaults(own.Protocols)...)
	for i := range faults {
		f := &faults[i]
		f.Field, f.Key, f.Sub, f.SubKey = "Connections", name, f.Field, f.Key
	}
	return faults
}

// nameOfConnectionFaults checks a name, which details of results show as it is.
func nameOfConnectionFaults(field, name string) []Fault {
	sound := len(name) <= MaxConnectionName && !strings.ContainsFunc(name, func(r rune) bool {
		return r > 0x7f || !alphanumeric(byte(r)) && !strings.ContainsRune("_-.", r)
	})
	if sound {
		return nil
	}
	return []Fault{{Field: field, Problem: fmt.Sprintf("must be at most %d letters, digits, and any of _ - and dot", MaxConnectionName)}}
}

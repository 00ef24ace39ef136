package config

import (
	"github.com/wsprobe/wsprobe/config/discovery"
)

// Discover is one entry of the list discover: a source of targets, and the module that makes a probe of each.
type Discover struct {
	Name   string            // unique
	Source discovery.Options // complete
	Module *Module
	// Digest is of the source and of what it makes of a target, without the content of secrets. A source whose Digest
	// stays keeps its targets.
	Digest Digest
}

// Module is one entry of the list modules: a probe without a name and a URL. Several goroutines may use it.
type Module struct {
	Name string
}

package config

import "github.com/wsprobe/wsprobe/probe"

// connectionSection is one of the connections of an exchange.
var connectionSection = newSection("connections", "probes[].connections.NAME.", false, []field[connection]{
	{Field: Field{Path: "url", Kind: Text, Pattern: "^[Ww][Ss][Ss]?://",
		Doc: "another endpoint, as url of the probe; connect_to, proxy and tls of the probe hold for it, too"},
		value: textAt(func(c *connection) *string { return &c.URL }, nil), secret: sent, spec: "URL"},
	{Field: Field{Path: "headers", Kind: Map, Max: probe.MaxHeaders, Doc: "headers in place of those of the probe; {} adds none"},
		value: mapAt(func(c *connection) *map[string]string { return &c.Headers }), secret: sent, spec: "Headers", fold: true},
	{Field: Field{Path: "protocols", Kind: List, Max: probe.MaxProtocols,
		Doc: "subprotocols in place of those of the probe, any of which is good; [] offers none"},
		value: listAt(func(c *connection) *[]string { return &c.Protocols }), secret: sent, spec: "Protocols"},
	{Field: Field{Path: "auth", Kind: Section,
		Doc: "credentials in place of those of the probe, with the same fields; strategy none has none"},
		value: ownAuthAt(func(c *connection) *ownAuth { return &c.auth }), spec: "Authorize"},
})

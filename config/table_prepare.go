package config

import "github.com/wsprobe/wsprobe/probe"

// prepareSection is the mapping prepare of a probe. Its defaults are those of package probe, which fills them in.
var prepareSection = newSection("prepare", "probes[].prepare.", false, []field[probe.Prepare]{
	{Field: Field{Path: "method", Kind: Choice, Allowed: probe.PrepareMethods(),
		Doc: "method of the request; POST with a body, else GET"},
		value: wordAt(func(p *probe.Prepare) *string { return &p.Method }), spec: "Method"},
	{Field: Field{Path: "url", Kind: Text, Pattern: "^[Hh][Tt][Tt][Pp][Ss]?://|^/",
		Doc: "http:// or https://, or a path such as /login at the host and port of the url of the probe; redirects are not followed; required"},
		value: textAt(func(p *probe.Prepare) *string { return &p.URL }, nil), secret: sent, spec: "URL"},
	{Field: Field{Path: "headers", Kind: Map, Max: probe.MaxHeaders,
		Doc: "headers of the request; a body has a Content-Type without one here: application/json for an object or a list, else that of a form"},
		value: mapAt(func(p *probe.Prepare) *map[string]string { return &p.Headers }), secret: sent, spec: "Headers", fold: true},
	{Field: Field{Path: "body", Kind: Text, Doc: "body of the request, at most 64 KiB"},
		value: textAt(func(p *probe.Prepare) *string { return &p.Body }, nil), secret: sent, spec: "Body"},
	{Field: Field{Path: "expect_status", Kind: Integer, Default: "200", Min: 200, Max: 599,
		Doc: "HTTP status of the answer; another one is prepare_status"},
		value: integerAt(func(p *probe.Prepare) *int { return &p.ExpectStatus }), spec: "ExpectStatus"},
	{Field: Field{Path: "capture", Kind: Named, Max: probe.MaxCaptures,
		Doc: "texts to find in the answer, by the names under which {{NAME}} stands for them in url behind the host, headers, protocols " +
			"and messages; they are secrets"},
		value: capturesAt(func(p *probe.Prepare) *map[string]probe.Capture { return &p.Captures }), spec: "Captures"},
})

// captureSection is one of the captures of prepare.
var captureSection = newSection("prepare.capture", "probes[].prepare.capture.NAME.", false, []field[probe.Capture]{
	{Field: Field{Path: "json", Kind: Text, Doc: "path of a text or a number in a JSON body, as in expect_json"},
		value: textAt(func(c *probe.Capture) *string { return &c.JSON }, nil), secret: public},
	{Field: Field{Path: "pattern", Kind: Text, Doc: "regular expression (RE2) whose first group is the text in the body"},
		value: textAt(func(c *probe.Capture) *string { return &c.Pattern }, nil), secret: public},
	{Field: Field{Path: "header", Kind: Text, Doc: "header of the answer"},
		value: textAt(func(c *probe.Capture) *string { return &c.Header }, nil), secret: public},
	{Field: Field{Path: "cookie", Kind: Text, Doc: "name of a cookie that the answer sets"},
		value: textAt(func(c *probe.Capture) *string { return &c.Cookie }, nil), secret: public},
})

func prepareAt[T any](at func(*T) **probe.Prepare) value[T] {
	return collection(at, func(d *digester, p *probe.Prepare, path string) {
		if d.addBool(p != nil); p != nil {
			addInner(d, prepareSection, path+".", p)
		}
	})
}

func capturesAt[T any](at func(*T) *map[string]probe.Capture) value[T] {
	return collection(at, func(d *digester, all map[string]probe.Capture, path string) {
		addMap(d, all, path, func(d *digester, c probe.Capture, path string) { addInner(d, captureSection, path+".", &c) })
	})
}

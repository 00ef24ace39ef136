package convert

import "strconv"

// Telegraf converts the outputs websocket of files of Telegraf.
func Telegraf(files []Source) (Result, error) {
	var all collection
	for _, s := range files {
		if s.Format == "" {
			s.Format = "toml" // whatever the extension, which is conf
		}
		if err := s.ready("toml"); err != nil {
			return Result{}, err
		}
		root, err := parseTOML(s)
		if err != nil {
			return Result{}, err
		}
		if err := all.telegrafFile(s.Name, root); err != nil {
			return Result{}, err
		}
	}
	return all.result("no output websocket")
}

// telegrafFile converts the outputs of a file.
func (c *collection) telegrafFile(name string, root *node) error {
	c.files = append(c.files, name)
	outputs := root.at("outputs")
	if outputs == nil {
		return nil
	}
	for _, output := range outputs.fields {
		if output.name != "websocket" {
			c.others = append(c.others, "outputs."+output.name)
			continue
		}
		for i, item := range output.node.items {
			path := "outputs.websocket." + strconv.Itoa(i)
			if item.scalar("url") == "" {
				return &Fault{File: name, Line: item.line, Problem: path + ".url is missing"}
			}
			c.add(telegrafOutput(name, path, item, root))
		}
	}
	return nil
}

// telegrafOutput converts one output.
func telegrafOutput(file, path string, item, root *node) *conversion {
	all := options(TelegrafOptions())
	leaves := item.leaves(all.whole)
	if agent := root.at("agent"); agent != nil {
		for _, f := range agent.fields {
			path := "agent." + f.name
			if all.find(path) != nil && item.at(f.name) == nil {
				leaves = append(leaves, leaf{path: path, line: f.line, node: f.node, file: file})
			}
		}
	}
	c := conversion{file: file, path: path, line: item.line, options: all, dialect: telegrafVariables}.begin(leaves)
	a, known := parseAddress(c.get("url"))
	c.secure = !known || a.scheme == "wss"
	c.anybody = truths[c.get("insecure_skip_verify")]
	c.run()
	if !c.has("data_format") {
		c.absent("has no data_format, which is influx then: wsprobe writes json")
	}
	if c.stream.lookup("batch.max_events") == nil {
		c.stream.set("batch.max_events", maxBatch)
	}
	if c.stream.lookup("batch.linger") == nil {
		c.stream.set("batch.linger", "10s")
	}
	c.absent("wsprobe sends a Ping every 30 s, for which Telegraf has no option, unless ping_interval is 0s")
	return c
}

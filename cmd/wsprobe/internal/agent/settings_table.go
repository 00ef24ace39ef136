package agent

import (
	"slices"

	"github.com/wsprobe/wsprobe/config"
)

// Setting says of a field of a configuration beside its probes whether a changed value holds while the agent runs.
type Setting struct {
	// Path is that of a field, or of a mapping whose fields are all alike.
	Path string
	// Live says that a reload applies the value. Otherwise it needs a restart.
	Live bool
	// Doc says when the value holds, or why it needs a restart.
	Doc string

	// keep takes the value of now over, and reports whether the next one was another. It is nil if the setting is live.
	keep func(next, now *config.Config) bool
}

// Settings returns the settings of the sections agent and otlp and of the list streams, in the order of the
// documentation of fields.
func Settings() []Setting { return slices.Clone(settings) }

var settings = []Setting{
	restart("agent.listen", "the address is taken at the start", func(c *config.Config) *string { return &c.Agent.Listen }),
	live("agent.hosts", "from the next request on"),
	live("agent.origins", "from the next request on; clients that are connected stay"),
	live("agent.max_concurrent", "at once; runs in flight go on"),
	live("agent.max_sessions", "at once; a configuration with more sessions is refused"),
	restart("agent.location", "every series bears it", func(c *config.Config) *string { return &c.Agent.Location }),
	restart("agent.id", "every series bears it", func(c *config.Config) *string { return &c.Agent.ID }),
	live("agent.url", "from the next export on"),
	live("agent.log_level", "from the next line on"),
	restart("agent.log_format", "a log has one format from its beginning to its end", func(c *config.Config) *string { return &c.Agent.LogFormat }),
	restart("agent.shard.index", "the identity of the agent has it",
		func(c *config.Config) *int { return &c.Agent.Shard.Index }),
	restart("agent.shard.count", "all agents of a set must have the same one, and the identity of the agent depends on it",
		func(c *config.Config) *int { return &c.Agent.Shard.Count }),
	live("agent.watch", "at once"),
	restart("agent.metrics.histograms", "the histograms of a probe have their forms from the start on",
		func(c *config.Config) *string { return &c.Agent.Metrics.Histograms }),
	live("agent.probe_endpoint", "from the next request on"),

	live("otlp.preset", "as the settings whose values it has"),
	live("otlp.endpoint", "from the next request on, of whatever waits; a request under way ends at the endpoint before"),
	{Path: "otlp.protocol", Live: true, keep: keepExport,
		Doc: "from the next request on; from or to none needs a restart, with which all of otlp waits, because the queues are made at the start"},
	live("otlp.interval", "at once"),
	live("otlp.timeout", "from the next request on"),
	live("otlp.compression", "from the next request on"),
	restart("otlp.temporality", "differences begin at the start", func(c *config.Config) *string { return &c.OTLP.Temporality }),
	restart("otlp.histograms", "the histograms of a probe have one form from the start on", func(c *config.Config) *string { return &c.OTLP.Histograms }),
	restart("otlp.max_scale", "the scale of histograms only falls", func(c *config.Config) *int { return &c.OTLP.MaxScale }),
	live("otlp.headers", "from the next request on"),
	restart("otlp.logs", "the queue of log records is made at the start", func(c *config.Config) *bool { return &c.OTLP.Logs }),
	restart("otlp.traces", "the queue of traces is made at the start", func(c *config.Config) *bool { return &c.OTLP.Traces }),
	live("otlp.trace_ratio", "from the next run on"),
	live("otlp.end_markers", "from the next series that ends on"),
	live("otlp.tls", "from the next request on, with the content of the files"),
	{Path: "otlp.spool.max_bytes", keep: keepQueueBytes, Doc: "the queues are made at the start"},
	restart("otlp.spool.dir", "the directory is taken at the start", func(c *config.Config) *string { return &c.OTLP.Spool.Dir }),
	restart("otlp.spool.max_age", "the queues are made at the start", func(c *config.Config) *int64 { return (*int64)(&c.OTLP.Spool.MaxAge) }),
	restart("otlp.spool.order", "the queues are made at the start", func(c *config.Config) *string { return &c.OTLP.Spool.Order }),

	live("streams[]", "at once: a stream that comes begins, and one that goes delivers for its drain and ends; with other values the connection "+
		"is closed with 1001 and opened anew, and what waits goes on waiting in the form that it has"),
	live("streams[].name", "at once, as a stream that goes and another that comes"),
	live("streams[].buffer", "at once: the stream ends and another begins, which goes on with what waits in the directory if that is the same; "+
		"what waits in memory is delivered during the drain, or else discarded"),
	live("streams[].workers", "at once, as buffer"),
	live("streams[].health_check", "at once; require ends only the start of the agent, and a reload logs what fails"),
}

// live is a setting that a reload applies.
func live(path, doc string) Setting { return Setting{Path: path, Live: true, Doc: doc} }

// restart is a setting that needs a restart.
func restart[T comparable](path, doc string, at func(*config.Config) *T) Setting {
	return Setting{Path: path, Doc: doc, keep: func(next, now *config.Config) bool {
		if *at(next) == *at(now) {
			return false
		}
		*at(next) = *at(now)
		return true
	}}
}

// keepExport keeps the whole export as it is if only one of both configurations exports.
func keepExport(next, now *config.Config) bool {
	if next.OTLP.Exports() == now.OTLP.Exports() {
		return false
	}
	next.OTLP = now.OTLP
	return true
}

// keepQueueBytes keeps otlp.spool.max_bytes. Its default depends on otlp.spool.dir, whose change says enough.
func keepQueueBytes(next, now *config.Config) bool {
	other := next.OTLP.Spool.MaxBytes != now.OTLP.Spool.MaxBytes
	next.OTLP.Spool.MaxBytes = now.OTLP.Spool.MaxBytes
	return other && (next.OTLP.Spool.Dir == "") == (now.OTLP.Spool.Dir == "")
}

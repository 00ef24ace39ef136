package telemetry

import (
	"slices"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// Attribute keys of points alone. Those of probes and runs are in the package metrics.
const (
	keyLocation    = "wsprobe.location"
	keySkipCause   = "wsprobe.skip.cause"
	keyOutcome     = "wsprobe.export.outcome"
	keyDropCause   = "wsprobe.drop.cause"
	keyLoadOutcome = "wsprobe.config.outcome"
	keyAgentURL    = "wsprobe.agent.url"
	keyStream      = "wsprobe.stream.name"
	keyEndedBy     = "wsprobe.stream.ended_by"
	keyCloseCode   = "wsprobe.stream.close_code"
	keyDiscovery   = "wsprobe.discovery.name"
	keyRejectCause = "wsprobe.discovery.cause"
	keyLookOutcome = "wsprobe.discovery.outcome"

	// The attributes of the build are named as Prometheus names those of its own. The semantic conventions' names are
	// attributes of the resource, which some back ends make labels of: they would be there twice.
	keyVersion  = "version"
	keyCompiler = "goversion"
	keyRevision = "revision"
)

// The metrics of the agent. They follow those of the probes.
const (
	idAgentProbes = metrics.IDs + iota
	idAgentInFlight
	idAgentStarted
	idAgentStartDelay
	idAgentOverloaded
	idAgentSkipped
	idAgentLoads
	idAgentLoadTime
	idAgentLoadDuration
	idAgentConfigStale
	idAgentBuild
	idAgentProbeRequests
	idAgentRequests
	idAgentSent
	idAgentDropped
	idAgentRecordsSent
	idAgentRecordsDropped
	idAgentTracesSent
	idAgentTracesDropped
	idAgentQueueSize
	idAgentQueueLength
	idAgentQueueAge
	idAgentSpoolFailures
	idAgentSpoolUnrecognizedFiles
	idStreamEstablished
	idStreamFailed
	idStreamShutdown
	idStreamOpen
	idStreamReceived
	idStreamSent
	idStreamResent
	idStreamDiscarded
	idStreamBuffered
	idStreamBufferSize
	idStreamBufferAge
	idStreamBufferFailures
	idStreamMessages
	idStreamBytes
	idFeedClients
	idFeedDropped
	idFeedRefused
	idDiscoveryTargets
	idDiscoveryRejected
	idDiscoveryLooks
	idDiscoveryAge
	metricCount
)

// table is all metrics by their IDs: those of probes, of the agent, of its streams and of its sources of targets. It does
// not change.
var table = complete(agentTable)

func complete(all [metricCount]metrics.Metric) [metricCount]metrics.Metric {
	copy(all[:], metrics.Table())
	for _, more := range []map[metrics.ID]metrics.Metric{streamTable, discoveryTable} {
		for id, m := range more {
			all[id] = m
		}
	}
	return all
}

// agentTable is the only place where a metric of the agent is described. It does not change.
var agentTable = [metricCount]metrics.Metric{
	idAgentProbes: {
		Name: "wsprobe.agent.probes", Kind: metrics.UpDownCounter, Unit: "{probe}",
		Description: "Probes configured.",
	},
	idAgentInFlight: {
		Name: "wsprobe.agent.run.inflight", Kind: metrics.UpDownCounter, Unit: "{run}",
		Description: "Runs under way.",
	},
	idAgentStarted: {
		Name: "wsprobe.agent.run.started", Kind: metrics.Counter, Unit: "{run}",
		Description: "Runs started.",
	},
	idAgentStartDelay: {
		Name: "wsprobe.agent.run.start_delay", Kind: metrics.Histogram, Unit: "ms",
		Description: "How late runs start, by the agent's own fault.",
	},
	idAgentOverloaded: {
		Name: "wsprobe.agent.run.overloaded", Kind: metrics.Counter, Unit: "{run}",
		Description: "Runs that the agent started or served over 100 ms late: its machine is busy, and may be what they show.",
	},
	idAgentSkipped: {
		Name: "wsprobe.agent.run.skipped", Kind: metrics.Counter, Unit: "{run}", Attributes: []string{keySkipCause},
		Description: "Runs that did not take place, by cause: overlap, max_concurrent, missed, or maintenance, in which the endpoint held the run before up.",
	},
	idAgentLoads: {
		Name: "wsprobe.agent.config.loads", Kind: metrics.Counter, Unit: "{load}", Attributes: []string{keyLoadOutcome},
		Description: "Attempts to load a configuration, by outcome: success or failure.",
	},
	idAgentLoadTime: {
		Name: "wsprobe.agent.config.load.time", Kind: metrics.Gauge, Unit: "s",
		Description: "When the configuration in force was loaded, as Unix time.",
	},
	idAgentLoadDuration: {
		Name: "wsprobe.agent.config.load.duration", Kind: metrics.Gauge, Unit: "s",
		Description: "How long the last attempt to load a configuration took.",
	},
	idAgentConfigStale: {
		Name: "wsprobe.agent.config.stale", Kind: metrics.Gauge,
		Description: "1 while the configuration on disk is not what runs, because of faults or of values that need a restart; else 0.",
	},
	idAgentBuild: {
		Name: "wsprobe.agent.build.info", Kind: metrics.Gauge,
		Attributes:  []string{keyVersion, keyCompiler, keyRevision, keyAgentURL},
		Description: "Always 1; what program this is, what built it, and agent.url.",
	},
	idAgentProbeRequests: {
		Name: "wsprobe.agent.probe_endpoint.requests", Kind: metrics.Counter, Unit: "{request}", Attributes: []string{metrics.KeyHTTPStatus},
		Description: "Requests for /probe by the status of the answer, 499 if the client left first.",
	},
	idAgentRequests: {
		Name: "wsprobe.agent.export.requests", Kind: metrics.Counter, Unit: "{request}",
		Attributes:  []string{keyOutcome, metrics.KeyErrorType},
		Description: "Export requests by outcome, and by the gRPC or HTTP status of those that failed.",
	},
	idAgentSent: {
		Name: "wsprobe.agent.export.point.sent", Kind: metrics.Counter, Unit: "{data_point}",
		Description: "Data points that the receiver accepted.",
	},
	idAgentDropped: {
		Name: "wsprobe.agent.export.point.dropped", Kind: metrics.Counter, Unit: "{data_point}", Attributes: []string{keyDropCause},
		Description: "Data points given up, by cause.",
	},
	idAgentRecordsSent: {
		Name: "wsprobe.agent.export.log_record.sent", Kind: metrics.Counter, Unit: "{log_record}",
		Description: "Log records that the receiver accepted; absent without otlp.logs.",
	},
	idAgentRecordsDropped: {
		Name: "wsprobe.agent.export.log_record.dropped", Kind: metrics.Counter, Unit: "{log_record}", Attributes: []string{keyDropCause},
		Description: "Log records given up, by cause; absent without otlp.logs.",
	},
	idAgentTracesSent: {
		Name: "wsprobe.agent.export.trace.sent", Kind: metrics.Counter, Unit: "{trace}",
		Description: "Traces that the receiver accepted; absent without otlp.traces.",
	},
	idAgentTracesDropped: {
		Name: "wsprobe.agent.export.trace.dropped", Kind: metrics.Counter, Unit: "{trace}", Attributes: []string{keyDropCause},
		Description: "Traces given up, whole or in part, by cause; absent without otlp.traces.",
	},
	idAgentQueueSize: {
		Name: "wsprobe.agent.export.queue.size", Kind: metrics.UpDownCounter, Unit: "By",
		Description: "Size of the batches that wait for another try, in the spool or packed in memory.",
	},
	idAgentQueueLength: {
		Name: "wsprobe.agent.export.queue.length", Kind: metrics.UpDownCounter, Unit: "{batch}",
		Description: "Batches that wait to be delivered.",
	},
	idAgentQueueAge: {
		Name: "wsprobe.agent.export.queue.age", Kind: metrics.Gauge, Unit: "s",
		Description: "Age of the oldest batch that waits to be delivered; absent if none does.",
	},
	idAgentSpoolFailures: {
		Name: "wsprobe.agent.export.spool.failures", Kind: metrics.Counter, Unit: "{failure}", Attributes: []string{metrics.KeyErrorType},
		Description: "Attempts to use the spool that failed, by cause; the batches stay in memory.",
	},
	idAgentSpoolUnrecognizedFiles: {
		Name: "wsprobe.agent.export.spool.unrecognized_files", Kind: metrics.Counter, Unit: "{file}",
		Description: "Files of the spool that are not batches: damaged ones were set aside, foreign ones were left alone.",
	},
}

// Metrics returns the table of every metric that wsprobe exports.
func Metrics() []metrics.Metric {
	all := slices.Clone(table[:])
	for i := range all {
		all[i].Attributes = slices.Clone(all[i].Attributes)
	}
	return all
}

// SelfMetrics returns the table of the figures of this process, which it exports, too.
func SelfMetrics() []metrics.Metric { return slices.Clone(processMetrics) }

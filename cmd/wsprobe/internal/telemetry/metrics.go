package telemetry

import (
	"slices"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// Kind is the kind of an instrument, by its OpenTelemetry name.
type Kind string

// The kinds. Counters, up-down counters and histograms are cumulative from the agent's start.
const (
	Gauge         Kind = "gauge"
	Counter       Kind = "counter"
	UpDownCounter Kind = "updowncounter"
	Histogram     Kind = "histogram"
)

// Metric is one row of the table of metrics.
type Metric struct {
	Name        string
	Kind        Kind
	Unit        string // UCUM, empty for a number without one
	Description string
	// PerProbe says that the points bear the attributes of a probe, see [ProbeAttributes].
	PerProbe bool
	// Attributes are the keys that its points bear besides, and besides wsprobe.location, which every point bears if
	// Options.Location is set. Each has a closed set of values. error.type is absent where nothing failed.
	Attributes []string
}

// Attribute keys of our own. The others are those of the semantic conventions.
const (
	keyName           = "wsprobe.name"
	keyInterpretation = "wsprobe.interpretation"
	keyLocation       = "wsprobe.location"
	keyReason         = "wsprobe.reason"
	keyPhase          = "wsprobe.phase"
	keySkipCause      = "wsprobe.skip.cause"
	keyOutcome        = "wsprobe.export.outcome"
	keyDropCause      = "wsprobe.drop.cause"
	keyLoadOutcome    = "wsprobe.config.outcome"
	keyErrorType      = string(semconv.ErrorTypeKey)
	keyAgentURL       = "wsprobe.agent.url"

	// The attributes of the build are named as Prometheus names those of its own. The semantic conventions' names are attributes
	// of the resource, which some back ends make labels of: they would be there twice.
	keyVersion  = "version"
	keyCompiler = "goversion"
	keyRevision = "revision"
)

// metricID is the place of a metric in the table.
type metricID int

const (
	idHandshakeLatency metricID = iota
	idRoundTripLatency
	idConnectionSuccess
	idSuccess
	idStatus
	idPhaseDuration
	idTLSTimeLeft
	idConsecutiveFailures
	idMissedIntervals
	idRuns
	idHandshakeDuration
	idRoundTripDuration
	idAgentProbes
	idAgentInFlight
	idAgentStarted
	idAgentStartDelay
	idAgentOverloaded
	idAgentSkipped
	idAgentLoads
	idAgentLoadTime
	idAgentLoadDuration
	idAgentBuild
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
	metricCount
)

// table is the only place where a metric is described: the producer exports from it, and the documentation is
// tested against it.
var table = [metricCount]Metric{
	idHandshakeLatency: {
		Name: "wsprobe.handshake_latency", Kind: Gauge, Unit: "ms", PerProbe: true,
		Description: "Time from the start of a run to the open socket, one point per run that opened.",
	},
	idRoundTripLatency: {
		Name: "wsprobe.round_trip_latency", Kind: Gauge, Unit: "ms", PerProbe: true,
		Description: "Time from writing the message to having read the matching reply, one point per run with one.",
	},
	idConnectionSuccess: {
		Name: "wsprobe.connection_success", Kind: Gauge, PerProbe: true, Attributes: []string{keyReason},
		Description: "1 if the socket opened, else 0, one point per run.",
	},
	idSuccess: {
		Name: "wsprobe.success", Kind: Gauge, PerProbe: true,
		Description: "1 if the run was ok, else 0, one point per run: whether the endpoint does what the probe asks of it.",
	},
	idStatus: {
		Name: "wsprobe.status", Kind: Gauge, PerProbe: true,
		Description: "What the thresholds of a probe make of it: 0 healthy, 1 degraded, 2 unhealthy, 3 no_data; one point per run of a probe with thresholds.",
	},
	idPhaseDuration: {
		Name: "wsprobe.phase.duration", Kind: Gauge, Unit: "ms", PerProbe: true, Attributes: []string{keyPhase},
		Description: "Length of a phase of a run, one point per phase that ended.",
	},
	idTLSTimeLeft: {
		Name: "wsprobe.tls.time_left", Kind: Gauge, Unit: "s", PerProbe: true,
		Description: "Time until the endpoint's certificate, or one of its chain, expires, negative afterwards; one point per run that saw a certificate.",
	},
	idConsecutiveFailures: {
		Name: "wsprobe.consecutive_failures", Kind: Gauge, Unit: "{run}", PerProbe: true,
		Description: "Runs that failed since the last one that was ok, since the agent's start at most; at every export, between two runs, too.",
	},
	idMissedIntervals: {
		Name: "wsprobe.missed_intervals", Kind: Gauge, Unit: "{interval}", PerProbe: true,
		Description: "Whole intervals of the probe since its last run ended, at every export; present from 2 on, and once as 0 after that.",
	},
	idRuns: {
		Name: "wsprobe.runs", Kind: Counter, Unit: "{run}", PerProbe: true,
		Attributes:  []string{keyReason, keyErrorType},
		Description: "Runs by their reason, ok among them, and by what broke.",
	},
	idHandshakeDuration: {
		Name: "wsprobe.handshake.duration", Kind: Histogram, Unit: "ms", PerProbe: true,
		Description: "Distribution of handshake latencies.",
	},
	idRoundTripDuration: {
		Name: "wsprobe.round_trip.duration", Kind: Histogram, Unit: "ms", PerProbe: true,
		Description: "Distribution of round-trip latencies.",
	},
	idAgentProbes: {
		Name: "wsprobe.agent.probes", Kind: UpDownCounter, Unit: "{probe}",
		Description: "Probes configured.",
	},
	idAgentInFlight: {
		Name: "wsprobe.agent.run.inflight", Kind: UpDownCounter, Unit: "{run}",
		Description: "Runs under way.",
	},
	idAgentStarted: {
		Name: "wsprobe.agent.run.started", Kind: Counter, Unit: "{run}",
		Description: "Runs started.",
	},
	idAgentStartDelay: {
		Name: "wsprobe.agent.run.start_delay", Kind: Histogram, Unit: "ms",
		Description: "How late runs start, by the agent's own fault.",
	},
	idAgentOverloaded: {
		Name: "wsprobe.agent.run.overloaded", Kind: Counter, Unit: "{run}",
		Description: "Runs that the agent started or served over 100 ms late: its machine is busy, and may be what they show.",
	},
	idAgentSkipped: {
		Name: "wsprobe.agent.run.skipped", Kind: Counter, Unit: "{run}", Attributes: []string{keySkipCause},
		Description: "Runs that did not take place, by cause.",
	},
	idAgentLoads: {
		Name: "wsprobe.agent.config.loads", Kind: Counter, Unit: "{load}", Attributes: []string{keyLoadOutcome},
		Description: "Attempts to load a configuration, by outcome: success or failure.",
	},
	idAgentLoadTime: {
		Name: "wsprobe.agent.config.load.time", Kind: Gauge, Unit: "s",
		Description: "When the configuration in force was loaded, as Unix time.",
	},
	idAgentLoadDuration: {
		Name: "wsprobe.agent.config.load.duration", Kind: Gauge, Unit: "s",
		Description: "How long the last attempt to load a configuration took.",
	},
	idAgentBuild: {
		Name: "wsprobe.agent.build.info", Kind: Gauge,
		Attributes:  []string{keyVersion, keyCompiler, keyRevision, keyAgentURL},
		Description: "Always 1; what program this is, what built it, and agent.url.",
	},
	idAgentRequests: {
		Name: "wsprobe.agent.export.requests", Kind: Counter, Unit: "{request}",
		Attributes:  []string{keyOutcome, keyErrorType},
		Description: "Export requests by outcome, and by the gRPC or HTTP status of those that failed.",
	},
	idAgentSent: {
		Name: "wsprobe.agent.export.point.sent", Kind: Counter, Unit: "{data_point}",
		Description: "Data points that the receiver accepted.",
	},
	idAgentDropped: {
		Name: "wsprobe.agent.export.point.dropped", Kind: Counter, Unit: "{data_point}", Attributes: []string{keyDropCause},
		Description: "Data points given up, by cause.",
	},
	idAgentRecordsSent: {
		Name: "wsprobe.agent.export.log_record.sent", Kind: Counter, Unit: "{log_record}",
		Description: "Log records that the receiver accepted; absent without otlp.logs.",
	},
	idAgentRecordsDropped: {
		Name: "wsprobe.agent.export.log_record.dropped", Kind: Counter, Unit: "{log_record}", Attributes: []string{keyDropCause},
		Description: "Log records given up, by cause; absent without otlp.logs.",
	},
	idAgentTracesSent: {
		Name: "wsprobe.agent.export.trace.sent", Kind: Counter, Unit: "{trace}",
		Description: "Traces that the receiver accepted; absent without otlp.traces.",
	},
	idAgentTracesDropped: {
		Name: "wsprobe.agent.export.trace.dropped", Kind: Counter, Unit: "{trace}", Attributes: []string{keyDropCause},
		Description: "Traces given up, whole or in part, by cause; absent without otlp.traces.",
	},
	idAgentQueueSize: {
		Name: "wsprobe.agent.export.queue.size", Kind: UpDownCounter, Unit: "By",
		Description: "Size of the batches that wait for another try, in the spool or packed in memory.",
	},
	idAgentQueueLength: {
		Name: "wsprobe.agent.export.queue.length", Kind: UpDownCounter, Unit: "{batch}",
		Description: "Batches that wait to be delivered.",
	},
	idAgentQueueAge: {
		Name: "wsprobe.agent.export.queue.age", Kind: Gauge, Unit: "s",
		Description: "Age of the oldest batch that waits to be delivered; absent if none does.",
	},
	idAgentSpoolFailures: {
		Name: "wsprobe.agent.export.spool.failures", Kind: Counter, Unit: "{failure}", Attributes: []string{keyErrorType},
		Description: "Attempts to use the spool that failed, by cause; the batches stay in memory.",
	},
	idAgentSpoolUnrecognizedFiles: {
		Name: "wsprobe.agent.export.spool.unrecognized_files", Kind: Counter, Unit: "{file}",
		Description: "Files of the spool that are not batches: damaged ones were set aside, foreign ones were left alone.",
	},
}

// Metrics returns the table of every metric that wsprobe exports.
func Metrics() []Metric {
	metrics := slices.Clone(table[:])
	for i := range metrics {
		metrics[i].Attributes = slices.Clone(metrics[i].Attributes)
	}
	return metrics
}

// SelfMetrics returns the table of the figures of this process, which it exports, too.
func SelfMetrics() []Metric { return slices.Clone(selfTable) }

// ProbeAttributes returns the keys that every point about a probe bears, besides the probe's labels.
func ProbeAttributes() []string {
	return []string{
		keyName, keyInterpretation, string(semconv.ServerAddressKey), string(semconv.ServerPortKey),
		string(semconv.URLSchemeKey), string(semconv.URLPathKey),
	}
}

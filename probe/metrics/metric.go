package metrics

import "slices"

// Kind is the kind of an instrument, by its OpenTelemetry name.
type Kind string

// The kinds. Counters, up-down counters and histograms are totals; a reader decides over which time.
const (
	Gauge         Kind = "gauge"
	Counter       Kind = "counter"
	UpDownCounter Kind = "updowncounter"
	Histogram     Kind = "histogram"
)

// Metric is one row of a table of metrics.
type Metric struct {
	Name        string
	Kind        Kind
	Unit        string // UCUM, empty for a number without one
	Description string
	// PerProbe says that the points have the attributes of a probe, see [ProbeKeys].
	PerProbe bool
	// Attributes are the keys of its points beside those and beside the attributes that a reader adds to every point.
	// Each has a closed set of values. error.type is absent where nothing failed.
	Attributes []string
}

// ID is the place of a metric in the table. Readers with metrics of their own number them from IDs on.
type ID int

// The metrics of a probe.
const (
	HandshakeLatency ID = iota
	RoundTripLatency
	ConnectionSuccess
	Success
	Status
	PhaseDuration
	TLSTimeLeft
	ConsecutiveFailures
	MissedIntervals
	InMaintenance
	SessionOpen
	SessionMessageAge
	Runs
	HandshakeDuration
	RoundTripDuration
	SessionDuration
	SessionEnds
	SessionDowntime
	SessionReopenDuration
	SessionPingDuration
	SessionPingUnanswered
	SessionMessageReceived
	SessionMessageSize
	SessionMessageGap
	SessionMessageDelay
	SessionMessageLost
	SessionMessageRepeated
	SessionMessageDisordered
	SessionMessageLate
	IDs // how many there are
)

// table is every metric of a probe. It does not change.
var table = withSessions([IDs]Metric{
	HandshakeLatency: {
		Name: "wsprobe.handshake_latency", Kind: Gauge, Unit: "ms", PerProbe: true,
		Description: "Time from the start of a run to the open socket, one point per run that opened.",
	},
	RoundTripLatency: {
		Name: "wsprobe.round_trip_latency", Kind: Gauge, Unit: "ms", PerProbe: true,
		Description: "Time from writing the message to having read the matching reply, one point per run with one.",
	},
	ConnectionSuccess: {
		Name: "wsprobe.connection_success", Kind: Gauge, PerProbe: true, Attributes: []string{KeyReason},
		Description: "1 if the socket opened, else 0, one point per run.",
	},
	Success: {
		Name: "wsprobe.success", Kind: Gauge, PerProbe: true,
		Description: "1 if the run was ok, else 0, one point per run outside of maintenance: whether the endpoint does what the probe asks of it.",
	},
	Status: {
		Name: "wsprobe.status", Kind: Gauge, PerProbe: true,
		Description: "What the thresholds of a probe make of it: 0 healthy, 1 degraded, 2 unhealthy, 3 no_data; " +
			"one point per run of a probe with thresholds, outside of maintenance.",
	},
	PhaseDuration: {
		Name: "wsprobe.phase.duration", Kind: Gauge, Unit: "ms", PerProbe: true, Attributes: []string{KeyPhase},
		Description: "Length of a phase of a run, one point per phase that ended.",
	},
	TLSTimeLeft: {
		Name: "wsprobe.tls.time_left", Kind: Gauge, Unit: "s", PerProbe: true,
		Description: "Time until the endpoint's certificate, or one of its chain, expires, negative afterwards; " +
			"one point per run that saw a certificate.",
	},
	ConsecutiveFailures: {
		Name: "wsprobe.consecutive_failures", Kind: Gauge, Unit: "{run}", PerProbe: true,
		Description: "Runs that failed since the last one that was ok, or since maintenance, since the agent's start at most; at every export, between two runs, too.",
	},
	MissedIntervals: {
		Name: "wsprobe.missed_intervals", Kind: Gauge, Unit: "{interval}", PerProbe: true,
		Description: "Whole intervals of the probe since its last run ended, at every export; present from 2 on, and once as 0 after that.",
	},
	InMaintenance: {
		Name: KeyMaintenance, Kind: Gauge, PerProbe: true,
		Description: "1 in a maintenance window of the probe, else 0, at every export and at each change; only of probes with such windows.",
	},
	Runs: {
		Name: "wsprobe.runs", Kind: Counter, Unit: "{run}", PerProbe: true, Attributes: []string{KeyReason, KeyErrorType},
		Description: "Runs by their reason, ok among them, and by what broke.",
	},
	HandshakeDuration: {
		Name: "wsprobe.handshake.duration", Kind: Histogram, Unit: "ms", PerProbe: true,
		Description: "Distribution of handshake latencies.",
	},
	RoundTripDuration: {
		Name: "wsprobe.round_trip.duration", Kind: Histogram, Unit: "ms", PerProbe: true,
		Description: "Distribution of round-trip latencies.",
	},
})

func withSessions(all [IDs]Metric) [IDs]Metric {
	for id, m := range sessionTable {
		all[id] = m
	}
	return all
}

// Table returns the table of the metrics of a probe, by their IDs.
func Table() []Metric {
	all := slices.Clone(table[:])
	for i := range all {
		all[i].Attributes = slices.Clone(all[i].Attributes)
	}
	return all
}

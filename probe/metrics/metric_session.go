package metrics

// sessionTable describes the metrics of held sessions alone. It does not change.
var sessionTable = map[ID]Metric{
	SessionOpen: {
		Name: "wsprobe.session.open", Kind: Gauge, PerProbe: true,
		Description: "1 if the held session is open, else 0, at each interval and at each change.",
	},
	SessionMessageAge: {
		Name: "wsprobe.session.message.age", Kind: Gauge, Unit: "s", PerProbe: true,
		Description: "Time since the last wanted message, or else since the open, at each interval of an open session that waits for messages.",
	},
	SessionDuration: {
		Name: "wsprobe.session.duration", Kind: Histogram, Unit: "s", PerProbe: true, Attributes: []string{KeySessionEnd, KeyCloseCode},
		Description: "Distribution of the lifetimes of sessions, from the open to the end, by who or what ended them and by the close code.",
	},
	SessionEnds: {
		Name: "wsprobe.session.ends", Kind: Counter, Unit: "{session}", PerProbe: true, Attributes: []string{KeySessionEnd, KeyCloseCode},
		Description: "Sessions that ended, by who or what ended them and by the close code.",
	},
	SessionDowntime: {
		Name: "wsprobe.session.downtime", Kind: Histogram, Unit: "s", PerProbe: true,
		Description: "Distribution of the times from the end of a session to the next open; renewals that close first are in it.",
	},
	SessionReopenDuration: {
		Name: "wsprobe.session.reopen.duration", Kind: Histogram, Unit: "s", PerProbe: true,
		Description: "Distribution of the times that reopening took, from the start of the open that succeeded to the end of its exchange.",
	},
	SessionPingDuration: {
		Name: "wsprobe.session.ping.duration", Kind: Histogram, Unit: "ms", PerProbe: true,
		Description: "Distribution of the times from a Ping to its Pong, of sessions with a heartbeat: it is their round trip.",
	},
	SessionPingUnanswered: {
		Name: "wsprobe.session.ping.unanswered", Kind: Counter, Unit: "{ping}", PerProbe: true,
		Description: "Pings without an answer of their own within ping_timeout.",
	},
	SessionMessageReceived: {
		Name: "wsprobe.session.message.received", Kind: Counter, Unit: "{message}", PerProbe: true, Attributes: []string{KeyMessage},
		Description: "Data messages that came, wanted or other ones.",
	},
	SessionMessageSize: {
		Name: "wsprobe.session.message.size", Kind: Histogram, Unit: "By", PerProbe: true,
		Description: "Distribution of the sizes of data messages, after inflating.",
	},
	SessionMessageGap: {
		Name: "wsprobe.session.message.gap", Kind: Histogram, Unit: "s", PerProbe: true,
		Description: "Distribution of the times from one wanted message to the next, or from the open to the first.",
	},
	SessionMessageDelay: {
		Name: "wsprobe.session.message.delay", Kind: Histogram, Unit: "s", PerProbe: true,
		Description: "Distribution of the times from sent_at to the arrival of wanted messages; 0 if the clock of the server is ahead.",
	},
	SessionMessageLost: {
		Name: "wsprobe.session.message.lost", Kind: Counter, Unit: "{message}", PerProbe: true,
		Description: "Numbers that sequence skipped; message.late counts those of them that came after all.",
	},
	SessionMessageRepeated: {
		Name: "wsprobe.session.message.repeated", Kind: Counter, Unit: "{message}", PerProbe: true,
		Description: "Wanted messages whose number in sequence came before.",
	},
	SessionMessageDisordered: {
		Name: "wsprobe.session.message.disordered", Kind: Counter, Unit: "{message}", PerProbe: true,
		Description: "Wanted messages whose number in sequence is lower than an earlier one.",
	},
	SessionMessageLate: {
		Name: "wsprobe.session.message.late", Kind: Counter, Unit: "{message}", PerProbe: true,
		Description: "Wanted messages whose number in sequence was counted as lost: lost less late is what never came.",
	},
}

// The bounds of histograms of sessions, in the units of their metrics. They do not change.
var (
	lifetimeBounds = []float64{1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400, 172800, 604800}
	downtimeBounds = []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600}
	reopenBounds   = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}
	messageBounds  = []float64{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300}
	sizeBounds     = []float64{64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20}
)

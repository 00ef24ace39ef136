package telemetry

import "github.com/wsprobe/wsprobe/probe/metrics"

// streamTable is the metrics of streams and of the clients of the agent's own one. It does not change.
var streamTable = map[metrics.ID]metrics.Metric{
	idStreamEstablished: ofStream(metrics.Metric{
		Name: "wsprobe.stream.connections.established", Kind: metrics.Counter, Unit: "{connection}",
		Description: "Connections of a stream that opened.",
	}),
	idStreamFailed: ofStream(metrics.Metric{
		Name: "wsprobe.stream.connections.failed", Kind: metrics.Counter, Unit: "{connection}",
		Attributes:  []string{metrics.KeyReason, metrics.KeyErrorType},
		Description: "Connections of a stream that could not be opened, by reason and by what broke.",
	}),
	idStreamShutdown: ofStream(metrics.Metric{
		Name: "wsprobe.stream.connections.shutdown", Kind: metrics.Counter, Unit: "{connection}",
		Attributes:  []string{keyEndedBy, keyCloseCode},
		Description: "Connections of a stream that ended: by server, agent, network or timeout, and with which close code, if there was one.",
	}),
	idStreamOpen: ofStream(metrics.Metric{
		Name: "wsprobe.stream.connections.open", Kind: metrics.UpDownCounter, Unit: "{connection}",
		Description: "Connections of a stream that are open; as many as it has workers while all is well.",
	}),
	idStreamReceived: ofStream(metrics.Metric{
		Name: "wsprobe.stream.events.received", Kind: metrics.Counter, Unit: "{event}",
		Description: "Events that a stream took, those that an earlier process left on disk included. " +
			"Each is sent, discarded or buffered.",
	}),
	idStreamSent: ofStream(metrics.Metric{
		Name: "wsprobe.stream.events.sent", Kind: metrics.Counter, Unit: "{event}",
		Description: "Events whose delivery was acknowledged.",
	}),
	idStreamResent: ofStream(metrics.Metric{
		Name: "wsprobe.stream.events.resent", Kind: metrics.Counter, Unit: "{event}",
		Description: "Events written again, because a connection ended before they were acknowledged.",
	}),
	idStreamDiscarded: ofStream(metrics.Metric{
		Name: "wsprobe.stream.events.discarded", Kind: metrics.Counter, Unit: "{event}", Attributes: []string{keyDropCause},
		Description: "Events given up, by cause.",
	}),
	idStreamBuffered: ofStream(metrics.Metric{
		Name: "wsprobe.stream.events.buffered", Kind: metrics.UpDownCounter, Unit: "{event}",
		Description: "Events that wait to be sent, or to be acknowledged.",
	}),
	idStreamBufferSize: ofStream(metrics.Metric{
		Name: "wsprobe.stream.buffer.size", Kind: metrics.UpDownCounter, Unit: "By",
		Description: "Size of these events.",
	}),
	idStreamBufferAge: ofStream(metrics.Metric{
		Name: "wsprobe.stream.buffer.age", Kind: metrics.Gauge, Unit: "s",
		Description: "Age of the oldest of these events; absent if none waits.",
	}),
	idStreamBufferFailures: ofStream(metrics.Metric{
		Name: "wsprobe.stream.buffer.failures", Kind: metrics.Counter, Unit: "{failure}", Attributes: []string{metrics.KeyErrorType},
		Description: "Attempts to use the directory of a buffer that failed, by cause; the events stay in memory.",
	}),
	idStreamMessages: ofStream(metrics.Metric{
		Name: "wsprobe.stream.messages.sent", Kind: metrics.Counter, Unit: "{message}",
		Description: "Messages with events that were written.",
	}),
	idStreamBytes: ofStream(metrics.Metric{
		Name: "wsprobe.stream.bytes.sent", Kind: metrics.Counter, Unit: "By",
		Description: "Size of these messages before compression.",
	}),
	idFeedClients: {
		Name: "wsprobe.feed.client.connected", Kind: metrics.UpDownCounter, Unit: "{client}",
		Description: "Clients that read /api/v1/stream; absent without agent.listen.",
	},
	idFeedDropped: {
		Name: "wsprobe.feed.client.dropped", Kind: metrics.Counter, Unit: "{client}", Attributes: []string{keyDropCause},
		Description: "Clients of /api/v1/stream that the agent dropped: slow, mute without an answer to a Ping, or noisy.",
	},
	idFeedRefused: {
		Name: "wsprobe.feed.client.refused", Kind: metrics.Counter, Unit: "{client}", Attributes: []string{keyDropCause},
		Description: "Requests for /api/v1/stream that were refused: full, or of a foreign Origin.",
	},
}

// ofStream adds the name of the stream to the attributes of a metric.
func ofStream(m metrics.Metric) metrics.Metric {
	m.Attributes = append([]string{keyStream}, m.Attributes...)
	return m
}

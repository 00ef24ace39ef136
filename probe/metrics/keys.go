package metrics

// The attribute keys of probes and results. Keys without the prefix wsprobe are those of the semantic conventions.
const (
	KeyName           = "wsprobe.name"
	KeyInterpretation = "wsprobe.interpretation"
	KeyReason         = "wsprobe.reason"
	KeyPhase          = "wsprobe.phase"
	KeyErrorType      = "error.type"
	KeySessionEnd     = "wsprobe.session.end"
	KeyCloseCode      = "wsprobe.session.close_code"
	KeyMessage        = "wsprobe.session.message.kind"
	KeyMaintenance    = "wsprobe.maintenance"
	KeyServerAddress  = "server.address"
	KeyServerPort     = "server.port"
	KeyScheme         = "url.scheme"
	KeyPath           = "url.path"

	KeyHTTPStatus      = "http.response.status_code"
	KeyPeerAddress     = "network.peer.address"
	KeyPeerPort        = "network.peer.port"
	KeyNetworkType     = "network.type"
	KeyProtocolName    = "network.protocol.name"
	KeyProtocolVersion = "network.protocol.version"
)

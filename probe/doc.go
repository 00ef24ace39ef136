// Package probe measures one WebSocket endpoint, once.
//
// A [Spec] says what to measure, [New] makes a [Probe] of it, and [Probe.Run] returns a [Result]. Each run uses a fresh
// connection and has one deadline, from its start to the matching reply. It measures:
//
//   - the handshake latency, from the start of the run to the open socket: name resolution, TCP connect (through a proxy
//     if there is one), TLS, and the upgrade until the 101 is verified;
//   - the round trip, from writing the message to having read the whole matching reply. The open is not in it.
//
// The [Interpretation] says which value is the headline. A run reports every value that it measured: without a reply
// the Result still has the handshake latency. A value that was not measured is absent, never zero. A failed probe is a
// Result with a reason. An error from Run means that nothing was measured.
//
// Before it sends, a run listens for at most 10 ms, or less if its timeout is below 200 ms. So it does not take a
// greeting of the server for the reply. No value contains this wait. The close handshake comes after the value is
// fixed, and no value contains it either. It has a budget of its own, 500 ms. So no run outlives its deadline by more
// than a second, whatever the endpoint does.
//
// # Layers
//
// A run is built of four packages, none of which knows this one or one above it:
//
//   - internal/opening leads from the URL to the open socket. It says how far it came, phase by phase;
//   - internal/match tells whether a message is the reply;
//   - internal/frame judges the frames of the endpoint (RFC 6455, RFC 7692);
//   - internal/tcp is the connection: its deadline, and when bytes came.
//
// This package puts them together. It fills their options from the Spec, keeps the order and the deadline of a run, and
// makes a Result of their findings. It hides the secrets in every text of a Result.
package probe

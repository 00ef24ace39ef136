// Package probe measures one WebSocket endpoint, once.
//
// A [Probe] is made from a [Spec] and run with [Probe.Run]. Each run uses a fresh connection and has one
// deadline, from its start to the matching reply. What is timed:
//
//   - the handshake latency runs from the start of the run to the open socket: name resolution, TCP
//     connect (through a proxy if there is one), TLS, and the upgrade until the 101 is verified;
//   - the round trip runs from writing the message to having read the whole matching reply;
//     the open is not in it.
//
// Before it sends, a run listens for 10 ms at most (less if its timeout is below 200 ms) for what the server
// says of its own accord: a greeting is not a reply. That wait is part of no value.
//
// The close handshake comes after the value is fixed and is part of none. It has a budget of its own,
// so that nothing of a run outlives its deadline by more than a second, whatever the endpoint does.
//
// A run reports every value that it measured: a reply that never came leaves the handshake latency in
// the [Result]. A value that was not measured is absent, never zero. Which value is the headline is the
// [Interpretation].
//
// A failed probe is a [Result] with a reason; an error from Run means that nothing was measured.
package probe

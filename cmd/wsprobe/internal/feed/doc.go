// Package feed serves results, as they come, to whoever opens a WebSocket to the agent.
//
// A client gets what has been, and then each event as it comes: a message for each. Nobody waits for a client, because
// all of them read from one short past of bounded size. Whoever falls behind it is dropped.
package feed

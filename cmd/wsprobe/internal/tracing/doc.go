// Package tracing turns the result of a run into the spans of a trace.
//
// # Before the run
//
// A [Sampler] draws the trace that a run is in: its id, the ids of two of its spans, and by the id whether the endpoint
// is asked to keep what it traces. The upgrade request tells the endpoint of it, so that its own spans become children
// of the upgrade.
//
// # After the run
//
// A run that was sampled is kept, and so is one that failed: a failure is why traces are read, and nobody knows of it
// before. Of a failure that was not sampled the endpoint's own part is missing, for it was not asked for.
//
// A [Builder] makes the spans, all of them from the finished result, so that a run that is not kept costs nothing but
// the drawing of its ids. The span of the run begins and ends with it, close handshake included; its children are the
// phases that took place. Their times are offsets on the monotonic clock, added to the run's start: a child lies within
// its parent even if the wall clock was set meanwhile.
//
//	probe NAME                  client
//	├── dns                     internal
//	├── connect                 internal, with the proxy's tunnel if there is one
//	├── tls                     internal
//	├── upgrade                 client: the parent of what the endpoint traces
//	├── round_trip              internal, or one span for each step of an exchange: step 1, step 2
//	└── close                   internal
//
// Attributes and status are those of the semantic conventions, where these have one, else begin with wsprobe. No text of
// the endpoint is among them but what a [github.com/wsprobe/wsprobe/probe.Result] has redacted.
package tracing

// Package tracing turns the result of a run into the spans of a trace.
//
// # Before the run
//
// A [Sampler] draws the trace of a run: its id, the ids of two of its spans, and whether it is sampled. The upgrade
// request names the trace, so that the endpoint's own spans become children of the upgrade. An endpoint need not record
// a run that is not sampled.
//
// # After the run
//
// Sampled runs are kept, and so are failed ones, because failures are the reason to read traces. Whether a run fails is
// not known when it is sampled. So a failed run that was not sampled lacks the endpoint's own spans.
//
// A [Builder] makes all spans from the finished result, so that a run that is not kept costs only the drawing of its
// ids. The span of the run includes the close handshake, and its children are the phases that took place. Their times
// are offsets on the monotonic clock, added to the run's start. So a child lies within its parent even if the wall
// clock was set meanwhile.
//
//	probe NAME                  client
//	├── dns                     internal
//	├── connect                 internal, with the proxy's tunnel if there is one
//	├── tls                     internal
//	├── upgrade                 client: the parent of what the endpoint traces
//	├── round_trip              internal, or one span for each step of an exchange: step 1, step 2
//	└── close                   internal
//
// Attributes and status follow the semantic conventions. Attributes without one begin with wsprobe. Texts of the
// endpoint come only from a [github.com/wsprobe/wsprobe/probe.Result], which has redacted them.
package tracing

// Package otlp speaks the OpenTelemetry protocol with a receiver, over gRPC or HTTP with protobuf.
//
// A [Client] has one connection to a receiver, for the three signals. A request is bytes, so that one that was stored
// can be sent as it is; [Points], [Records] and [Spans] make such bytes. An answer becomes an [outbox.Answer], which
// says whether to try again. The retries are the business of the package outbox.
//
// Every option is explicit: the variables OTEL_* have no effect here. The proxy variables have.
package otlp

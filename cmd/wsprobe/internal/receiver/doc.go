// Package receiver is a small OTLP back end, over gRPC or HTTP.
//
// It takes export requests of metrics, log records and traces, and hands over their contents one by one. It stands for a
// real one in `wsprobe demo` and in tests. A [Receiver] keeps nothing; an [Inbox] keeps contents for a test that waits.
package receiver

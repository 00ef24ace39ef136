// Package receiver is a small OTLP back end, over gRPC or HTTP: it takes export requests of metrics, log records and traces and
// hands over what is in them, one by one. It stands for a real one where none is at hand, in `wsprobe demo` and in tests. It
// keeps nothing.
package receiver

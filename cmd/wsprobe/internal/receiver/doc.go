// Package receiver is a small OTLP/gRPC back end: it takes export requests of metrics and hands over what is
// in them, point by point. It stands for a real one where none is at hand, in `wsprobe demo` and in tests. It
// keeps nothing.
package receiver

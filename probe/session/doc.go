// Package session holds a WebSocket open.
//
// A run of package probe connects, looks and leaves. A session stays: it sends Pings and heartbeats, watches the
// messages that it subscribed to, and says how its connection ended. A [Spec] describes it.
//
// The machine is a session without I/O: bytes and times go in, bytes and events come out. It owns no buffer, no timer
// and no goroutine while it waits.
package session

// Package session holds a WebSocket open.
//
// A run of package probe connects, looks and leaves. A session stays: it sends Pings and heartbeats, watches the
// messages that it subscribed to, and says how its connection ended. A [Spec] describes it. A [Hub] opens it, and opens
// it anew after each end, with random waits that grow. It tells of everything by an [Event].
//
// An [End] says who ended a session and after which idle time and lifetime. A [Finding] explains it, once the next open
// has met something: a bare end of the connection alone does not tell an idle limit from a crash.
//
// The machine is a session without I/O: bytes and times go in, bytes and events come out. It owns no buffer, no timer
// and no goroutine while it waits. On Linux one goroutine serves the sessions of a Hub, by epoll and a heap of
// timers. While it is busy for more than half of its time, others share its work, at most one for each processor.
// Elsewhere each session has a goroutine.
package session

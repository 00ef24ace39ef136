// Package wstest serves scripted WebSocket endpoints, from good to hostile, as net/http/httptest serves HTTP.
//
// A [Script] is the whole behaviour of an endpoint on one connection: an ordinary function that reads and writes on a
// [Conn]. Nothing stands between the script and the bytes, so it can break every rule of RFC 6455. [Catalogue] has
// ready-made scripts for the common behaviour of endpoints, in one answer or on a connection that stays open.
//
// The same script runs over real TCP and TLS ([Start], [StartTLS], [Serve]) and over connections in memory ([Memory],
// [MemoryTLS]). Those behave like TCP, but live entirely in the process. So testing/synctest can measure them to the
// nanosecond.
package wstest

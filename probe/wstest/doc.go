// Package wstest serves scripted WebSocket endpoints, the good with the hostile, as net/http/httptest serves HTTP.
//
// What an endpoint does with one connection is a [Script], an ordinary function that reads and writes on a
// [Conn] by hand: nothing stands between the script and the bytes, so it can break every rule of RFC 6455.
// [Catalogue] has ready-made ones for what endpoints commonly do, in one answer or to a connection that stays open.
//
// The same script runs over real TCP and TLS ([Start], [StartTLS], [Serve]) and over connections in memory
// ([Memory], [MemoryTLS]), which behave like TCP but live entirely in the process, so that testing/synctest
// can measure them to the nanosecond.
package wstest

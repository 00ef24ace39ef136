// Package match decides whether a message is the reply that a probe waits for.
//
// An [Expectation] is prepared once: a text, a regular expression, or values in a JSON document. A [Message] is fed
// with one message after the other, in pieces, and compares each with the expectation. A [NearMiss] remembers the
// messages that were not the reply, and explains how near they were. A [Filler] puts the values of a run into texts
// with placeholders.
//
// The endpoint chooses every byte that is compared. So the memory of a comparison is linear in the message, and a long
// comparison asks whether time is up.
package match

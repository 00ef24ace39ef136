// Package maintenance says when a probe is maintained, in windows of time that are open once or recur.
//
// A recurring [Window] follows the clock of its zone. It begins as soon as that clock shows From or later, and ends when
// the clock will not show a time before To any more. So a window whose beginning is skipped, because the clock is put
// forward, begins with the jump. One whose end comes twice, because the clock is put back, ends the second time. A window
// that lies within a skipped hour, or on a skipped day, is not open.
//
// The windows of a [Schedule] add up: where one ends and another goes on, nothing changes. The package reads no clock: its
// caller gives the time, and only the instant counts, not its monotonic part or its zone.
package maintenance
